package org.alcazar.machine;

/** The time-stamp counter (time base) that a guest reads: the VM's clock, never the host's. */
@FunctionalInterface
public interface TimeSource {
    /**
     * The counter now.
     *
     * @param retired guest instructions that the asking vcore has retired, for clocks that are
     *     driven by instructions
     */
    long ticks(long retired);
}
