package org.alcazar.vmm.core;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostRefusal;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/** Threads that pass messages of words to and fro; tests read and change what passes. */
final class FakePortal implements HostExitPortal {
    final List<FakeGate> gates = new CopyOnWriteArrayList<>();

    /** Sees each reply of the VMM, and may change it. */
    volatile Consumer<long[]> replies = message -> {};

    /** Sees each exit, and may change it. */
    volatile Consumer<long[]> exits = message -> {};

    volatile boolean refuses;

    @Override
    public Gate open(String space, String name, int cpu, Guest guest) throws HostRefusal {
        if (refuses) {
            throw new HostRefusal("no gates today");
        }
        FakeGate gate = new FakeGate(space, name, cpu, guest);
        gates.add(gate);
        return gate;
    }

    boolean allEnded() {
        return gates.stream().noneMatch(gate -> gate.thread.isAlive());
    }

    /** One thread; only the words that a tag names reach the other side. */
    final class FakeGate implements Gate {
        final String space;
        volatile int cpu;
        final Thread thread;
        private final Guest guest;
        private final long[] words = new long[WORDS];
        private final Semaphore asked = new Semaphore(0);
        private final Semaphore answered = new Semaphore(0);
        private volatile boolean closed;

        FakeGate(String space, String name, int cpu, Guest guest) {
            this.space = space;
            this.cpu = cpu;
            this.guest = guest;
            thread = Thread.ofPlatform().daemon().name(name).start(this::serve);
        }

        private void serve() {
            while (true) {
                asked.acquireUninterruptibly();
                if (closed) {
                    return;
                }
                guest.run(words);
                answered.release();
            }
        }

        @Override
        public void exchange(long[] message) {
            replies.accept(message);
            copy(message, words);
            asked.release();
            answered.acquireUninterruptibly();
            exits.accept(words);
            copy(words, message);
        }

        private static void copy(long[] from, long[] to) {
            int count = 1 + HostExitPortal.untyped(from[0]) + HostExitPortal.typed(from[0]);
            java.util.Arrays.fill(to, 0x5a5a_5a5aL);
            System.arraycopy(from, 0, to, 0, count);
        }

        @Override
        public void move(int to) {
            cpu = to;
        }

        @Override
        public void interrupt() {
            thread.interrupt();
        }

        @Override
        public StackTraceElement[] trace() {
            return thread.getStackTrace();
        }

        @Override
        public void close() {
            closed = true;
            asked.release();
        }
    }
}
