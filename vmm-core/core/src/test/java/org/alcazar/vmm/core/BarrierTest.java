package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.device.Agent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;

class BarrierTest {
    private static final Toy.Op FOREVER = new Toy.Jump(0);

    /** An agent that stops when it is told to, or later, or never. */
    private static final class FakeAgent implements Agent {
        final List<String> calls = Collections.synchronizedList(new ArrayList<>());
        final boolean obeys;

        FakeAgent(boolean obeys) {
            this.obeys = obeys;
        }

        @Override
        public String name() {
            return "dma of disk0";
        }

        @Override
        public void pause(Runnable stopped) {
            calls.add("pause");
            if (obeys) {
                stopped.run();
            }
        }

        @Override
        public void resume() {
            calls.add("resume");
        }
    }

    @Test
    void agentsStopAndGoOnWithTheVcores() throws Exception {
        FakeAgent agent = new FakeAgent(true);
        try (Bench bench = new Bench(FOREVER).device("disk0", c -> c.addAgent(agent))) {
            Vm vm = bench.start();
            bench.vmm.pause(vm.id());
            bench.vmm.resume(vm.id());
        }
        assertEquals(List.of("pause", "resume", "pause", "resume"), agent.calls);
    }

    @Test
    void whatDoesNotStopIsNamedAndTheVmGoesOn() throws Exception {
        FakeAgent agent = new FakeAgent(false);
        try (Bench bench = new Bench(FOREVER).device("disk0", c -> c.addAgent(agent))) {
            Vm vm = bench.start();
            bench.host.clock.step = 2_000_000_000L;
            String message =
                    String.valueOf(
                            assertThrows(HostRefusal.class, () -> bench.vmm.pause(vm.id()))
                                    .getMessage());
            assertTrue(message.contains("waiting for dma of disk0"), message);
            assertEquals(VmState.RUNNING, vm.state());
            long retired = vm.vcores().getFirst().retired();
            Bench.until(() -> vm.vcores().getFirst().retired() > retired);
            bench.host.clock.step = 0;
        }
    }

    @Test
    void aVcoreThatSitsInItsExitIsNamedAndTheOthersGoOn() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        try (Bench bench =
                new Bench(Toy.out(0x10, 1), FOREVER)
                        .with("cpus", 3)
                        .device(
                                "stuck",
                                c ->
                                        c.hookPorts(
                                                0x10,
                                                1,
                                                LifeCycleTest.onWrite(v -> {
                                                    inside.countDown();
                                                    await(leave);
                                                })))) {
            Vm vm = bench.start();
            inside.await();
            bench.host.clock.step = 2_000_000_000L;
            for (Executable pause :
                    List.<Executable>of(
                            () -> bench.vmm.pause(vm.id()), () -> bench.vmm.stopCore(vm.id(), 0))) {
                String message =
                        String.valueOf(assertThrows(HostRefusal.class, pause).getMessage());
                assertTrue(message.endsWith("waiting for vcore0"), message);
                assertEquals(VmState.RUNNING, vm.state());
            }
            bench.host.clock.step = 0;
            leave.countDown();
            bench.vmm.pause(vm.id());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aPauseFromAVcoresThreadIsRefusedInsteadOfWaitingForItself() throws Exception {
        List<String> refusals = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch tried = new CountDownLatch(1);
        try (Bench bench = new Bench(Toy.out(0x10, 1), new Toy.Jump(1))) {
            bench.device(
                    "p",
                    c ->
                            c.hookPorts(
                                    0x10,
                                    1,
                                    LifeCycleTest.onWrite(v -> {
                                        try {
                                            bench.vmm.pause(c.machine().id());
                                        } catch (HostRefusal e) {
                                            refusals.add(String.valueOf(e.getMessage()));
                                        }
                                        tried.countDown();
                                    })));
            bench.start();
            tried.await();
            assertEquals(1, refusals.size());
        }
    }

    @Test
    void anAccessIsFinishedBeforeTheVcoreStops() throws Exception {
        // The toy refuses to give its registers in the middle of an access.
        try (Bench bench =
                new Bench(Toy.in(0x10, 1), new Toy.Add(1), new Toy.Jump(0))
                        .device("p", c -> c.hookPorts(0x10, 1, LifeCycleTest.onWrite(v -> {})))) {
            Vm vm = bench.start();
            for (int i = 0; i < 200; i++) {
                long before = vm.vcores().getFirst().retired();
                Bench.until(() -> vm.vcores().getFirst().retired() > before);
                bench.vmm.pause(vm.id());
                assertTrue(Bench.register(vm, 0, Toy.PC) < 3);
                bench.vmm.resume(vm.id());
            }
        }
    }

    @Test
    void itsLengthIsMeasured() throws Exception {
        try (Bench bench = new Bench(FOREVER)) {
            Vm vm = bench.start();
            bench.vmm.pause(vm.id());
            bench.host.clock.advance(5_000_000);
            bench.vmm.resume(vm.id());
            long[] figures = vm.barrier().figures();
            assertEquals(1, figures[0]);
            assertEquals(5_000_000, figures[1]);
            assertEquals(5_000_000, figures[2]);
        }
    }

    @Test
    void underTheBarrierAChangeSeesTheMachineAtRest() throws Exception {
        try (Bench bench = new Bench(FOREVER)) {
            Vm vm = bench.start();
            boolean rest = vm.underBarrier(() -> vm.barrier().isStopped());
            assertTrue(rest);
            assertEquals(VmState.RUNNING, vm.state());
            long retired = vm.vcores().getFirst().retired();
            Bench.until(() -> vm.vcores().getFirst().retired() > retired);
        }
    }

    /** Throws when it is to stop while the VM runs, or when it is to go on. */
    private record BrokenAgent(boolean atPause) implements Agent {
        @Override
        public String name() {
            return "broken0";
        }

        @Override
        public void pause(Runnable stopped) {
            if (atPause) {
                throw new IllegalStateException("no brake");
            }
            stopped.run();
        }

        @Override
        public void resume() {
            if (!atPause) {
                throw new IllegalStateException("no engine");
            }
        }
    }

    @Test
    void anAgentThatThrowsFailsItsVmAndHoldsNobody() throws Exception {
        for (boolean atPause : List.of(true, false)) {
            try (Bench bench = new Bench(FOREVER)) {
                Vm vm = bench.start();
                if (atPause) {
                    vm.barrier().addAgent(new BrokenAgent(true));
                    assertThrows(HostRefusal.class, () -> bench.vmm.pause(vm.id()));
                } else {
                    bench.vmm.pause(vm.id());
                    vm.barrier().addAgent(new BrokenAgent(false));
                    bench.vmm.resume(vm.id());
                }
                Bench.until(() -> vm.state() == VmState.FAILED);
                String reason = vm.end().orElseThrow().reason();
                assertTrue(reason.contains("agent broken0 failed"), reason);
                bench.vmm.destroy(vm.id());
            }
        }
    }
}
