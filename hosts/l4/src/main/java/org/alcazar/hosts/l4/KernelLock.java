package org.alcazar.hosts.l4;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The lock around the micro-kernel's data. What it guards is short (long work is done in pieces),
 * so who comes second spins, and lets others run where the holder may have lost its processor.
 * Nothing is allocated. Not reentrant.
 */
final class KernelLock {
    private static final int SPINS = 200;

    private final AtomicBoolean held = new AtomicBoolean();

    void lock() {
        int spins = 0;
        while (held.get() || !held.compareAndSet(false, true)) {
            if (++spins % SPINS == 0) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    void unlock() {
        held.set(false);
    }
}
