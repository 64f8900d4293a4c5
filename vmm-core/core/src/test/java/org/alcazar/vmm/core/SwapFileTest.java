package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Space;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.alcazar.vmm.plugin.SwapPolicyType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;

class SwapFileTest {
    private static final String FILE = "/swap";
    private static final long LIMIT = 1 << 20;

    /** A page of the fake host's chunks, and the paging mode's. */
    private static final long SLACK = 2 * Frames.CHUNK * Pages.PAGE;

    /** The guest counts in so many pages, more than are there. */
    private static final int PAGES = 400;

    private static final long FIRST = 0x10_0000;

    private static Toy.Op[] counting() {
        List<Toy.Op> out = new ArrayList<>();
        for (int i = 0; i < PAGES; i++) {
            long address = FIRST + i * Pages.PAGE;
            out.add(new Toy.Read(Space.MEMORY, address, 8));
            out.add(new Toy.Add(1));
            out.add(new Toy.Write(Space.MEMORY, address, 8));
        }
        out.add(new Toy.Jump(0));
        return out.toArray(Toy.Op[]::new);
    }

    private static Bench bench(String policy) {
        return new Bench(counting())
                .with("swap", Map.of("type", policy, "file", FILE, "limit", "1M"));
    }

    private static MemoryManagement memory(Bench bench) {
        return new Management(bench.vmm, bench.types).memory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"next-fit", "random", "pseudo-lru", "working-set"})
    void contentsSurviveWhateverGoes(String policy) throws Exception {
        try (Bench bench = bench(policy)) {
            Vm vm = bench.start();
            Random random = new Random(5);
            long[] model = new long[256];
            for (int i = 0; i < 4000; i++) { // like DMA, beside the guest
                int word = random.nextInt(model.length);
                long address = Bench.Board.HIGH + word * (Pages.PAGE + 8);
                if (random.nextBoolean()) {
                    model[word] = random.nextLong();
                    vm.memory().writeLong(address, model[word]);
                } else {
                    assertEquals(model[word], vm.memory().readLong(address));
                }
            }
            Bench.until(() -> vm.memory().readLong(FIRST) > 20);
            vm.pause();
            long last = Long.MAX_VALUE;
            for (int i = 0; i < PAGES; i++) {
                long count = vm.memory().readLong(FIRST + i * Pages.PAGE);
                assertTrue(count <= last && count >= last - 1 || i == 0, i + ": " + count);
                last = count;
            }
            for (int word = 0; word < model.length; word++) {
                assertEquals(
                        model[word],
                        vm.memory().readLong(Bench.Board.HIGH + word * (Pages.PAGE + 8)));
            }
            vm.resume();
            vm.pause();
            assertTrue(memory(bench).report(vm.id()).present() <= LIMIT);
            assertTrue(memory(bench).report(vm.id()).swapped() > 0);
            bench.vmm.destroy(vm.id());
            assertFalse(bench.host.files.contents.containsKey(FILE), "the file goes with the VM");
            assertEquals(0, bench.host.memory.bytesInUse(""));
        }
    }

    @Test
    void theHostGivesNoMoreThanTheLimitBeforeTheGuestNeedsIt() throws Exception {
        try (Bench bench = bench("next-fit")) {
            Vm vm = bench.create();
            assertTrue(bench.host.memory.bytesInUse("") <= SLACK, "nothing was touched yet");
            assertEquals(0, vm.memory().readLong(Bench.Board.HIGH + 0x10_0000), "it reads as zero");
        }
    }

    @Test
    void aLimitThatSinksHasPagesGo() throws Exception {
        try (Bench bench = bench("pseudo-lru")) {
            Vm vm = bench.start();
            memory(bench).swapLimit(vm.id(), 4 << 20);
            vm.pause();
            vm.memory().fill(0x20_0000, 2 << 20, 7);
            memory(bench).swapLimit(vm.id(), 1 << 20);
            assertTrue(memory(bench).report(vm.id()).present() <= LIMIT);
            assertEquals(7, vm.memory().readByte(0x3f_ffff));
            assertThrows(HostRefusal.class, () -> memory(bench).swapLimit(vm.id(), 4096));
        }
    }

    @Test
    void aBrokenDiskFailsThisVmAloneInOneLine() throws Exception {
        try (Bench bench = bench("random")) {
            Vm vm = bench.start();
            bench.with("name", "other").with("swap", "");
            Vm other = bench.start();
            bench.host.files.full = true;
            Bench.until(() -> vm.state() == VmState.FAILED);
            String reason = vm.end().orElseThrow().reason();
            assertTrue(reason.contains("swap file /swap: "), reason);
            assertEquals(1, reason.lines().count());
            assertEquals(VmState.RUNNING, other.state());
            bench.host.files.full = false;
        }
    }

    @Test
    void aSavedVmHasWhatIsOnTheFile() throws Exception {
        try (Bench bench = bench("next-fit")) {
            Vm vm = bench.start();
            Bench.until(() -> vm.memory().readLong(FIRST) > 2);
            vm.pause();
            String sum = RamSections.checksum(vm.machine().pages(), vm.physicalMap());
            bench.vmm.save(vm.id(), "/saved");
            Vm again = bench.vmm.get(bench.vmm.load("/saved", Map.of("name", "again", "swap", "")));
            assertEquals(sum, RamSections.checksum(again.machine().pages(), again.physicalMap()));
        }
    }

    @Test
    void aForkHasWhatIsOnTheFileUntilEitherWritesAndTheFileGoesWithTheLast() throws Exception {
        for (boolean parentFirst : new boolean[] {true, false}) {
            try (Bench bench = bench("pseudo-lru")) {
                Vm parent = bench.create();
                for (int i = 0; i < PAGES; i++) {
                    parent.memory().writeLong(FIRST + i * Pages.PAGE, 100 + i);
                }
                memory(bench).swapLimit(parent.id(), LIMIT); // what is beyond goes now
                long out = memory(bench).report(parent.id()).swapped();
                assertTrue(out > 0);
                SwapFile file = parent.machine().pages().swap().orElseThrow().file();
                int places = file.places();
                Vm copy = fork(bench, parent, "copy");
                Vm second = fork(bench, copy, "second");
                assertEquals(out, memory(bench).report(second.id()).swapped());
                assertEquals(places, file.places(), "places are shared");
                for (int i = 0; i < PAGES; i++) {
                    copy.memory().writeLong(FIRST + i * Pages.PAGE, 200 + i);
                    second.memory().writeLong(FIRST + i * Pages.PAGE, 300 + i);
                }
                bench.vmm.destroy((parentFirst ? parent : second).id());
                assertTrue(bench.host.files.contents.containsKey(FILE), "others have pages there");
                for (int i = 0; i < PAGES; i++) {
                    long address = FIRST + i * Pages.PAGE;
                    assertEquals(200 + i, copy.memory().readLong(address));
                    assertEquals(
                            (parentFirst ? 300 : 100) + i,
                            (parentFirst ? second : parent).memory().readLong(address));
                }
                bench.vmm.destroy((parentFirst ? second : parent).id());
                memory(bench).swapLimit(copy.id(), LIMIT);
                assertEquals(memory(bench).report(copy.id()).swapped() / Pages.PAGE, file.places());
                bench.vmm.destroy(copy.id());
                assertEquals(0, file.places());
                assertFalse(bench.host.files.contents.containsKey(FILE));
                assertEquals(0, bench.host.memory.bytesInUse(""));
            }
        }
    }

    @Test
    void aRunningVmWithSwapAndItsForkCountOnAndStayBelowTheirLimits() throws Exception {
        try (Bench bench = bench("next-fit")) {
            Vm parent = bench.start();
            Bench.until(() -> parent.memory().readLong(FIRST) > 5);
            Vm copy = fork(bench, parent, "copy");
            long from = copy.memory().readLong(FIRST);
            copy.resume();
            for (Vm vm : List.of(parent, copy)) {
                Bench.until(() -> vm.memory().readLong(FIRST) > from + 5);
                vm.pause();
                long last = Long.MAX_VALUE;
                for (int i = 0; i < PAGES; i++) {
                    long count = vm.memory().readLong(FIRST + i * Pages.PAGE);
                    assertTrue(count <= last && count >= last - 1 || i == 0, i + ": " + count);
                    last = count;
                }
                vm.resume();
                vm.pause();
                assertTrue(memory(bench).report(vm.id()).present() <= LIMIT, vm.name());
            }
        }
    }

    private static Vm fork(Bench bench, Vm parent, String name) throws HostRefusal {
        return bench.vmm.get(new Management(bench.vmm, bench.types).fork(parent.id(), name).vm());
    }

    @Test
    void wrongKeysAreRefusedAndNothingIsLeft() throws Exception {
        for (Map<String, String> wrong :
                List.of(
                        Map.of("type", "fifo", "file", FILE, "limit", "1M"),
                        Map.of("type", "random", "file", FILE),
                        Map.of("type", "random", "file", FILE, "limit", "much"),
                        Map.of("type", "random", "file", FILE, "limit", "4K"),
                        Map.of("type", "random", "file", "kernel", "limit", "1M"))) {
            try (Bench bench = new Bench(counting()).with("swap", wrong)) {
                String message = assertThrows(HostRefusal.class, bench::create).getMessage();
                assertTrue(String.valueOf(message).contains("swap"), message);
                assertFalse(bench.host.files.contents.containsKey(FILE));
                assertEquals(0, bench.host.memory.bytesInUse(""));
            }
        }
    }

    @Test
    void policiesTakeWhatTheyPromise() throws Exception {
        BitSet present = new BitSet();
        present.set(0, 10);
        BitSet used = new BitSet();
        used.set(0, 5);
        for (SwapPolicyType type : SwapPolicies.all()) {
            SwapPolicyType.SwapPolicy policy =
                    type.create(10, 1, Settings.check("", Schema.EMPTY, Map.of()));
            BitSet first = policy.choose(present, used, 5);
            assertEquals(5, first.cardinality(), type.name());
            if (type.name().equals("pseudo-lru") || type.name().equals("working-set")) {
                assertFalse(first.intersects(used), type.name());
            }
            BitSet all = policy.choose(present, new BitSet(), 10);
            assertEquals(present, all, type.name());
        }
    }
}
