package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTopology;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.Exit;
import org.alcazar.machine.Requests;
import org.alcazar.vmm.VmState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Vcores that are put on processors, moved, stopped and started one by one, or that spin. */
class SingleVcoreTest {
    private static final Toy.Op FOREVER = new Toy.Jump(0);

    private static void refused(Executable what, String why) {
        String message = String.valueOf(assertThrows(HostRefusal.class, what).getMessage());
        assertTrue(message.contains(why), message);
        assertEquals(1, message.lines().count(), message);
    }

    private static List<Integer> places(Bench bench, Vm vm) {
        return IntStream.range(0, vm.vcores().size())
                .mapToObj(i -> bench.host.processors.places.get(vm.name() + "/vcore" + i))
                .toList();
    }

    private static long retired(Vm vm, int core) {
        java.lang.invoke.VarHandle.fullFence();
        return vm.vcores().get(core).retired();
    }

    private static void awaitProgress(Vm vm, int core) {
        long before = retired(vm, core);
        Bench.until(() -> retired(vm, core) > before + 1000);
    }

    /** Cores but the first wait for an interrupt. */
    private static Vm startAll(Bench bench) throws HostRefusal {
        Vm vm = bench.start();
        vm.machine().vcores().forEach(vcore -> vcore.addSource(0, () -> 32));
        vm.vcores().forEach(vcore -> vcore.post(Requests.INTERRUPT));
        for (int i = 0; i < vm.vcores().size(); i++) {
            awaitProgress(vm, i);
        }
        return vm;
    }

    /** Two nodes with a processor each. */
    private static final HostTopology TWO_NODES =
            new HostTopology() {
                @Override
                public List<Node> nodes() {
                    return List.of(
                            new Node(4, List.of(0), 1 << 30, List.of(10, 20)),
                            new Node(7, List.of(1), 1 << 30, List.of(20, 10)));
                }

                @Override
                public List<Cache> caches() {
                    return List.of();
                }
            };

    @Test
    void memoryComesFromTheNodeOfTheVcoresIfThatIsOne() throws Exception {
        Map<String, Integer> wanted =
                Map.of("0", 4, "1", 7, "0,1", PageRequest.ANY_NODE, "free", PageRequest.ANY_NODE);
        for (Map.Entry<String, Integer> entry : wanted.entrySet()) {
            try (Bench bench = new Bench(FOREVER).with("cpus", 2).with("pin", entry.getKey())) {
                bench.host.topology = TWO_NODES;
                Vm vm = bench.create();
                String asked = vm.machine().owner() + " " + entry.getValue();
                assertTrue(bench.host.memory.nodes.contains(asked), "" + bench.host.memory.nodes);
            }
        }
    }

    @Test
    void vcoresStartWhereTheyArePinned() throws Exception {
        int any = HostThread.ANY_CPU;
        Map<Object, List<Integer>> wanted =
                Map.of(
                        "free",
                        List.of(any, any, any),
                        "auto",
                        List.of(0, 1, 0),
                        List.of("auto"),
                        List.of(0, 1, 0),
                        1L,
                        List.of(1, 1, 1),
                        "1,0,0",
                        List.of(1, 0, 0),
                        List.of(1L, 0L),
                        List.of(1, 0, 1));
        for (Map.Entry<Object, List<Integer>> entry : wanted.entrySet()) {
            try (Bench bench = new Bench(FOREVER).with("cpus", 3).with("pin", entry.getKey())) {
                assertEquals(entry.getValue(), places(bench, bench.create()), "" + entry);
            }
        }
    }

    @Test
    void aWrongPinIsRefusedAndLeavesNothing() {
        for (Object pin : List.of("sideways", -1L, List.of(0L, "x"), "1,,0", Map.of("a", 1))) {
            try (Bench bench = new Bench(FOREVER).with("pin", pin)) {
                refused(bench::create, "pin=");
            }
        }
        try (Bench bench = new Bench(FOREVER).with("cpus", 2).with("pin", List.of(0L, 2L))) {
            refused(bench::create, "no processor 2");
            assertEquals(0, bench.host.memory.bytesInUse(""));
        }
    }

