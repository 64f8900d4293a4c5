package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.PageEntry;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Space;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.WriteWatcher;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

class WriteWatchTest {
    private static final long PAGE = Pages.PAGE;

    /** Watches one page and refuses writes where it is told to. */
    private static final class Guard implements ExtensionType, WriteWatcher {
        final List<String> seen = new CopyOnWriteArrayList<>();
        final List<ExtensionContext> contexts = new ArrayList<>();
        final List<Hook> hooks = new ArrayList<>();
        volatile long refused = 0x5010;

        @Override
        public String name() {
            return "guard";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public Extension create(ExtensionContext context, Settings settings)
                throws ConfigurationException {
            contexts.add(context);
            hooks.add(context.watchWrites(0x5000, PAGE, this));
            return new Extension() {
                @Override
                public SavedState save() {
                    return new SavedState("guard", 1);
                }

                @Override
                public void restore(SavedState state) {
                    state.require("guard", 1);
                }
            };
        }

        @Override
        public boolean write(Vcore vcore, long address, int bytes) {
            seen.add("%d %x %d".formatted(vcore.index(), address, bytes));
            return address != refused;
        }
    }

    private static Toy.Op write(long address) {
        return new Toy.Write(Space.MEMORY, address, 8);
    }

    private final Guard guard = new Guard();

    private Bench bench(Toy.Op... program) {
        Bench bench = new Bench(program).with("extensions", List.of(Map.of("type", "guard")));
        bench.types.add(ExtensionType.class, guard, 1);
        return bench;
    }

    @Test
    void aWatcherSeesEachWriteBeforeItIsDoneAndMayRefuseIt() throws Exception {
        Toy.Op[] program = {
            new Toy.Set(6),
            write(0x5008),
            new Toy.Set(7),
            write(0x5010),
            new Toy.Set(9),
            write(0x5018),
            new Toy.Set(3),
            write(0x6008),
            new Toy.Read(Space.MEMORY, 0x5008, 8),
            new Toy.Die()
        };
        try (Bench bench = bench(program)) {
            Vm vm = bench.start();
            bench.end();
            assertEquals(List.of("0 5008 8", "0 5010 8", "0 5018 8"), guard.seen);
            assertEquals(6, vm.memory().readLong(0x5008));
            assertEquals(0, vm.memory().readLong(0x5010), "that was refused");
            assertEquals(9, vm.memory().readLong(0x5018));
            assertEquals(3, vm.memory().readLong(0x6008));
            assertEquals(6, Bench.register(vm, 0, Toy.ACC));
            bench.vmm.destroy(vm.id());
            assertEquals(0, bench.host.memory.bytesInUse(""));
        }
    }

    @Test
    void theRestOfTheMachineIsNotWatched() throws Exception {
        try (Bench bench = bench(new Toy.Halt())) {
            Vm vm = bench.create();
            vm.memory().writeLong(0x5008, 5);
            assertEquals(5, vm.memory().readLong(0x5008));
            assertTrue(guard.seen.isEmpty(), guard.seen::toString);
        }
    }

    @Test
    void aPageIsProtectedUntilTheLastWatcherIsGone() throws Exception {
        try (Bench bench = bench(new Toy.Halt())) {
            Vm vm = bench.create();
            Hook second = guard.contexts.getFirst().watchWrites(0x5000, 2 * PAGE, guard);
            assertTrue(isProtected(vm, 0x5000) && isProtected(vm, 0x6000));
            assertFalse(isProtected(vm, 0x4000) || isProtected(vm, 0x7000));
            guard.hooks.getFirst().close();
            assertTrue(isProtected(vm, 0x5000));
            second.close();
            assertFalse(isProtected(vm, 0x5000) || isProtected(vm, 0x6000));
        }
    }

    private static boolean isProtected(Vm vm, long page) {
        return (vm.physicalMap().entry(page) & PageEntry.PROTECTED) != 0;
    }

    @Test
    void writesThatRunAreCaughtFromTheMomentOn() throws Exception {
        Toy.Op[] counting = {
            new Toy.Read(Space.MEMORY, 0x8000, 8),
            new Toy.Add(1),
            new Toy.Write(Space.MEMORY, 0x8000, 8),
            new Toy.Jump(0)
        };
        try (Bench bench = bench(counting)) {
            Vm vm = bench.start();
            Bench.until(() -> vm.memory().readLong(0x8000) > 100);
            Hook hook = guard.contexts.getFirst().watchWrites(0x8000, PAGE, guard);
            Bench.until(() -> guard.seen.size() > 3);
            long then = vm.memory().readLong(0x8000);
            Bench.until(() -> vm.memory().readLong(0x8000) > then);
            guard.refused = 0x8000;
            int before = guard.seen.size();
            Bench.until(() -> guard.seen.size() > before + 2);
            long kept = vm.memory().readLong(0x8000);
            Bench.until(() -> guard.seen.size() > before + 5);
            assertEquals(kept, vm.memory().readLong(0x8000));
            hook.close();
            long from = vm.memory().readLong(0x8000);
            Bench.until(() -> vm.memory().readLong(0x8000) > from + 100);
        }
    }

    @Test
    void aForkIsWatchedByItsOwnExtensionOnly() throws Exception {
        Toy.Op[] program = {new Toy.Halt()};
        try (Bench bench = bench(program)) {
            Vm vm = bench.create();
            Hook more = guard.contexts.getFirst().watchWrites(0x9000, PAGE, guard);
            int made = new Management(bench.vmm, bench.types).fork(vm.id(), "copy").vm();
            Vm copy = bench.vmm.get(made);
            assertTrue(isProtected(copy, 0x5000), "its own extension");
            assertFalse(isProtected(copy, 0x9000), "its parent's");
            assertTrue(isProtected(vm, 0x9000));
            copy.memory().writeLong(0x5008, 4);
            assertTrue(isProtected(copy, 0x5000), "when it was copied");
            more.close();
        }
    }

    @Test
    void whatIsNoRamIsRefused() throws Exception {
        try (Bench bench = bench(new Toy.Halt())) {
            bench.create();
            for (long[] wrong :
                    new long[][] {
                        {0, 0}, {-4096, 4096}, {0, 8}, {Bench.Board.HOLE - PAGE, 2 * PAGE}
                    }) {
                assertThrows(
                        ConfigurationException.class,
                        () -> guard.contexts.getFirst().watchWrites(wrong[0], wrong[1], guard));
            }
        }
    }
}
