package org.alcazar.vmm;

/** A one-shot timer on the guest's clock. Arming allocates nothing. */
public interface GuestTimer {
    /**
     * Fires once when the clock reaches {@code deadline} (guest nanoseconds); at once, but not from
     * inside this call, if it has.
     */
    void arm(long deadline);

    void cancel();

    boolean armed();

    /** Forgets the timer for good. */
    void close();
}
