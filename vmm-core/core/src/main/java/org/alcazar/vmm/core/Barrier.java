package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.device.Agent;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * The pause barrier: brings all vcore threads and agents to a clean point. Several may hold it at
 * once; the machine goes on when the last has left. A new barrier is held once, by the VM that is
 * being made.
 */
final class Barrier {
    private static final long MILLI = 1_000_000;

    /** Milliseconds after which the host's clock is looked at again: it need not be the JVM's. */
    private static final long LOOK = 20;

    private final HostClock clock;

    /** Stops and starts what is driven by the host's time. */
    private final VmClock guestClock;

    private final Runnable kick;

    private final Runnable standing;

    /** Fails the VM of an agent that throws. */
    private final BiConsumer<String, Throwable> broken;

    private final Set<String> threads = new HashSet<>();
    private final Set<String> parked = new HashSet<>();
    private final List<Agent> agents = new ArrayList<>();
    private final Set<Agent> stoppedAgents = new HashSet<>();
    private int holders = 1;
    private boolean stopped = true;
    private boolean begun;
    private volatile boolean ended;
    private volatile boolean wanted = true;

    private long asked;
    private long stoppedAt;
    private long pauses;
    private long lastNanos;
    private long longestNanos;
    private long totalNanos;
    private long longestWaitNanos;

    /**
     * @param kick makes all vcore threads look at the barrier
     * @param standing told at each wait that finds all stopped; takes no barrier
     * @param broken told of agents that throw, and of the clock if it can't go on
     */
    Barrier(
            HostClock clock,
            VmClock guestClock,
            Runnable kick,
            Runnable standing,
            BiConsumer<String, Throwable> broken) {
        this.clock = clock;
        this.guestClock = guestClock;
        this.kick = kick;
        this.standing = standing;
        this.broken = broken;
        this.stoppedAt = clock.nanoTime();
    }

    /** Looked at by each vcore before each run. */
    boolean wanted() {
        return wanted;
    }

    synchronized void addThread(String name) {
        threads.add(name);
    }

    synchronized void removeThread(String name) {
        threads.remove(name);
        parked.remove(name);
        notifyAll();
    }

    synchronized void addAgent(Agent agent) {
        agents.add(agent);
        if (holders > 0) {
            agent.pause(() -> agentStopped(agent));
        }
    }

    synchronized void removeAgent(Agent agent) {
        agents.remove(agent);
        stoppedAgents.remove(agent);
        notifyAll();
    }

    /** Asks all to stop, without waiting. Each request needs a {@link #leave}. */
    void request() {
        List<Agent> asking;
        synchronized (this) {
            holders++;
            wanted = true;
            asked = clock.nanoTime();
            asking = holders == 1 ? List.copyOf(agents) : List.of();
        }
        kick.run();
        for (Agent agent : asking) {
            try {
                agent.pause(() -> agentStopped(agent));
            } catch (RuntimeException | Error e) {
                broken.accept("agent " + agent.name(), e);
            }
        }
    }

    /**
     * Waits until all have stopped after a {@link #request}.
     *
     * @throws HostRefusal naming what does not come within the limit, or that the VM has ended; the
     *     request is taken back then
     */
    synchronized void await(long limitNanos) throws HostRefusal {
        long end = clock.nanoTime() + limitNanos;
        while (!ended && !allStopped()) {
            long left = end - clock.nanoTime();
            if (left <= 0) {
                String missing = String.join(", ", missing());
                leave();
                throw new HostRefusal(
                        "does not come to a stop within "
                                + limitNanos / MILLI
                                + " ms: waiting for "
                                + missing);
            }
            pauseThread(Math.min(left / MILLI + 1, LOOK));
        }
        if (ended) {
            leave();
            throw new HostRefusal("the VM has ended");
        }
        if (!stopped) {
            stopped = true;
            guestClock.halt();
            stoppedAt = clock.nanoTime();
            longestWaitNanos = Math.max(longestWaitNanos, stoppedAt - asked);
        }
        standing.run();
    }

    /** Lets the machine go on, if nobody else holds it. */
    synchronized void leave() {
        if (holders == 0) {
            throw new IllegalStateException("nobody holds the barrier");
        }
        if (--holders > 0) {
            return;
        }
        wanted = ended;
        if (stopped) {
            stopped = false;
            count();
            goOn();
        }
        stoppedAgents.clear();
        notifyAll();
        for (Agent agent : agents) {
            try {
                agent.resume();
            } catch (RuntimeException | Error e) {
                broken.accept("agent " + agent.name(), e);
            }
        }
    }

    /** The threads that wait here must go on even if the host's timers fail: to their end. */
    private void goOn() {
        try {
            guestClock.go();
        } catch (RuntimeException e) {
            broken.accept("the clock", e);
        }
    }

    /** The hold before the start is no pause. */
    private void count() {
        if (begun) {
            lastNanos = clock.nanoTime() - stoppedAt;
            longestNanos = Math.max(longestNanos, lastNanos);
            totalNanos += lastNanos;
            pauses++;
        }
        begun = true;
    }

    /** Lets all vcore threads end. */
    void end() {
        synchronized (this) {
            ended = true;
            wanted = true;
            notifyAll();
        }
        kick.run();
    }

    boolean ended() {
        return ended;
    }

    /** Whether everything stands now. */
    synchronized boolean isStopped() {
        return stopped;
    }

    /**
     * A vcore thread is at a clean point and waits here.
     *
     * @return whether it goes on; false: it ends
     */
    synchronized boolean park(String name) {
        parked.add(name);
        notifyAll();
        while (holders > 0 && !ended) {
            pauseThread(0);
        }
        parked.remove(name);
        return !ended;
    }

    /** Count, last, longest and total length in nanoseconds, and the longest wait for a stop. */
    synchronized long[] figures() {
        return new long[] {pauses, lastNanos, longestNanos, totalNanos, longestWaitNanos};
    }

    private synchronized void agentStopped(Agent agent) {
        if (agents.contains(agent)) {
            stoppedAgents.add(agent);
            notifyAll();
        }
    }

    private boolean allStopped() {
        return parked.containsAll(threads) && stoppedAgents.containsAll(agents);
    }

    private List<String> missing() {
        List<String> out = new ArrayList<>();
        threads.stream().filter(t -> !parked.contains(t)).sorted().forEach(out::add);
        agents.stream()
                .filter(a -> !stoppedAgents.contains(a))
                .map(Agent::name)
                .sorted()
                .forEach(out::add);
        return out;
    }

    /** Waits on this monitor; an interrupt of the thread changes nothing but is kept. */
    private void pauseThread(long millis) {
        boolean interrupted = Thread.interrupted();
        try {
            wait(millis);
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
