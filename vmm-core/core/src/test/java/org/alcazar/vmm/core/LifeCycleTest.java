package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.Width;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.management.VmEvent;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

class LifeCycleTest {
    private static final Toy.Op FOREVER = new Toy.Jump(0);

    /** Writes to port 0x10 call {@code action}; reads give 0. */
    static BusDevice onWrite(java.util.function.LongConsumer action) {
        return new BusDevice() {
            @Override
            public long read(long offset, Width width) {
                return 0;
            }

            @Override
            public void write(long offset, Width width, long value) {
                action.accept(value);
            }
        };
    }

    private static Bench power(Toy.Op... program) {
        return new Bench(program)
                .device(
                        "power",
                        context -> {
                            context.hookPorts(0x10, 1, onWrite(v -> context.machine().powerOff()));
                            context.hookPorts(
                                    0x11, 1, onWrite(v -> context.machine().exit((int) v)));
                            context.hookPorts(
                                    0x12, 1, onWrite(v -> context.machine().reset("button")));
                            context.hookPorts(
                                    0x13, 1, onWrite(v -> context.machine().pause("device")));
                        });
    }

    @Test
    void aGuestThatPowersOffEndsWithStatusZero() throws Exception {
        try (Bench bench = power(new Toy.Add(1), Toy.out(0x10, 1), FOREVER)) {
            assertEquals(new VmEnd(0, "the guest powered off", ""), bench.run());
            assertEquals(VmState.STOPPED, bench.vmm.all().getFirst().state());
        }
    }

    @Test
    void aGuestEndsWithAStatusOfItsOwn() throws Exception {
        try (Bench bench = power(new Toy.Set(33), Toy.out(0x11, 1), FOREVER)) {
            assertEquals(33, bench.run().status());
        }
    }

    @Test
    void noInstructionRunsBehindThePowerOff() throws Exception {
        try (Bench bench = power(Toy.out(0x10, 1), new Toy.Set(5), Toy.out(0x11, 1), FOREVER)) {
            assertEquals(0, bench.run().status());
            assertEquals(0, bench.vmm.all().getFirst().vcores().getFirst().retired());
        }
    }

    @Test
    void aResetRunsTheGuestAndItsLoaderAgain() throws Exception {
        try (Bench bench =
                power(
                        new Toy.Read(0, Bench.Loader.MARK, 8),
                        new Toy.Add(-1),
                        new Toy.Loop(5),
                        Toy.out(0x12, 1),
                        FOREVER,
                        Toy.out(0x10, 1),
                        FOREVER)) {
            bench.start();
            assertEquals(0, bench.end().status());
            assertEquals(2, bench.loader.loads);
        }
    }

    @Test
    void aResetDoesNotTurnTheClockBack() throws Exception {
        for (String clock : List.of("host", "instructions")) {
            List<Long> times = new CopyOnWriteArrayList<>();
            try (Bench bench =
                    power(
                                    new Toy.Read(0, Bench.Loader.MARK, 8),
                                    Toy.out(0x20, 4),
                                    new Toy.Add(-1),
                                    new Toy.Loop(6),
                                    Toy.out(0x12, 1),
                                    FOREVER,
                                    Toy.out(0x10, 1),
                                    FOREVER)
                            .with("clock", clock)
                            .device(
                                    "watch",
                                    context ->
                                            context.hookPorts(
                                                    0x20,
                                                    4,
                                                    onWrite(v ->
                                                            times.add(context.clock().nanos()))))) {
                assertEquals(0, bench.run().status());
                long all =
                        (Long)
                                java.util.Objects.requireNonNull(
                                        bench.vmm
                                                .statistics(bench.vmm.all().getFirst().id())
                                                .get("instructions"));
                assertEquals(9, all);
            }
            assertEquals(2, times.size());
            assertTrue(times.get(1) >= times.get(0), times.toString());
            assertTrue(clock.equals("host") || times.get(1) == 6, times.toString());
        }
    }

    @Test
    void aResetUnderNoRebootEndsWithStatusEight() throws Exception {
        try (Bench bench = power(Toy.out(0x12, 1), FOREVER).with("no-reboot", true)) {
            VmEnd end = bench.run();
            assertEquals(8, end.status());
            assertTrue(end.reason().contains("button"), end.reason());
        }
    }

    @Test
    void aCoreThatStopsForGoodEndsWithStatusFourAndADump() throws Exception {
        try (Bench bench = new Bench(new Toy.Add(7), new Toy.Die())) {
            VmEnd end = bench.run();
            assertEquals(4, end.status());
            assertEquals("toy core at 1, acc 7", end.dump());
        }
    }

