package org.alcazar.hosts.linux;

import org.alcazar.host.HostPackets.Channel;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTimer;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;

import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Measures what stands in costs.properties: medians, in cycles of the nominal frequency. By hand.
 */
final class CostsOfPrimitives {
    private static final int ROUNDS = 4000;

    private final LinuxHost host;
    private final double gigahertz;

    private CostsOfPrimitives(LinuxHost host) {
        this.host = host;
        gigahertz = host.processors().frequency(0) / 1e9;
    }

    /** One measurement; gives nanoseconds. */
    private interface Round {
        long nanos() throws Exception;
    }

    private void say(String name, Round round) throws Exception {
        long[] all = new long[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            all[i] = round.nanos();
        }
        Arrays.sort(all, ROUNDS / 2, ROUNDS);
        long[] warm = Arrays.copyOfRange(all, ROUNDS / 2, ROUNDS);
        System.out.printf(
                "%-16s %6d cycles  (%d ns; median %d, 90 %% below %d)%n",
                name,
                Math.round(warm[warm.length / 10] * gigahertz),
                warm[warm.length / 10],
                warm[warm.length / 2],
                warm[warm.length * 9 / 10]);
    }

    private long now() {
        return host.clock().nanoTime();
    }

    private void memory() throws Exception {
        say(
                "page-allocation",
                () -> {
                    long start = now();
                    PageExtent extent = host.memory().allocate(PageRequest.of("m", 1));
                    long taken = now() - start;
                    HostRam.setByte(extent.address(), (byte) 1);
                    host.memory().free(extent);
                    return taken;
                });
        say(
                "page-free",
                () -> {
                    PageExtent extent = host.memory().allocate(PageRequest.of("m", 1));
                    HostRam.setByte(extent.address(), (byte) 1);
                    long start = now();
                    host.memory().free(extent);
                    return now() - start;
                });
    }

    /** Only where the pool has some. */
    private static void hugePages() throws Exception {
        try (LinuxHost wishing = LinuxHostTest.open("memory=512M,huge-pages=2M")) {
            new CostsOfPrimitives(wishing)
                    .say(
                            "huge-page",
                            () -> {
                                long start = System.nanoTime();
                                PageExtent extent =
                                        wishing.memory().allocate(PageRequest.of("m", 512));
                                long taken = System.nanoTime() - start;
                                wishing.memory().free(extent);
                                return taken;
                            });
            wishing.find(org.alcazar.host.HostNotes.class)
                    .orElseThrow()
                    .notes()
                    .forEach(System.out::println);
        }
    }

    private void threads() throws Exception {
        say(
                "thread-start",
                () -> {
                    AtomicLong began = new AtomicLong();
                    long start = now();
                    host.processors()
                            .start("t", HostThread.ANY_CPU, () -> began.set(now()))
                            .join(Long.MAX_VALUE);
                    return began.get() - start;
                });
        AtomicBoolean end = new AtomicBoolean();
        AtomicLong woken = new AtomicLong();
        AtomicLong rounds = new AtomicLong();
        HostThread sleeper =
                host.processors()
                        .start(
                                "s",
                                0,
                                () -> {
                                    while (!end.get()) {
                                        host.processors().sleep(Long.MAX_VALUE);
                                        woken.set(now());
                                        rounds.incrementAndGet();
                                    }
                                });
        int other = host.processors().count() - 1;
        say(
                "thread-move",
                () -> {
                    long start = now();
                    sleeper.move(other);
                    long taken = now() - start;
                    sleeper.move(0);
                    return taken;
                });
        say("wake", () -> wake(sleeper, rounds, woken)[0]);
        say("sleep", () -> wake(sleeper, rounds, woken)[1]);
        end.set(true);
        sleeper.wake();
        sleeper.join(Long.MAX_VALUE);
    }

    /** What the waker's call takes, and what lies between its begin and the sleeper's going on. */
    private long[] wake(HostThread sleeper, AtomicLong rounds, AtomicLong woken) {
        long settled = now() + 50_000; // it sleeps by then
        while (now() < settled) {
            Thread.onSpinWait();
        }
        long before = rounds.get();
        long start = now();
        sleeper.wake();
        long taken = now() - start;
        while (rounds.get() == before) {
            Thread.onSpinWait();
        }
        return new long[] {taken, woken.get() - start};
    }

    private void timers() throws Exception {
        Semaphore fired = new Semaphore(0);
        AtomicLong at = new AtomicLong();
        try (HostTimer timer =
                host.clock()
                        .timer(
                                "m",
                                () -> {
                                    at.set(now());
                                    fired.release();
                                })) {
            say(
                    "timer-set",
                    () -> {
                        long start = now();
                        timer.arm(start + 60_000);
                        long taken = now() - start;
                        fired.acquire();
                        return taken;
                    });
            say(
                    "timer-expiry",
                    () -> {
                        long deadline = now() + 60_000;
                        timer.arm(deadline);
                        fired.acquire();
                        return at.get() - deadline;
                    });
        }
    }

    private void packets() throws Exception {
        Semaphore come = new Semaphore(0);
        AtomicLong at = new AtomicLong();
        byte[] frame = new byte[1514];
        var packets = host.find(org.alcazar.host.HostPackets.class).orElseThrow();
        try (Channel a = packets.open("pair:m");
                Channel b = packets.open("pair:m")) {
            b.onReceive((bytes, count) -> {
                at.set(now());
                come.release();
            });
            say(
                    "packet-sent",
                    () -> {
                        long start = now();
                        a.send(frame, 0, frame.length);
                        long taken = now() - start;
                        come.acquire();
                        return taken;
                    });
            say(
                    "packet-received",
                    () -> {
                        long start = now();
                        a.send(frame, 0, frame.length);
                        come.acquire();
                        return at.get() - start;
                    });
        }
    }

    /** Times that a thread that does nothing else is away for. */
    private void noise() {
        long[] gaps = new long[100_000];
        int found = 0;
        long begin = now();
        long last = begin;
        while (last - begin < 5_000_000_000L && found < gaps.length) {
            long next = now();
            if (next - last > 700) {
                gaps[found++] = next - last;
            }
            last = next;
        }
        Arrays.sort(gaps, 0, found);
        System.out.printf(
                "noise: %d times away in 5 s, median %d ns, 90 %% below %d ns%n",
                found, gaps[found / 2], gaps[found * 9 / 10]);
    }

    public static void main(String[] arguments) throws Exception {
        try (LinuxHost host = LinuxHostTest.open("memory=512M")) {
            CostsOfPrimitives costs = new CostsOfPrimitives(host);
            System.out.println("at " + costs.gigahertz + " GHz");
            costs.memory();
            costs.threads();
            costs.timers();
            costs.packets();
            costs.noise();
            hugePages();
        }
    }
}