    @Test
    void aRunningVcoreIsMovedAndTheStatisticsTell() throws Exception {
        try (Bench bench = new Bench(FOREVER).with("cpus", 2)) {
            Vm vm = startAll(bench);
            bench.vmm.moveCore(vm.id(), 1, 1);
            assertEquals(List.of(HostThread.ANY_CPU, 1), places(bench, vm));
            bench.vmm.moveCore(vm.id(), 0, 0);
            refused(() -> bench.vmm.moveCore(vm.id(), 0, 2), "no processor 2");
            refused(() -> bench.vmm.moveCore(vm.id(), 2, 0), "no vcore 2; there are 0 to 1");
            refused(() -> bench.vmm.moveCore(vm.id(), -1, 0), "no vcore -1");
            assertEquals(List.of(0, 1), places(bench, vm));
            assertEquals(0, vm.machine().placeOf(0));
            bench.vmm.moveCore(vm.id(), 1, HostThread.ANY_CPU);
            assertEquals(HostThread.ANY_CPU, vm.machine().placeOf(1));
            awaitProgress(vm, 1);
            bench.vmm.stop(vm.id());
            refused(() -> bench.vmm.moveCore(vm.id(), 1, 0), "has ended");
        }
    }

    @Test
    void onTheClockOfInstructionsNoSingleVcoreIsMoved() throws Exception {
        try (Bench bench =
                new Bench(FOREVER).with("cpus", 2).with("clock", "instructions").with("pin", 1L)) {
            Vm vm = bench.start();
            assertEquals(1, bench.host.processors.places.get(vm.name() + "/vcores"));
            refused(() -> bench.vmm.moveCore(vm.id(), 1, 0), "one thread");
        }
    }

    @Test
    void aStoppedVcoreStandsWhileTheOthersGoOn() throws Exception {
        try (Bench bench = new Bench(FOREVER).with("cpus", 3)) {
            Vm vm = startAll(bench);
            bench.vmm.stopCore(vm.id(), 1);
            long stood = retired(vm, 1);
            awaitProgress(vm, 0);
            awaitProgress(vm, 2);
            vm.vcores().get(1).post(Requests.INTERRUPT); // waits
            awaitProgress(vm, 2);
            assertEquals(stood, retired(vm, 1));
            refused(() -> bench.vmm.stopCore(vm.id(), 1), "vcore 1 is stopped already");
            refused(() -> bench.vmm.startCore(vm.id(), 0), "vcore 0 is not stopped");
            refused(() -> bench.vmm.stopCore(vm.id(), 3), "no vcore 3");
            assertEquals(VmState.RUNNING, vm.state());
            bench.vmm.startCore(vm.id(), 1);
            awaitProgress(vm, 1);
            bench.vmm.pause(vm.id());
            assertEquals(2, Bench.register(vm, 1, Toy.INTERRUPTS));
        }
    }

    @Test
    void aStoppedVcoreStopsWithTheOthersAndStaysStoppedBehindThePause() throws Exception {
        try (Bench bench = new Bench(FOREVER).with("cpus", 2)) {
            Vm vm = startAll(bench);
            bench.vmm.stopCore(vm.id(), 0);
            long stood = retired(vm, 0);
            for (int i = 0; i < 50; i++) {
                bench.vmm.pause(vm.id());
                bench.vmm.resume(vm.id());
            }
            awaitProgress(vm, 1);
            assertEquals(stood, retired(vm, 0));
            bench.vmm.pause(vm.id());
            bench.vmm.startCore(vm.id(), 0); // in a pause too
            assertEquals(stood, retired(vm, 0));
            bench.vmm.resume(vm.id());
            awaitProgress(vm, 0);
            bench.vmm.stopCore(vm.id(), 0);
            bench.vmm.stop(vm.id()); // and it ends
            refused(() -> bench.vmm.startCore(vm.id(), 0), "has ended");
        }
    }

    @Test
    void timersAndInputComeWhileVcoreZeroIsStopped() throws Exception {
        CountDownLatch ticks = new CountDownLatch(3);
        CountDownLatch pressed = new CountDownLatch(1);
        try (Bench bench =
                new Bench(FOREVER)
                        .with("cpus", 2)
                        .device(
                                "ticker",
                                context -> {
                                    for (int i = 1; i <= 3; i++) {
                                        context.clock()
                                                .timer("tick" + i, ticks::countDown)
                                                .arm(i * 1000L);
                                    }
                                    context.onEvent("button", pressed::countDown);
                                })) {
            Vm vm = startAll(bench);
            bench.vmm.stopCore(vm.id(), 0);
            long stood = retired(vm, 0);
            bench.host.clock.advance(10_000);
            ticks.await();
            bench.vmm.deliver(vm.id(), "button");
            pressed.await();
            assertEquals(stood, retired(vm, 0));
        }
    }