    @Test
    void aDumpTellsOfAllVcores() throws Exception {
        try (Bench bench = new Bench(new Toy.Add(7), new Toy.Die()).with("cpus", 2)) {
            String[] lines = bench.run().dump().split("\\R");
            assertEquals(
                    List.of(
                            "toy core at 1, acc 7",
                            "vcore 0: at 1; pending nothing; 1 instructions",
                            "vcore 1: at 0; pending nothing; 0 instructions"),
                    List.of(lines));
        }
    }

    @Test
    void aDeviceThatThrowsStopsItsVmAloneAndIsNamed() throws Exception {
        try (Bench bench =
                new Bench(Toy.in(0x99, 2), FOREVER)
                        .device(
                                "bad",
                                context ->
                                        context.hookPorts(
                                                0x98,
                                                8,
                                                new BusDevice() {
                                                    @Override
                                                    public long read(long offset, Width width) {
                                                        throw new IllegalStateException("oops");
                                                    }

                                                    @Override
                                                    public void write(
                                                            long offset, Width width, long v) {}
                                                }))) {
            Bench other = new Bench(FOREVER);
            Vm running = other.start();
            VmEnd end = bench.run();
            assertEquals(6, end.status());
            assertTrue(end.reason().contains("bad at a read of port 0x99"), end.reason());
            assertTrue(end.reason().contains("oops"), end.reason());
            assertTrue(end.dump().contains("toy core"), end.dump());
            assertEquals(VmState.FAILED, bench.vmm.all().getFirst().state());
            assertEquals(VmState.RUNNING, running.state());
            other.close();
        }
    }

    @Test
    void anEngineThatThrowsIsNamed() throws Exception {
        try (Bench bench = new Bench(new Toy.Add(1), new Toy.Break())) {
            VmEnd end = bench.run();
            assertEquals(6, end.status());
            assertTrue(end.reason().startsWith("engine toy at instruction 1"), end.reason());
        }
    }

    @Test
    void aTimerThatThrowsIsNamed() throws Exception {
        try (Bench bench =
                new Bench(FOREVER)
                        .device(
                                "ticker",
                                context ->
                                        context.clock()
                                                .timer(
                                                        "tick",
                                                        () -> {
                                                            throw new IllegalStateException("bang");
                                                        })
                                                .arm(100))) {
            bench.start();
            bench.host.clock.advance(200);
            VmEnd end = bench.end();
            assertEquals(6, end.status());
            assertTrue(end.reason().startsWith("timer ticker.tick failed"), end.reason());
        }
    }

    @Test
    void transitionsAreLegalOrRefused() throws Exception {
        try (Bench bench = new Bench(FOREVER)) {
            Vm vm = bench.create();
            int id = vm.id();
            assertEquals(VmState.CREATED, vm.state());
            refused(() -> bench.vmm.pause(id), "created");
            refused(() -> bench.vmm.resume(id), "created");
            refused(() -> bench.vmm.save(id, "file"), "created");
            bench.vmm.start(id);
            refused(() -> bench.vmm.start(id), "running");
            refused(() -> bench.vmm.resume(id), "running");
            bench.vmm.pause(id);
            assertEquals(VmState.PAUSED, vm.state());
            refused(() -> bench.vmm.pause(id), "paused");
            bench.vmm.resume(id);
            assertEquals(VmState.RUNNING, vm.state());
            bench.vmm.stop(id);
            assertEquals(VmState.STOPPED, vm.state());
            refused(() -> bench.vmm.start(id), "stopped");
            bench.vmm.stop(id);
            bench.vmm.destroy(id);
            refused(() -> bench.vmm.start(id), "there is no VM " + id);
        }
    }

