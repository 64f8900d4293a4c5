package org.alcazar.machine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.StringJoiner;

/**
 * Posted requests of one vcore: lock-free bits that anybody sets and the vcore consumes. An engine
 * looks at {@link #pending} at each block of guest code. A request is sticky: posted before {@code
 * run}, it acts in {@code run}.
 */
public final class Requests {
    /** Leave {@code run} with {@link Exit#KICK}. */
    public static final int KICK = 1;

    /** The interrupt source has a vector for this core. */
    public static final int INTERRUPT = 1 << 1;

    /** A non-maskable (or critical) interrupt. */
    public static final int NMI = 1 << 2;

    /**
     * Warm initialisation of the core; it waits for {@link #STARTUP} then unless it is the boot
     * core.
     */
    public static final int INIT = 1 << 3;

    /** Start at {@link #startupVector}. */
    public static final int STARTUP = 1 << 4;

    /**
     * An engine's own: it posts this to its core for what the core has to do by itself, before
     * guest code runs again. That alone is no reason to run an idle core; {@link #wake} is.
     */
    public static final int ENGINE = 1 << 5;

    private static final VarHandle BITS;

    static {
        try {
            BITS = MethodHandles.lookup().findVarHandle(Requests.class, "bits", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int bits;

    private volatile int startupVector;
    private volatile Runnable waker = () -> {};

    /** Sets bits; visible to the vcore soon. Wake the vcore's thread too if it may sleep. */
    public void post(int mask) {
        BITS.getAndBitwiseOr(this, mask);
    }

    /** For the VMM: what wakes the vcore's thread from its sleep after IDLE. Must not block. */
    public void waker(Runnable wakes) {
        waker = wakes;
    }

    /** Posts, and wakes the vcore's thread: for engines, whose cores may wait for one another. */
    public void wake(int mask) {
        post(mask);
        waker.run();
    }

    /** Clears bits and tells which of them were set. */
    public int take(int mask) {
        return (int) BITS.getAndBitwiseAnd(this, ~mask) & mask;
    }

    /** Names of what waits for the guest, for people; {@code nothing} if nothing does. */
    public String describe() {
        String[] names = {"", "interrupt", "nmi", "init", "startup"};
        int pending = pending();
        StringJoiner out = new StringJoiner(", ").setEmptyValue("nothing");
        for (int i = 1; i < names.length; i++) {
            if ((pending >> i & 1) != 0) {
                out.add(names[i]);
            }
        }
        return out.toString();
    }

    /** All bits. */
    public int pending() {
        return bits;
    }

    /**
     * Posts {@link #STARTUP} with the vector of a start-up message, unless one waits already: the
     * first one counts. One thread at a time.
     */
    public void postStartup(int vector) {
        if ((pending() & STARTUP) == 0) {
            startupVector = vector;
            post(STARTUP);
        }
    }

    /** That of the start-up message that waits: to be read before {@link #take} takes it. */
    public int startupVector() {
        return startupVector;
    }
}
