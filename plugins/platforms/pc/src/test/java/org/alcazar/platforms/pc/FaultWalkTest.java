package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.tck.FaultyHost;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.core.PluginTypes;
import org.alcazar.vmm.core.Vmm;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Whole lives of a VM, again and again, and in each the host fails at one call more, until there is
 * no such call left: at every single one the VMM says what is wrong, once, in a line; knows the
 * state of the VM; and gives back all that it holds. For each host of the test class path: a new
 * one is a line in the pom.
 */
@Timeout(100)
class FaultWalkTest {
    /**
     * In real mode: the 8259 with IRQ 0 alone; {@code a} to COM1; counter 0 of the 8254 once, in
     * mode 0; halt; its handler writes {@code t}; then {@code z}, and 3 to the debug exit.
     */
    private static final byte[] ENDS =
            HexFormat.of()
                    .parseHex(
                            "fa31c08ed88ed0bc007cc7068000487cc70682000000b011e620b020e621b004e621b0"
                                    + "01e621b0fee621baf803b061eeb030e643b064e64030c0e640fbf4b07aeeb003e6f4"
                                    + "f4ebfdb074eeb020e620cf");

    /** The same with the 8254 in mode 2, every 55 ms of guest time, and a loop behind the 1 MiB. */
    private static final byte[] GOES_ON = goesOn();

    /** Calls that a VM does without, some or always; all others are an error. */
    private static final Set<String> DONE_WITHOUT =
            Set.of(
                    "HostMemory.allocate", // of a large piece: smaller ones will do
                    "HostConsoles.Console.flush", // at the end, with a warning
                    "HostKernel.find(HostPrimitives)",
                    "HostKernel.find(HostNotes)");

    private static final Pattern CONSEQUENCE =
            Pattern.compile("VM walk (has ended|the VM has ended|is (failed|about to end); .*)");

    private static final long MEMORY = 64 << 20;

    @TempDir private static Path folder;
    private static PluginTypes types;

    /** A life: what is done with the VMM, and how it ends if nothing fails. */
    private record Life(String name, String clock, int cpus, byte[] guest, Steps steps) {
        @Override
        public String toString() {
            return name + " on the clock of " + clock;
        }
    }

    private interface Steps {
        void run(Vmm vmm, Map<String, Object> configuration, BlockingQueue<VmState> states)
                throws HostRefusal, InterruptedException, Ended;
    }

    /** The VM came to a state that the life does not go on from. */
    private static final class Ended extends Exception {
        private static final long serialVersionUID = 1L;
    }

    private static final List<Life> LIVES =
            List.of(
                    new Life("boot", "instructions", 1, ENDS, FaultWalkTest::boot),
                    new Life("boot", "host", 2, ENDS, FaultWalkTest::boot),
                    new Life("long life", "instructions", 1, GOES_ON, FaultWalkTest::longLife),
                    new Life("long life", "host", 2, GOES_ON, FaultWalkTest::longLife));

    private static byte[] goesOn() {
        byte[] guest = ENDS.clone();
        for (int i = 0; i + 1 < guest.length; i++) {
            if (guest[i] == (byte) 0xb0 && guest[i + 1] == 0x30) {
                guest[i + 1] = 0x34; // mode 2
            } else if (guest[i] == (byte) 0xb0 && guest[i + 1] == 100) {
                guest[i + 1] = 0; // the longest period
            } else if (guest[i] == (byte) 0xe6 && guest[i + 1] == (byte) 0xf4) {
                guest[i] = (byte) 0x90; // nop: it never ends
                guest[i + 1] = (byte) 0x90;
            }
        }
        return guest;
    }

    @BeforeAll
    static void readTypes() throws Exception {
        types = FlatTypes.all();
    }

    static Stream<FlatHost> hosts() throws IOException {
        return FlatHost.all().stream();
    }

    private static Map<String, Object> configuration(Life life) throws IOException {
        Path kernel = Files.write(folder.resolve("guest.bin"), life.guest());
        return Map.of(
                "name", "walk",
                "platform", "pc",
                "engine", "interpreter",
                "memory", "8M",
                "cpus", (long) life.cpus(),
                "clock", life.clock(),
                "console", "file:" + folder.resolve("console"),
                "kernel", kernel.toString(),
                "loader", "raw",
                "address", "0x7c00");
    }

    /** From nothing to the guest's own end. */
    private static void boot(
            Vmm vmm, Map<String, Object> configuration, BlockingQueue<VmState> states)
            throws HostRefusal, InterruptedException, Ended {
        int id = vmm.create(configuration);
        vmm.start(id);
        await(states, VmState.STOPPED);
        vmm.statistics(id);
        vmm.destroy(id);
    }