    @Test
    void aVcoresOwnTimersFireOnItsThreadAlsoWhileItIsStopped() throws Exception {
        for (String clock : List.of("host", "instructions")) {
            BlockingQueue<String> fired = new LinkedBlockingQueue<>();
            try (Bench bench =
                    new Bench(FOREVER)
                            .with("cpus", 3)
                            .with("clock", clock)
                            .device(
                                    "ticker",
                                    context ->
                                            context.vcores()
                                                    .forEach(vcore ->
                                                            context.clock()
                                                                    .on(vcore)
                                                                    .timer(
                                                                            "tick" + vcore.index(),
                                                                            () ->
                                                                                    fired.add(
                                                                                            Thread
                                                                                                    .currentThread()
                                                                                                    .getName()))
                                                                    .arm(
                                                                            1000
                                                                                    * (1
                                                                                            + vcore
                                                                                                    .index()))))) {
                Vm vm = bench.create();
                bench.vmm.stopCore(vm.id(), 2);
                bench.vmm.start(vm.id());
                for (int i = 0; i < 3; i++) {
                    bench.host.clock.advance(1000);
                    String thread = clock.equals("host") ? "/vcore" + i : "/vcores";
                    assertEquals(vm.name() + thread, fired.take());
                }
            }
        }
    }

    @Test
    void onTheClockOfInstructionsAStoppedVcoreGetsNoTurn() throws Exception {
        try (Bench bench = new Bench(FOREVER).with("cpus", 2).with("clock", "instructions")) {
            Vm vm = startAll(bench);
            bench.vmm.stopCore(vm.id(), 0);
            long stood = retired(vm, 0);
            awaitProgress(vm, 1);
            assertEquals(stood, retired(vm, 0));
            bench.vmm.startCore(vm.id(), 0);
            awaitProgress(vm, 0);
        }
    }

    @Test
    void aVcoreThatSpinsGoesOnAndIsCounted() throws Exception {
        try (Bench bench = new Bench(new Toy.Spin(), FOREVER).with("cpus", 2)) {
            Vm vm = startAll(bench);
            bench.vmm.pause(vm.id());
            for (int i = 0; i < 2; i++) {
                assertTrue(vm.machine().vcores().get(i).exits(Exit.SPIN) > 100);
                assertTrue(vm.machine().vcores().get(i).block().pauseCount > 0);
            }
        }
    }

    @Test
    void aVcoreAloneIsNotAskedWhetherItSpins() throws Exception {
        try (Bench bench = new Bench(FOREVER)) {
            assertEquals(0, bench.create().bootCore().block().pauseCount);
        }
    }

    @Test
    void onTheClockOfInstructionsSpinningEndsTheTurn() throws Exception {
        try (Bench bench =
                new Bench(new Toy.Spin(), FOREVER).with("cpus", 2).with("clock", "instructions")) {
            Vm vm = bench.create();
            vm.machine().vcores().forEach(vcore -> vcore.addSource(0, () -> 32));
            vm.vcores().forEach(vcore -> vcore.post(Requests.INTERRUPT));
            vm.simulate(1000);
            Bench.until(() -> vm.state() == VmState.PAUSED);
            assertEquals(1000, retired(vm, 0) + retired(vm, 1));
            // Turns of 20 000 would give one of them all.
            assertTrue(Math.abs(500 - retired(vm, 0)) <= 2);
            assertFalse(vm.machine().vcores().get(1).exits(Exit.SPIN) == 0);
        }
    }

    @Test
    void onTheClockOfInstructionsAnIdleVcoreRunsAgainOnlyIfItsEngineWakesIt() throws Exception {
        assertEquals(1, idles(requests -> requests.post(Requests.ENGINE)), "it only gets posts");
        assertEquals(1 + 10, idles(requests -> requests.wake(Requests.ENGINE)));
    }

    /**
     * IDLE exits of a vcore that waits through ten turns of another one, in each of which this is
     * done to it.
     */
    private static long idles(Consumer<Requests> done) throws Exception {
        long turn = 20_000;
        try (Bench bench =
                new Bench(FOREVER)
                        .with("cpus", 2)
                        .with("clock", "instructions")
                        .device(
                                "t",
                                context -> {
                                    Requests requests = context.vcores().get(1).requests();
                                    for (int i = 1; i <= 10; i++) {
                                        context.clock()
                                                .timer("tick" + i, () -> done.accept(requests))
                                                .arm(i * turn + turn / 2);
                                    }
                                })) {
            Vm vm = bench.create();
            vm.simulate(12 * turn);
            Bench.until(() -> vm.state() == VmState.PAUSED);
            return vm.machine().vcores().get(1).exits(Exit.IDLE);
        }
    }
}
