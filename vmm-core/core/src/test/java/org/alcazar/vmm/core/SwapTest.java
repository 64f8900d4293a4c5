package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.device.Backend;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.device.Handover;
import org.alcazar.vmm.management.SwapReport;
import org.alcazar.vmm.management.VmEvent;
import org.alcazar.vmm.management.VmManagement;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntConsumer;

/** Types are exchanged for newer ones under running VMs, or not at all. */
class SwapTest {
    private static final int PORT = 0x90;
    private static final Toy.Op[] POLLS = {Toy.in(PORT, 4), new Toy.Jump(0)};
    private static final long OLD = 10, NEW = 20;

    /** A register that counts its reads, a wire, a timer, and input from a backend. */
    private static final class Gadget implements Device, BusDevice {
        final GadgetType type;
        final InterruptLine line;
        final GuestTimer timer;
        final List<Object> handed = new ArrayList<>();
        volatile int count;
        long deadline;
        boolean high;
        boolean closed;

        /** It has the file. */
        boolean holds;

        Gadget(GadgetType type, DeviceContext context) throws ConfigurationException {
            this.type = type;
            holds = type.version.equals("old");
            line = context.interruptLine(5);
            timer = context.clock().timer("tick", () -> type.fired.add(this));
            context.hookPorts(PORT, 4, this);
            CharacterBackend backend = context.characterBackend("console");
            backend.onInput(octet -> type.input.add((char) octet + type.version));
        }

        @Override
        public long read(long offset, Width width) {
            context().increment();
            return ++count;
        }

        private org.alcazar.vmm.Counter context() {
            return type.reads;
        }

        @Override
        public void write(long offset, Width width, long value) {}

        @Override
        public void reset() {}

        void raise() {
            high = true;
            line.set(true);
        }

        void arm(long at) {
            deadline = at;
            timer.arm(at);
        }

        @Override
        public SavedState save() {
            type.fail("save");
            return new SavedState("gadget", type.saves)
                    .put("count", count)
                    .put("high", high)
                    .put("deadline", deadline);
        }

        @Override
        public void restore(SavedState state) {
            type.restores++;
            type.fail("restore" + type.restores);
            state.require("gadget", type.saves);
            count = state.getInt("count");
            high = state.getBoolean("high");
            line.set(high);
            deadline = state.getLong("deadline");
            if (deadline != 0) {
                timer.arm(deadline);
            }
        }

        @Override
        public void handOver(Handover to) {
            if (holds) {
                to.give("file", "open by " + type.version);
                holds = false;
            }
        }

