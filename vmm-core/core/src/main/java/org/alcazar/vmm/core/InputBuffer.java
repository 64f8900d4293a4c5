package org.alcazar.vmm.core;

import org.alcazar.vmm.Counter;

import java.util.function.IntConsumer;

/**
 * Bytes from the host on their way to a device: bounded, so that a host that pours does not fill
 * the heap; what does not fit is dropped and counted.
 */
final class InputBuffer {
    private static final int SIZE = 1 << 16;

    private final byte[] ring = new byte[SIZE];
    private Counter dropped;
    private int head;
    private int count;
    private boolean posted;

    InputBuffer(Counter dropped) {
        this.dropped = dropped;
    }

    /** Counts for somebody else from now on. */
    synchronized void countInto(Counter counter) {
        dropped = counter;
    }

    /**
     * @return whether the caller must post a {@link #drain} now
     */
    synchronized boolean offer(int octet) {
        if (count == SIZE) {
            dropped.increment();
            return false;
        }
        ring[(head + count++) % SIZE] = (byte) octet;
        boolean post = !posted;
        posted = true;
        return post;
    }

    synchronized boolean isEmpty() {
        return count == 0;
    }

    /** Gives all bytes that are there to the sink. */
    void drain(IntConsumer sink) {
        for (int octet = poll(); octet >= 0; octet = poll()) {
            sink.accept(octet);
        }
    }

    private synchronized int poll() {
        if (count == 0) {
            posted = false;
            return -1;
        }
        int octet = ring[head] & 0xff;
        head = (head + 1) % SIZE;
        count--;
        return octet;
    }
}
