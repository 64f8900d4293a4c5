package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.Requests;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.device.CharacterBackend;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;

class ClockTest {
    private static final Toy.Op FOREVER = new Toy.Jump(0);

    @Test
    void timersFireInTheOrderOfDeadlinesAndOfArming() {
        List<String> fired = new ArrayList<>();
        TimerQueue queue = new TimerQueue(deadline -> {});
        TimerQueue.Timer late = queue.add("late", this, () -> fired.add("late"));
        TimerQueue.Timer first = queue.add("first", this, () -> fired.add("first"));
        TimerQueue.Timer second = queue.add("second", this, () -> fired.add("second"));
        TimerQueue.Timer gone = queue.add("gone", this, () -> fired.add("gone"));
        late.arm(30);
        first.arm(10);
        second.arm(10);
        gone.arm(5);
        gone.cancel();
        assertEquals(10, queue.earliest());
        for (TimerQueue.Timer t = queue.poll(30); t != null; t = queue.poll(30)) {
            t.fire();
        }
        assertEquals(List.of("first", "second", "late"), fired);
        assertEquals(Long.MAX_VALUE, queue.earliest());
    }

    @Test
    void theHeapAgreesWithAQueueThatIsSurelyRight() {
        Random random = new Random(1);
        TimerQueue queue = new TimerQueue(deadline -> {});
        record Entry(long deadline, int order, int timer) {}
        PriorityQueue<Entry> model =
                new PriorityQueue<>(
                        Comparator.comparingLong(Entry::deadline).thenComparingInt(Entry::order));
        List<Integer> fired = new ArrayList<>();
        List<TimerQueue.Timer> timers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            int number = i;
            timers.add(queue.add("t" + i, this, () -> fired.add(number)));
        }
        for (int step = 0; step < 20_000; step++) {
            int which = random.nextInt(timers.size());
            model.removeIf(e -> e.timer == which && random.nextInt(1) == 0);
            if (random.nextInt(4) == 0) {
                timers.get(which).cancel();
            } else {
                long deadline = random.nextInt(500);
                timers.get(which).arm(deadline);
                model.add(new Entry(deadline, step, which));
            }
            if (random.nextInt(8) == 0) {
                long now = random.nextInt(500);
                TimerQueue.Timer due = queue.poll(now);
                Entry expected = model.peek();
                if (expected == null || expected.deadline > now) {
                    assertEquals(null, due);
                } else {
                    model.remove();
                    due.fire();
                    assertEquals(expected.timer, fired.getLast());
                }
            }
            assertEquals(
                    model.isEmpty() ? Long.MAX_VALUE : model.peek().deadline, queue.earliest());
        }
    }

    @Test
    void aTimerOnTheHostsTimeFiresAtItsDeadlineAndNotBefore() throws Exception {
        List<Long> fired = Collections.synchronizedList(new ArrayList<>());
        try (Bench bench =
                new Bench(FOREVER)
                        .device(
                                "t",
                                c ->
                                        c.clock()
                                                .timer("x", () -> fired.add(c.clock().nanos()))
                                                .arm(1000))) {
            bench.start();
            bench.host.clock.advance(999);
            assertEquals(List.of(), fired);
            bench.host.clock.advance(1);
            Bench.until(() -> !fired.isEmpty());
            assertEquals(List.of(1000L), fired);
        }
    }

    @Test
    void anIdleCoreWakesForATimer() throws Exception {
        try (Bench bench =
                new Bench(new Toy.Halt(), new Toy.Jump(1))
                        .device(
                                "t",
                                c -> {
                                    c.interruptSource(c.vcores().getFirst(), () -> 9);
                                    c.clock()
                                            .timer(
                                                    "x",
                                                    () ->
                                                            c.vcores()
                                                                    .getFirst()
                                                                    .post(Requests.INTERRUPT))
                                            .arm(5000);
                                })) {
            Vm vm = bench.start();
            Bench.until(() -> vm.bootCore().exits(org.alcazar.machine.Exit.IDLE) > 0);
            bench.host.clock.advance(6000);
            Bench.until(() -> vm.vcores().getFirst().retired() > 10);
        }
    }

    @Test
    void eventsThatWaitForTheFirstCoreKeepNoOtherFromSleeping() throws Exception {
        java.util.concurrent.CountDownLatch hold = new java.util.concurrent.CountDownLatch(1);
        try (Bench bench =
                new Bench(Toy.out(0x10, 1), new Toy.Jump(1))
                        .with("cpus", 2)
                        .device(
                                "slow",
                                c ->
                                        c.hookPorts(
                                                0x10,
                                                1,
                                                LifeCycleTest.onWrite(v -> {
                                                    try {
                                                        hold.await();
                                                    } catch (InterruptedException e) {
                                                        throw new IllegalStateException(e);
                                                    }
                                                })))) {
            Vm vm = bench.start();
            VcoreImpl other = vm.machine().vcores().get(1);
            Bench.until(() -> other.exits(org.alcazar.machine.Exit.IDLE) > 0);
            vm.post("test", () -> {});
            // Each request makes the idle core look twice at most.
            for (int i = 0; i < 10; i++) {
                long before = other.exits(org.alcazar.machine.Exit.KICK);
                other.kick();
                Bench.until(() -> other.exits(org.alcazar.machine.Exit.KICK) >= before);
            }
            Bench.until(() -> bench.host.processors.sleeping() == 1);
            assertTrue(other.exits(org.alcazar.machine.Exit.IDLE) <= 40);
            hold.countDown();
        }
    }

    @Test
    void aPauseIsNoTimeForTheGuestAndItsTimersWait() throws Exception {
        List<Long> fired = Collections.synchronizedList(new ArrayList<>());
        try (Bench bench =
                new Bench(FOREVER)
                        .device(
                                "t",
                                c ->
                                        c.clock()
                                                .timer("x", () -> fired.add(c.clock().nanos()))
                                                .arm(1000))) {
            Vm vm = bench.start();
            bench.host.clock.advance(400);
            bench.vmm.pause(vm.id());
            bench.host.clock.advance(50_000);
            assertEquals(400, vm.clock().nanos());
            bench.vmm.resume(vm.id());
            bench.host.clock.advance(599);
            assertEquals(List.of(), fired);
            bench.host.clock.advance(1);
            Bench.until(() -> !fired.isEmpty());
            assertEquals(List.of(1000L), fired);
        }
    }

    @Test
    void underInstructionsATimerFiresBehindExactlySoManyInstructions() throws Exception {
        List<Long> fired = Collections.synchronizedList(new ArrayList<>());
        try (Bench bench =
                new Bench(FOREVER)
                        .with("clock", "instructions")
                        .device(
                                "t",
                                c ->
                                        c.clock()
                                                .timer(
                                                        "x",
                                                        () ->
                                                                fired.add(
                                                                        c.vcores()
                                                                                .getFirst()
                                                                                .retired()))
                                                .arm(12_345))) {
            bench.start();
            Bench.until(() -> !fired.isEmpty());
            assertEquals(List.of(12_345L), fired);
        }
    }

    @Test
    void underInstructionsIdleTimeIsSkipped() throws Exception {
        try (Bench bench =
                new Bench(new Toy.Halt(), new Toy.Time(), Toy.out(0x10, 4), FOREVER)
                        .with("clock", "instructions")
                        .device(
                                "t",
                                c -> {
                                    c.interruptSource(c.vcores().getFirst(), () -> 9);
                                    c.clock()
                                            .timer(
                                                    "x",
                                                    () ->
                                                            c.vcores()
                                                                    .getFirst()
                                                                    .post(Requests.INTERRUPT))
                                            .arm(1_000_000_000L);
                                    c.hookPorts(
                                            0x10,
                                            4,
                                            LifeCycleTest.onWrite(v ->
                                                    c.machine().exit(v == 1_000_000_000L ? 1 : 3)));
                                })) {
            assertEquals(1, bench.run().status());
        }
    }

    @Test
    void twoRunsUnderInstructionsHaveTheSameStamps() throws Exception {
        for (int cpus : new int[] {1, 3}) {
            List<Stamp> first = stampsOfARun(cpus);
            assertEquals(first, stampsOfARun(cpus));
            assertTrue(first.size() > 50, () -> "too few events: " + first.size());
        }
    }

    /** A guest of several cores with a periodic timer that interrupts each of them in turn. */
    private static List<Stamp> stampsOfARun(int cpus) throws Exception {
        List<Stamp> stamps = new ArrayList<>();
        try (Bench bench =
                new Bench(
                                new Toy.Add(1),
                                Toy.in(0x10, 1),
                                new Toy.Time(),
                                new Toy.Halt(),
                                new Toy.Jump(0))
                        .with("clock", "instructions")
                        .with("cpus", cpus)
                        .device("t", ClockTest::ticker)) {
            Vm vm = bench.create();
            vm.events().record(stamps::add);
            bench.vmm.start(vm.id());
            assertEquals(0, bench.end().status());
        }
        return stamps;
    }

    private static void ticker(org.alcazar.vmm.device.DeviceContext c) {
        c.vcores().forEach(vcore -> c.interruptSource(vcore, () -> 9));
        int[] count = new int[1];
        GuestTimer[] timer = new GuestTimer[1];
        timer[0] =
                c.clock()
                        .timer(
                                "tick",
                                () -> {
                                    int turn = count[0]++ % c.vcores().size();
                                    c.vcores().get(turn).post(Requests.INTERRUPT);
                                    timer[0].arm(c.clock().nanos() + 777);
                                    if (count[0] == 100) {
                                        c.machine().powerOff();
                                    }
                                });
        timer[0].arm(777);
    }

    @Test
    void inputEntersInOrderOnTheVcoresThread() throws Exception {
        for (String clock : List.of("host", "instructions")) {
            StringBuffer got = new StringBuffer();
            List<Boolean> onVcore = Collections.synchronizedList(new ArrayList<>());
            try (Bench bench =
                    new Bench(FOREVER)
                            .with("clock", clock)
                            .device(
                                    "com",
                                    c -> {
                                        CharacterBackend backend = c.characterBackend("console");
                                        backend.onInput(octet -> {
                                            got.append((char) octet);
                                            onVcore.add(
                                                    c.machine() instanceof Vm vm
                                                            && vm.isVcoreThread());
                                        });
                                        backend.write('>');
                                    })) {
                bench.start();
                bench.host.consoles.type("hello");
                bench.host.consoles.type(", world");
                Bench.until(() -> got.length() == 12);
                assertEquals("hello, world", got.toString());
                assertFalse(onVcore.contains(false));
                assertEquals(">", bench.host.consoles.output.toString());
            }
        }
    }

    @Test
    void inputUnderInstructionsEntersAtFullMilliseconds() throws Exception {
        List<Stamp> stamps = Collections.synchronizedList(new ArrayList<>());
        try (Bench bench =
                new Bench(FOREVER)
                        .with("clock", "instructions")
                        .device("com", c -> c.characterBackend("console").onInput(octet -> {}))) {
            Vm vm = bench.create();
            vm.events().record(stamps::add);
            bench.vmm.start(vm.id());
            Bench.until(() -> vm.vcores().getFirst().retired() > 10);
            bench.host.consoles.type("x");
            Bench.until(() -> !stamps.isEmpty());
            assertEquals(0, stamps.getFirst().nanos() % 1_000_000);
            assertEquals("console.com", stamps.getFirst().name());
        }
    }

    @Test
    void theInputBufferIsBoundedAndCountsWhatItDrops() {
        org.alcazar.vmm.Counter dropped = new org.alcazar.vmm.Counter();
        InputBuffer buffer = new InputBuffer(dropped);
        assertTrue(buffer.offer(1));
        for (int i = 1; i < (1 << 16) + 5; i++) {
            assertFalse(buffer.offer(i));
        }
        assertEquals(5, dropped.value());
        int[] count = new int[1];
        buffer.drain(octet -> count[0]++);
        assertEquals(1 << 16, count[0]);
        assertTrue(buffer.offer(1));
    }

    @Test
    void theTimeStampCounterRunsAtTheFrequencyOfThePlatform() throws Exception {
        try (Bench bench = new Bench(FOREVER)) {
            bench.board.frequency = 3_000_000_000L;
            Vm vm = bench.start();
            bench.host.clock.advance(1000);
            assertEquals(3000, vm.bootCore().block().time.ticks(0));
            assertEquals(3_000_000_000L, vm.clock().counterFrequency());
        }
    }
}
