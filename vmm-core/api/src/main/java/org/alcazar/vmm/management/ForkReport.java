package org.alcazar.vmm.management;

/**
 * A VM that was made as the copy of another.
 *
 * @param vm its number
 * @param pauseNanos how long the other one stood still
 * @param sharedBytes of RAM that both have now until one of them writes
 */
public record ForkReport(int vm, long pauseNanos, long sharedBytes) {}