    /** All that can be asked of a VM from outside. */
    private static void longLife(
            Vmm vmm, Map<String, Object> configuration, BlockingQueue<VmState> states)
            throws HostRefusal, InterruptedException, Ended {
        String file = folder.resolve("saved").toString();
        int first = vmm.create(configuration);
        vmm.simulate(first, 2_000_000);
        await(states, VmState.PAUSED);
        vmm.save(first, file);
        vmm.resume(first);
        if (configuration.get("clock").equals("host")) {
            vmm.moveCore(first, 0, 0);
        }
        vmm.reset(first);
        vmm.stopCore(first, 0);
        vmm.startCore(first, 0);
        vmm.pause(first);
        vmm.stop(first);
        vmm.destroy(first);
        int second = vmm.load(file, Map.of());
        vmm.resume(second);
        vmm.pause(second);
        vmm.simulate(second, 60_000_000); // beyond the next tick
        await(states, VmState.PAUSED);
        vmm.stop(second);
        vmm.destroy(second);
    }

    /** The next state but those on the way. */
    private static void await(BlockingQueue<VmState> states, VmState wanted)
            throws InterruptedException, Ended {
        VmState state = states.take();
        while (state != wanted) {
            if (state == VmState.FAILED) {
                throw new Ended();
            }
            state = states.take();
        }
        states.clear();
    }

    @ParameterizedTest
    @FieldSource("LIVES")
    void everyFailureOfAHostIsToldOnceAndLeavesNothing(Life life) throws Exception {
        for (FlatHost host : hosts().toList()) {
            Map<String, Integer> seen = new HashMap<>();
            try (FlatHost.Open open = host.open(MEMORY)) {
                FaultyHost faulty = new FaultyHost(open.kernel());
                long call = 0;
                String failed;
                do {
                    failed = walk(host, life, faulty, ++call);
                    seen.merge(failed, 1, Integer::sum);
                } while (!failed.isEmpty());
            }
            assertTrue(
                    seen.keySet().containsAll(expected(life)),
                    () -> host + ", " + life + " did not come by all calls: " + seen);
        }
    }

    private static Set<String> expected(Life life) {
        Set<String> all =
                new TreeSet<>(
                        Set.of(
                                "HostProcessors.start",
                                "HostMemory.allocate",
                                "HostClock.timer",
                                "HostTimer.arm",
                                "HostKernel.find(HostFiles)",
                                "HostKernel.find(HostConsoles)",
                                "HostFiles.read",
                                "InputStream.read",
                                "HostConsoles.open",
                                "HostConsoles.Console.onInput",
                                "HostConsoles.Console.write",
                                "HostConsoles.Console.flush"));
        if (life.name().startsWith("long")) {
            all.addAll(Set.of("HostFiles.write", "OutputStream.write"));
        }
        return all;
    }

    /** One life, in which one call fails; which one. */
    private static String walk(FlatHost host, Life life, FaultyHost faulty, long call)
            throws Exception {
        List<String> errors = new ArrayList<>();
        BlockingQueue<VmState> states = new LinkedBlockingQueue<>();
        faulty.failAt(call);
        Vmm vmm = new Vmm(faulty, types);
        String failed;
        try {
            vmm.listen((vm, from, to) -> states.add(to));
            try {
                life.steps().run(vmm, configuration(life), states);
            } catch (HostRefusal e) {
                errors.add(String.valueOf(e.getMessage()));
            } catch (Ended e) {
                // Its reason is looked at below.
            }
            failed = faulty.failed();
            faulty.failAt(Long.MAX_VALUE);
            endAll(vmm, errors);
        } finally {
            vmm.close();
        }
        String where = host + ", " + life + ", call " + call + ": " + failed;
        assertEquals(List.of(), vmm.all(), where);
        assertEquals(List.of(), faulty.held(), where);
        assertEquals(0, faulty.memory().bytesInUse(""), where);
        assertTold(failed, errors, where);
        return failed;
    }

    /** What is left has a state that it can be ended from, and tells why it ended if it has. */
    private static void endAll(Vmm vmm, List<String> errors) throws HostRefusal {
        for (VirtualMachine vm : vmm.all()) {
            vmm.stop(vm.id());
            List<String> reasons = new ArrayList<>();
            vmm.onEnd(vm.id(), end -> reasons.add(end.status() + " " + end.reason()));
            assertEquals(1, reasons.size(), "it has not ended");
            if (vm.state() == VmState.FAILED) {
                // What was asked of it afterwards was refused for that, and says so.
                errors.removeIf(error -> CONSEQUENCE.matcher(error).matches());
                errors.add(reasons.getFirst());
            }
            vmm.destroy(vm.id());
        }
    }

    private static void assertTold(String failed, List<String> errors, String where) {
        if (failed.isEmpty() || errors.isEmpty()) {
            assertEquals(List.of(), errors, where);
            assertTrue(failed.isEmpty() || DONE_WITHOUT.contains(failed), where + " is not told");
            return;
        }
        assertEquals(1, errors.size(), () -> where + ": " + errors);
        String error = errors.getFirst();
        assertEquals(1, error.lines().count(), () -> where + ": " + error);
        String what = failed.startsWith("HostKernel.find(Host") ? " has no " : failed;
        assertTrue(error.contains(what), () -> where + ": " + error);
    }
}
