package org.alcazar.vmm.core;

import org.jspecify.annotations.Nullable;

import java.security.SecureRandom;
import java.util.SplittableRandom;

/**
 * The random numbers that a VM's devices get: the host's, or those that follow from the VM's seed,
 * so that a run can be repeated. How far the latter have come is saved with the VM.
 */
final class Entropy {
    /** Distance of two states of the sequence: odd, from the golden ratio. */
    private static final long STEP = 0x9e37_79b9_7f4a_7c15L;

    private final @Nullable SecureRandom host;
    private long state;

    private Entropy(@Nullable SecureRandom host, long state) {
        this.host = host;
        this.state = state;
    }

    static Entropy ofHost() {
        return new Entropy(new SecureRandom(), 0);
    }

    static Entropy of(long seed) {
        return new Entropy(null, seed);
    }

    /** 64 bits. Any thread. */
    synchronized long next() {
        if (host != null) {
            return host.nextLong();
        }
        state += STEP;
        return new SplittableRandom(state).nextLong();
    }

    /** Gives the same numbers from here on, and leaves this where it is. */
    synchronized Entropy copy() {
        return new Entropy(host, state);
    }

    synchronized long state() {
        return state;
    }

    /** Goes on from a saved place; nothing if the numbers are the host's. */
    synchronized void restore(long saved) {
        state = saved;
    }
}