        @Override
        public void takeOver(Handover from) {
            type.fail("takeOverAtOnce");
            from.take("file", String.class)
                    .ifPresent(file -> {
                        handed.add(file);
                        holds = true;
                    });
            type.fail("takeOver");
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private static final class GadgetType implements DeviceType {
        final String version;
        final List<Gadget> made = new CopyOnWriteArrayList<>();
        final List<Gadget> fired = new CopyOnWriteArrayList<>();
        final List<String> input = new CopyOnWriteArrayList<>();
        final org.alcazar.vmm.Counter reads = new org.alcazar.vmm.Counter();
        volatile String failsAt = "";
        int saves = 1;
        int restores;

        GadgetType(String version) {
            this.version = version;
        }

        void fail(String here) {
            if (here.equals(failsAt)) {
                throw new IllegalStateException("broken in " + here);
            }
        }

        @Override
        public String name() {
            return "gadget";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public SavedState migrate(SavedState state) {
            return state.version() < saves
                    ? new SavedState(state.type(), saves)
                            .put("count", state.getInt("count"))
                            .put("high", state.getBoolean("high"))
                            .put("deadline", state.getLong("deadline"))
                    : state;
        }

        @Override
        public Device create(DeviceContext context, Settings settings)
                throws ConfigurationException {
            fail("create");
            Gadget gadget = new Gadget(this, context);
            if (failsAt.equals("hook")) {
                context.hookPorts(0x500, 1, gadget);
            }
            made.add(gadget);
            return gadget;
        }

        Gadget last() {
            return made.getLast();
        }
    }

    private final GadgetType before = new GadgetType("old");
    private final GadgetType after = new GadgetType("new");

    private Bench bench(Toy.Op... program) {
        Bench bench = new Bench(program);
        bench.types.add(DeviceType.class, before, OLD, "gadgets 1");
        bench.board.devices.add(
                new org.alcazar.vmm.plugin.PlatformType.DeviceSpec("gadget", "g", Map.of()));
        return bench;
    }

    private static List<SwapReport.Exchange> swap(
            Bench bench, Set<? extends PluginType> ending, long to) throws HostRefusal {
        Set<PluginType> ends = Set.copyOf(ending);
        return bench.vmm.exchange(Exchanges.of(bench.types, ends, to)).exchanges();
    }

    private List<SwapReport.Exchange> swap(Bench bench) throws HostRefusal {
        bench.types.add(DeviceType.class, after, NEW, "gadgets 2");
        return swap(bench, Set.of(before), NEW);
    }

    private static void awaitReads(Gadget gadget) {
        int from = gadget.count;
        Bench.until(() -> gadget.count > from + 1000);
    }

    private static String lastEvent(Bench bench, Vm vm) {
        VmEvent event = bench.vmm.history().of(vm.id()).getLast();
        return event.kind() + " " + event.text();
    }

    @Test
    void aDeviceIsExchangedUnderARunningGuestAndNoAccessIsLost() throws Exception {
        try (Bench bench = bench(POLLS)) {
            Vm vm = bench.start();
            awaitReads(before.last());
            List<SwapReport.Exchange> done = swap(bench);
            assertEquals(1, done.size());
            assertEquals(List.of("g"), done.getFirst().parts());
            assertEquals("swap g", lastEvent(bench, vm));
            assertTrue(done.getFirst().pauseNanos() >= 0);
            awaitReads(after.last());
            vm.pause();
            long all = before.reads.value() + after.reads.value();
            assertEquals(all, after.last().count);
            assertTrue(before.last().closed && !after.last().closed);
            assertEquals(
                    all, new Management(bench.vmm, bench.types).hooks(vm.id()).getFirst().reads());
            assertEquals(List.of("open by old"), after.last().handed);
            assertEquals(NEW, vm.machine().devices().parts().getFirst().bundle());
        }
    }

    @Test
    void wiresTimersAndInputGoOnWithTheSuccessor() throws Exception {
        List<Boolean> levels = new CopyOnWriteArrayList<>();
        try (Bench bench = bench(POLLS)) {
            bench.device("controller", context -> context.interruptInput(5, levels::add));
            Vm vm = bench.start();
            vm.underBarrier(() -> {
                before.last().raise();
                before.last().arm(1_000_000);
                return vm;
            });
            assertEquals(List.of(true), levels);
            swap(bench);
            assertEquals(List.of(true), levels, "no edge at an exchange");
            bench.host.consoles.type("x");
            bench.host.clock.advance(2_000_000);
            Bench.until(() -> !after.fired.isEmpty() && !after.input.isEmpty());
            assertEquals(List.of("xnew"), after.input);
            assertEquals(List.of(after.last()), after.fired);
            assertEquals(List.of(), before.fired);
            assertEquals(List.of(), before.input);
        }
    }

    @Test
    void aSuccessorThatFailsAnywhereIsDroppedAndTheOldOneGoesOn() throws Exception {
        List<String> places =
                List.of("create", "restore1", "restore2", "takeOver", "takeOverAtOnce", "hook");
        for (String at : places) {
            GadgetType old = new GadgetType("old");
            GadgetType bad = new GadgetType("bad");
            bad.failsAt = at;
            try (Bench bench = new Bench(POLLS)) {
                bench.types.add(DeviceType.class, old, OLD);
                bench.types.add(DeviceType.class, bad, NEW, "bad 2");
                // The older one wins only where it is asked for by the plan.
                bench.types.remove(bad);
                bench.board.devices.add(
                        new org.alcazar.vmm.plugin.PlatformType.DeviceSpec(
                                "gadget", "g", Map.of()));
                bench.device("taken", context -> context.hookPorts(0x500, 1, nothing()));
                Vm vm = bench.start();
                vm.underBarrier(() -> {
                    old.last().arm(1_000_000);
                    return vm;
                });
                bench.types.add(DeviceType.class, bad, NEW, "bad 2");
                String message =
                        String.valueOf(
                                assertThrows(
                                                HostRefusal.class,
                                                () -> swap(bench, Set.of(old), NEW),
                                                at)
                                        .getMessage());
                assertEquals(1, message.lines().count(), message);
                assertTrue(
                        message.contains(at.equals("hook") ? "0x500" : "broken in " + at), message);
                awaitReads(old.last());
                assertEquals(1, old.made.size(), at);
                assertFalse(old.last().closed, at);
                bad.made.forEach(gadget -> assertTrue(gadget.closed, at));
                bench.host.consoles.type("x");
                bench.host.clock.advance(2_000_000);
                Bench.until(() -> !old.fired.isEmpty() && !old.input.isEmpty());
                assertEquals(List.of(), bad.input, at);
                if (at.equals("takeOver")) {
                    assertEquals(List.of("open by bad"), old.last().handed, "given back");
                } else if (at.equals("takeOverAtOnce")) {
                    assertEquals(List.of("open by old"), old.last().handed, "never taken");
                }
                vm.pause();
                assertEquals(old.reads.value(), old.last().count, at);
            }
        }
    }

    private static BusDevice nothing() {
        return new BusDevice() {
            @Override
            public long read(long offset, Width width) {
                return 0;
            }

            @Override
            public void write(long offset, Width width, long value) {}
        };
    }

    @Test
    void aPartThatCannotBeSavedIsNotExchanged() throws Exception {
        try (Bench bench = bench(POLLS)) {
            bench.start();
            before.failsAt = "save";
            String message =
                    String.valueOf(assertThrows(HostRefusal.class, () -> swap(bench)).getMessage());
            assertTrue(message.contains("save of device g") && message.contains("gadgets 1"));
            before.failsAt = "";
            awaitReads(before.last());
        }
    }

    @Test
    void olderStatesAreMigratedAndUnknownOnesRefused() throws Exception {
        try (Bench bench = bench(POLLS)) {
            bench.start();
            after.saves = 2;
            swap(bench);
            awaitReads(after.last());
            GadgetType ancient = new GadgetType("ancient");
            bench.types.add(DeviceType.class, ancient, 30);
            HostRefusal refusal =
                    assertThrows(HostRefusal.class, () -> swap(bench, Set.of(after), 30));
            assertTrue(
                    refusal.getCause() == null
                            || deepest(refusal) instanceof IncompatibleStateException);
            awaitReads(after.last());
        }
    }

    private static Throwable deepest(Throwable e) {
        return e.getCause() == null ? e : deepest(e.getCause());
    }

    @Test
    void ifOneOfTwoVmsCannotGoAlongBothKeepTheOld() throws Exception {
        try (Bench bench = bench(POLLS)) {
            bench.start();
            bench.with("name", "second").start();
            before.made.forEach(gadget -> gadget.arm(1_000_000));
            after.saves = 2; // the old version could not read it
            after.failsAt = "restore4"; // two trials, the first VM, then the second
            HostRefusal refusal = assertThrows(HostRefusal.class, () -> swap(bench));
            assertTrue(refusal.toString().contains("broken in restore4"), refusal::toString);
            assertEquals(2, before.made.size(), "the old ones go on");
            before.made.forEach(SwapTest::awaitReads);
            assertFalse(before.made.stream().anyMatch(gadget -> gadget.closed));
            assertTrue(after.made.stream().allMatch(gadget -> gadget.closed));
            assertEquals(List.of("open by new"), before.made.getFirst().handed);
            bench.host.clock.advance(2_000_000);
            Bench.until(() -> before.fired.size() == 2);
            assertEquals(List.of(), after.fired);
        }
    }

    @Test
    void engineAndPagingModeAreExchangedBetweenTwoRuns() throws Exception {
        Toy.Op[] program = {
            new Toy.Set(500_000), new Toy.Loop(1), new Toy.Write(0, 0x1000, 4), new Toy.Jump(0)
        };
        try (Bench bench = new Bench(program).with("cpus", 2)) {
            Vm vm = bench.start();
            Toy.ToyEngineType engine = new Toy.ToyEngineType(program);
            Toy.ToyPagingType paging = new Toy.ToyPagingType();
            Set<PluginType> old =
                    Set.of(
                            vm.machine().engines().engineType(),
                            vm.machine().engines().pagingType());
            long memory = bench.host.memory.bytesInUse("");
            bench.types.add(EngineType.class, engine, NEW);
            bench.types.add(PagingModeType.class, paging, NEW);
            Toy.ToyEngine gone = (Toy.ToyEngine) vm.machine().engines().engine();
            long retired = vm.vcores().getFirst().retired();
            List<SwapReport.Exchange> done = swap(bench, old, NEW);
            assertEquals(List.of("engine", "paging"), done.getFirst().parts());
            assertSame(engine, vm.machine().engines().engineType());
            assertSame(paging, vm.machine().engines().pagingType());
            assertTrue(gone.closed);
            assertEquals(memory, bench.host.memory.bytesInUse(""), "old tables are given back");
            Bench.until(() -> vm.vcores().getFirst().retired() > retired + 1_000_000);
        }
    }

    @Test
    void anotherEngineOrPagingModeTakesOverAtAWord() throws Exception {
        Toy.Op[] program = {new Toy.Add(1), new Toy.Write(0, 0x1000, 4), new Toy.Jump(0)};
        try (Bench bench = new Bench(program)) {
            bench.types.add(
                    EngineType.class,
                    new Toy.ToyEngineType(program) {
                        @Override
                        public String name() {
                            return "other";
                        }

                        @Override
                        public Schema configuration() {
                            return Schema.EMPTY; // no seed, which the first one has
                        }
                    },
                    NEW);
            bench.types.add(
                    PagingModeType.class,
                    new Toy.ToyPagingType() {
                        @Override
                        public String name() {
                            return "flatter";
                        }
                    },
                    NEW);
            bench.with("engine", "toy").with("paging", "flat");
            Vm vm = bench.start();
            VmManagement management = new Management(bench.vmm, bench.types);
            long memory = bench.host.memory.bytesInUse("");
            bench.host.clock.step = 7;
            assertTrue(management.engine(vm.id(), "other") > 0);
            assertTrue(management.paging(vm.id(), "flatter", Map.of()) > 0);
            assertEquals("other", vm.machine().engines().engineType().name());
            assertEquals("flatter", vm.machine().engines().pagingType().name());
            assertEquals(memory, bench.host.memory.bytesInUse(""));
            assertEquals("swap paging flatter", lastEvent(bench, vm));
            long retired = vm.vcores().getFirst().retired();
            Bench.until(() -> vm.vcores().getFirst().retired() > retired + 1000);
            assertThrows(HostRefusal.class, () -> management.engine(vm.id(), "nobody"));
            assertThrows(HostRefusal.class, () -> management.paging(vm.id(), "nobody", Map.of()));
            bench.vmm.stop(vm.id());
            String late =
                    assertThrows(
                                    HostRefusal.class,
                                    () -> management.paging(vm.id(), "flat", Map.of()))
                            .getMessage();
            assertTrue(String.valueOf(late).contains("has ended"), late);
        }
    }

    @Test
    void whoIsConnectedWithAnExchangedPartIsConnectedAnew() throws Exception {
        interface Bus {
            String version();
        }
        List<String> seen = new CopyOnWriteArrayList<>();
        DeviceType old = offering(Bus.class, () -> "old");
        DeviceType young = offering(Bus.class, () -> "new");
        try (Bench bench = new Bench(new Toy.Jump(0))) {
            bench.types.add(DeviceType.class, old, OLD);
            bench.board.devices.add(
                    new org.alcazar.vmm.plugin.PlatformType.DeviceSpec("bus", "bus", Map.of()));
            bench.device(
                    "user",
                    context ->
                            context.require(
                                    Bus.class,
                                    bus -> {
                                        seen.add("+" + bus.version());
                                        return () -> seen.add("-" + bus.version());
                                    }));
            Vm vm = bench.start();
            bench.types.add(DeviceType.class, young, NEW);
            swap(bench, Set.of(old), NEW);
            assertEquals(List.of("+old", "-old", "+new"), seen);
            Management management = new Management(bench.vmm, bench.types);
            HostRefusal refusal =
                    assertThrows(HostRefusal.class, () -> management.detach(vm.id(), "bus"));
            assertTrue(String.valueOf(refusal.getMessage()).contains("needed by user"));
            management.detach(vm.id(), "user");
            management.detach(vm.id(), "bus");
            assertEquals(List.of("+old", "-old", "+new", "-new"), seen);
        }
    }

    private static <T> DeviceType offering(Class<T> role, T service) {
        return new Bench.FakeDeviceType(
                "bus",
                (context, settings) -> {
                    context.provide(role, service);
                    return new Bench.Plain();
                });
    }

    /** A backend that says which version it is. */
    private record WordType(String version, List<String> log) implements BackendType {
        @Override
        public String name() {
            return "word";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public Backend open(HostKernel host, Settings settings) {
            log.add("open " + version);
            return new Word(version, log);
        }

        @Override
        public Backend takeOver(HostKernel host, Settings settings, Handover from)
                throws HostRefusal {
            if (version.equals("bad")) {
                throw new HostRefusal("no room");
            }
            log.add(from.take("word", String.class).orElse("nothing") + " to " + version);
            return new Word(version, log);
        }
    }

    private record Word(String version, List<String> log) implements CharacterBackend {
        @Override
        public void write(int octet) {
            log.add((char) octet + version);
        }

        @Override
        public void flush() {}

        @Override
        public void onInput(IntConsumer sink) {}

        @Override
        public void handOver(Handover to) {
            to.give("word", version);
        }

        @Override
        public void close() {
            log.add("close " + version);
        }
    }

    @Test
    void whatStandsBehindABackendIsExchanged() throws Exception {
        List<String> log = new CopyOnWriteArrayList<>();
        WordType old = new WordType("old", log);
        List<CharacterBackend> opened = new ArrayList<>();
        try (Bench bench = new Bench(new Toy.Jump(0))) {
            bench.types.add(BackendType.class, old, OLD);
            bench.device("d", context -> opened.add(context.characterBackend("word")));
            bench.start();
            bench.types.add(BackendType.class, new WordType("bad", log), NEW);
            assertThrows(HostRefusal.class, () -> swap(bench, Set.of(old), NEW));
            opened.getFirst().write('a');
            bench.types.add(BackendType.class, new WordType("new", log), 30);
            assertEquals(List.of("backend word"), swap(bench, Set.of(old), 30).getFirst().parts());
            opened.getFirst().write('b');
        }
        assertEquals(
                List.of(
                        "open old",
                        "old to old",
                        "close old",
                        "aold",
                        "old to new",
                        "close old",
                        "bnew",
                        "close new"),
                log);
    }

    @Test
    void anExtensionIsExchangedAroundTheRunsOfVcores() throws Exception {
        List<String> entries = new CopyOnWriteArrayList<>();
        ExtensionType old = tracer("old", entries);
        ExtensionType young = tracer("new", entries);
        try (Bench bench = new Bench(Toy.in(PORT, 4), new Toy.Jump(0))) {
            bench.types.add(ExtensionType.class, old, OLD);
            bench.with("extensions", List.of("tracer"));
            bench.start();
            Bench.until(() -> entries.contains("old"));
            bench.types.add(ExtensionType.class, young, NEW);
            assertEquals(List.of("tracer"), swap(bench, Set.of(old), NEW).getFirst().parts());
            Bench.until(() -> entries.getLast().equals("new"));
        }
    }

    private static ExtensionType tracer(String version, List<String> entries) {
        return new ExtensionType() {
            @Override
            public String name() {
                return "tracer";
            }

            @Override
            public String description() {
                return "for tests";
            }

            @Override
            public Extension create(ExtensionContext context, Settings settings) {
                return new Extension() {
                    @Override
                    public void onEntry(org.alcazar.vmm.Vcore vcore) {
                        if (entries.isEmpty() || !entries.getLast().equals(version)) {
                            entries.add(version);
                        }
                    }

                    @Override
                    public SavedState save() {
                        return new SavedState("tracer", 1);
                    }

                    @Override
                    public void restore(SavedState state) {
                        state.require("tracer", 1);
                    }
                };
            }
        };
    }

    @Test
    void whenATypeGoesEachVmFollowsItsPolicy() throws Exception {
        for (String policy : StopPolicy.NAMES) {
            GadgetType old = new GadgetType("old");
            try (Bench bench = new Bench(POLLS).with(StopPolicy.KEY, policy)) {
                bench.types.add(DeviceType.class, old, OLD, "gadgets 1");
                bench.with("devices", List.of(Map.of("type", "gadget", "name", "g")));
                Vm vm = bench.start();
                awaitReads(old.last());
                Withdrawal withdrawal = bench.vmm.withdrawal();
                if (policy.equals("refuse")) {
                    HostRefusal refusal =
                            assertThrows(
                                    HostRefusal.class,
                                    () -> withdrawal.check("gadgets", Set.of(old)));
                    assertTrue(String.valueOf(refusal.getMessage()).contains(vm.name() + "/g"));
                } else {
                    withdrawal.check("gadgets", Set.of(old));
                }
                bench.types.remove(old);
                bench.vmm.gone(old);
                assertEquals(policy.equals("pause") ? VmState.PAUSED : VmState.RUNNING, vm.state());
                assertEquals(policy.equals("unplug"), old.last().closed);
                String told = lastEvent(bench, vm);
                assertTrue(told.startsWith("bundle the bundle of g was stopped; "), told);
                GadgetType young = new GadgetType("new");
                bench.types.add(DeviceType.class, young, NEW, "gadgets 2");
                bench.vmm.arrived(young);
                assertEquals(VmState.RUNNING, vm.state());
                if (policy.equals("unplug")) {
                    assertEquals(List.of(), young.made);
                } else {
                    awaitReads(young.last());
                }
            }
        }
    }

    @Test
    void theConsoleIsReadByWhoIsLeft() throws Exception {
        List<String> read = new CopyOnWriteArrayList<>();
        try (Bench bench = new Bench(new Toy.Jump(0))) {
            for (String name : List.of("first", "second")) {
                bench.device(
                        name,
                        context ->
                                context.characterBackend("console")
                                        .onInput(octet -> read.add(name + (char) octet)));
            }
            Vm vm = bench.start();
            bench.host.consoles.type("a");
            Bench.until(() -> read.size() == 1);
            new Management(bench.vmm, bench.types).detach(vm.id(), "second");
            bench.host.consoles.type("b");
            Bench.until(() -> read.size() == 2);
        }
        assertEquals(List.of("seconda", "firstb"), read);
    }

    @Test
    void theFrameworkDoesNotWaitLongForWhoHoldsTheStructure() throws Exception {
        try (Bench bench = bench(POLLS).with(StopPolicy.KEY, "unplug")) {
            bench.start();
            awaitReads(before.last());
            try (Vmm.Held _ = bench.vmm.hold()) {
                bench.types.remove(before);
                // A raw stop holds the framework's lock of its bundle, which a swap waits for.
                CompletableFuture.runAsync(() -> bench.vmm.gone(before)).join();
                assertFalse(before.last().closed, "not while the structure is held");
            }
            Bench.until(() -> before.last().closed);
        }
    }

    @Test
    void whatIsTriedAndDroppedTakesNoNumberOfTheSeed() throws Exception {
        List<Long> drawn = new CopyOnWriteArrayList<>();
        DeviceType old = drawing(drawn, false);
        DeviceType young = drawing(drawn, true);
        try (Bench bench = new Bench(new Toy.Jump(0)).with("seed", 5)) {
            bench.types.add(DeviceType.class, old, OLD);
            bench.board.devices.add(
                    new org.alcazar.vmm.plugin.PlatformType.DeviceSpec("dice", "dice", Map.of()));
            Vm vm = bench.start();
            long state = vm.machine().entropy().state();
            bench.types.add(DeviceType.class, young, NEW);
            assertThrows(HostRefusal.class, () -> swap(bench, Set.of(old), NEW));
            assertEquals(state, vm.machine().entropy().state());
            assertEquals(vm.machine().entropy().next(), drawn.getLast(), "what comes next");
        }
    }

    private static DeviceType drawing(List<Long> drawn, boolean broken) {
        return new Bench.FakeDeviceType(
                "dice",
                (context, settings) -> {
                    drawn.add(context.entropy());
                    if (broken) {
                        throw new ConfigurationException("no dice");
                    }
                    return new Bench.Plain();
                });
    }

    @Test
    void nothingIsHandedOverTwiceUnderOneName() {
        try (Handover handover = new Handover()) {
            handover.give("file", "a");
            assertThrows(IllegalArgumentException.class, () -> handover.give("file", "b"));
            assertEquals("a", handover.take("file", String.class).orElseThrow());
            handover.give("file", "c");
        }
    }
}