    private static void refused(org.junit.jupiter.api.function.Executable action, String why) {
        String message = assertThrows(HostRefusal.class, action).getMessage();
        assertTrue(message != null && message.contains(why), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void aPausePutByADeviceHoldsBehindItsInstruction() throws Exception {
        for (String clock : List.of("host", "instructions")) {
            try (Bench bench =
                    power(new Toy.Add(1), Toy.out(0x13, 1), Toy.out(0x10, 1), FOREVER)
                            .with("clock", clock)) {
                Vm vm = bench.start();
                Bench.until(() -> vm.state() == VmState.PAUSED);
                assertEquals(2, vm.vcores().getFirst().retired());
                vm.pause("it is paused already");
                bench.vmm.resume(vm.id());
                assertEquals(0, bench.end().status());
                vm.pause("it is over");
            }
        }
    }

    @Test
    void listenersHearOfEachChangeOfState() throws Exception {
        List<String> heard = new CopyOnWriteArrayList<>();
        try (Bench bench = new Bench(FOREVER)) {
            bench.vmm.listen((vm, from, to) -> heard.add(from + ">" + to));
            int id = bench.start().id();
            bench.vmm.pause(id);
            bench.vmm.resume(id);
            bench.vmm.stop(id);
        }
        assertEquals(
                List.of("CREATED>RUNNING", "RUNNING>PAUSED", "PAUSED>RUNNING", "RUNNING>STOPPED"),
                heard);
    }

    @Test
    void anEndThatIsOverIsToldAtOnceAndOnce() throws Exception {
        try (Bench bench = power(Toy.out(0x10, 1), FOREVER)) {
            bench.run();
            List<VmEnd> late = new CopyOnWriteArrayList<>();
            bench.vmm.onEnd(bench.vmm.all().getFirst().id(), late::add);
            assertEquals(1, late.size());
        }
    }

    @Test
    void aListenerOfTheEndMayDestroyTheVm() throws Exception {
        try (Bench bench = power(Toy.out(0x10, 1), FOREVER)) {
            CountDownLatch gone = new CountDownLatch(1);
            Vm vm = bench.create();
            bench.vmm.onEnd(
                    vm.id(),
                    end -> {
                        try {
                            bench.vmm.destroy(vm.id());
                            gone.countDown();
                        } catch (HostRefusal e) {
                            throw new IllegalStateException(e);
                        }
                    });
            bench.vmm.start(vm.id());
            gone.await();
            assertEquals(0, bench.host.memory.bytesInUse(""));
            assertTrue(bench.vmm.all().isEmpty());
        }
    }

    @Test
    void inAPauseNothingMovesAndAfterwardsItGoesOn() throws Exception {
        try (Bench bench = new Bench(FOREVER)) {
            Vm vm = bench.start();
            Bench.until(() -> vm.vcores().getFirst().retired() > 1000);
            bench.vmm.pause(vm.id());
            long before = vm.vcores().getFirst().retired();
            long time = vm.clock().nanos();
            bench.host.clock.advance(1_000_000);
            assertEquals(before, vm.vcores().getFirst().retired());
            assertEquals(time, vm.clock().nanos());
            bench.vmm.resume(vm.id());
            Bench.until(() -> vm.vcores().getFirst().retired() > before);
            bench.vmm.stop(vm.id());
        }
    }

    @Test
    void aVmSimulatesForASetTimeAndPauses() throws Exception {
        try (Bench bench = new Bench(FOREVER).with("clock", "instructions")) {
            Vm vm = bench.create();
            vm.simulate(5000);
            Bench.until(() -> vm.state() == VmState.PAUSED);
            assertEquals(5000, vm.vcores().getFirst().retired());
            vm.simulate(1000);
            Bench.until(() -> vm.state() == VmState.PAUSED);
            assertEquals(6000, vm.vcores().getFirst().retired());
        }
    }

    @Test
    void aFaultOfAVmThatIsToEndAlreadyChangesNothingAndIsKept() throws Exception {
        try (Bench bench =
                new Bench(Toy.out(0x10, 1), FOREVER)
                        .device(
                                "late",
                                context ->
                                        context.hookPorts(
                                                0x10,
                                                1,
                                                onWrite(value -> {
                                                    context.machine().powerOff();
                                                    throw new IllegalStateException("too late");
                                                })))) {
            Vm vm = bench.start();
            assertEquals(0, bench.end().status());
            List<String> faults =
                    bench.vmm.management().events(vm.id()).stream()
                            .filter(event -> event.kind().equals("fault"))
                            .map(VmEvent::text)
                            .toList();
            assertEquals(1, faults.size());
            assertTrue(faults.getFirst().contains("too late"), faults::toString);
        }
    }

    @Test
    void hostEventsReachWhoListens() throws Exception {
        try (Bench bench =
                new Bench(FOREVER)
                        .device(
                                "button",
                                context ->
                                        context.onEvent(
                                                "power-button",
                                                () -> context.machine().powerOff()))) {
            Vm vm = bench.start();
            refused(() -> bench.vmm.deliver(vm.id(), "power-buton"), "did you mean 'power-button'");
            bench.vmm.deliver(vm.id(), "power-button");
            assertEquals(0, bench.end().status());
        }
    }

    @Test
    void severalVcoresRunAtOnceAndStopTogether() throws Exception {
        try (Bench bench = new Bench(FOREVER).with("cpus", 3)) {
            Vm vm = bench.start();
            vm.machine().vcores().forEach(vcore -> vcore.addSource(0, () -> 32));
            vm.vcores().forEach(vcore -> vcore.post(org.alcazar.machine.Requests.INTERRUPT));
            List<Long> posted = vm.vcores().stream().map(v -> v.retired()).toList();
            Bench.until(() ->
                    vm.vcores().stream().allMatch(v -> v.retired() > posted.get(v.index()) + 1000));
            bench.vmm.pause(vm.id());
            List<Long> before = vm.vcores().stream().map(v -> v.retired()).toList();
            assertEquals(before, vm.vcores().stream().map(v -> v.retired()).toList());
            for (int i = 0; i < 3; i++) {
                assertEquals(1, Bench.register(vm, i, Toy.INTERRUPTS));
            }
            bench.vmm.resume(vm.id());
            bench.vmm.stop(vm.id());
        }
    }

    /** The fake host's clock stands but for what the test adds. */
    @Test
    void aSleepThatLastsIsIdleTime() throws Exception {
        try (Bench bench = new Bench(new Toy.Halt(), new Toy.Jump(1))) {
            Vm vm = bench.start();
            Bench.until(() -> bench.host.processors.sleeping() > 0);
            bench.host.clock.advance(3_000_000_000L);
            Object time = bench.vmm.statistics(vm.id()).get("time");
            assertEquals(
                    List.of(3.0, 0.0, 3.0),
                    List.of("run", "guest", "idle").stream()
                            .map(key -> ((Map<?, ?>) time).get(key))
                            .toList());
        }
    }

    @Test
    void whatHappensToAVmIsToldAndKept() throws Exception {
        try (Bench bench =
                power(FOREVER).device("nothing", context -> {}).with("name", "watched")) {
            Management management = new Management(bench.vmm, bench.types);
            List<VmEvent> heard = new CopyOnWriteArrayList<>();
            Hook hook = management.listen(heard::add);
            Vm vm = bench.start();
            management.attach(vm.id(), "nothing", Map.of("name", "second"));
            management.detach(vm.id(), "second");
            bench.vmm.stopCore(vm.id(), 0);
            bench.vmm.stop(vm.id());
            assertEquals(
                    List.of(
                            "made: 1 vcores, engine toy",
                            "state: running, was created",
                            "attach: second (nothing)",
                            "detach: second",
                            "core: 0 is stopped",
                            "state: stopped, was running",
                            "end: status 0: stopped"),
                    heard.stream().map(event -> event.kind() + ": " + event.text()).toList());
            assertEquals(heard, management.events(vm.id()));
            bench.vmm.destroy(vm.id());
            assertEquals("destroyed", heard.getLast().kind());
            assertThrows(HostRefusal.class, () -> management.events(vm.id()));
            hook.close();
            bench.create();
            assertEquals(8, heard.size());
        }
    }

    @Test
    void noMoreThanTheLastEventsAreKept() {
        History history = new History();
        for (int i = 1; i <= History.KEPT + 5; i++) {
            history.add(1, "a", i, "state", "line\n  and " + i);
        }
        assertEquals(History.KEPT, history.of(1).size());
        assertEquals(6, history.of(1).getFirst().number());
        assertEquals("line; and 6", history.of(1).getFirst().text());
        history.forget(1);
        assertEquals(List.of(), history.of(1));
    }

    @Test
    void anIdleCoreSleepsUntilARequestAndTakesIt() throws Exception {
        try (Bench bench = new Bench(new Toy.Halt(), new Toy.Jump(1))) {
            Vm vm = bench.start();
            Bench.until(() -> vm.bootCore().exits(org.alcazar.machine.Exit.IDLE) > 0);
            vm.machine().vcores().getFirst().addSource(0, () -> 77);
            vm.vcores().getFirst().post(org.alcazar.machine.Requests.INTERRUPT);
            Bench.until(() -> vm.vcores().getFirst().retired() > 10);
            bench.vmm.pause(vm.id());
            assertEquals(77, Bench.register(vm, 0, Toy.LAST_VECTOR));
        }
    }

    @Test
    void theStatisticsTellOfStateExitsAndSpeed() throws Exception {
        try (Bench bench = power(new Toy.Call(3), Toy.in(0x40, 1), Toy.out(0x10, 1), FOREVER)) {
            bench.run();
            Map<String, Object> tree = bench.vmm.statistics(bench.vmm.all().getFirst().id());
            assertEquals("stopped", tree.get("state"));
            assertEquals(0L, tree.get("status"));
            assertEquals(2L, tree.get("instructions"));
            assertEquals(Map.of("toys", 1L), tree.get("engine-counters"));
            assertTrue(
                    tree.get("exits") instanceof Map<?, ?> exits
                            && exits.get("access").equals(2L)
                            && exits.get("call").equals(1L));
            assertTrue(
                    tree.get("hooks") instanceof Map<?, ?> hooks
                            && Map.of("reads", 0L, "writes", 1L)
                                    .equals(hooks.get("power port 0x10-0x10")));
        }
    }
}
