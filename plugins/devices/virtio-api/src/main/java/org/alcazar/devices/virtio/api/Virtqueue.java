package org.alcazar.devices.virtio.api;

import org.alcazar.machine.SavedState;
import org.alcazar.vmm.GuestMemory;

import java.lang.invoke.VarHandle;

/**
 * The device's side of a split virtqueue (2.7), with indirect descriptors and event indices. It has
 * one request at a time: {@link #next} begins one, and its buffers can be read and written until
 * the next call. Not thread-safe: used under the transport's lock.
 *
 * <p>A driver that breaks the rules makes the queue {@link #isBroken broken}: it gives nothing more
 * until the device is reset.
 */
public final class Virtqueue {
    /** No interrupt vector (4.1.5.1.2). */
    static final int NO_VECTOR = 0xffff;

    /** Flags of a descriptor (2.7.5). */
    private static final int NEXT = 1, WRITE = 2, INDIRECT = 4;

    private static final int DESCRIPTOR_BYTES = 16;

    /** The driver's and the device's areas begin with flags and an index (2.7.6, 2.7.8). */
    private static final int INDEX = 2, RING = 4;

    private static final int USED_ELEMENT_BYTES = 8;
    private static final int NO_INTERRUPT = 1;
    private static final int INDEX_MASK = 0xffff;

    private final GuestMemory memory;
    private final int largest;

    // What the driver has set up, by way of the transport. A size that is no power of 2, or beyond
    // what was offered, breaks the queue at the first request.
    int size;
    long descriptors;
    long driver;
    long device;
    boolean enabled;
    int vector = NO_VECTOR;

    // How far it has come
    private int nextAvailable;
    private int nextUsed;
    private int lastSignalled;
    private boolean broken;
    private boolean eventIndex;
    private boolean indirect;

    /** Requests that may still be begun before the device leaves for other work. */
    private int left;

    /** In this turn the function has seen the end of what there was. */
    private boolean drained;

    // The request at hand
    private final long[] addresses;
    private final int[] lengths;
    private int head;
    private int buffers;
    private int readable;
    private long readableBytes;
    private long writableBytes;

    Virtqueue(GuestMemory memory, int largest) {
        this.memory = memory;
        this.largest = largest;
        addresses = new long[largest];
        lengths = new int[largest];
        size = largest;
    }

    void reset() {
        size = largest;
        descriptors = 0;
        driver = 0;
        device = 0;
        enabled = false;
        vector = NO_VECTOR;
        nextAvailable = 0;
        nextUsed = 0;
        lastSignalled = 0;
        broken = false;
        eventIndex = false;
        indirect = false;
    }

    // Requests

    /** Whether the driver uses this queue. */
    public boolean isEnabled() {
        return enabled;
    }

    /** Whether the driver has broken the rules. */
    public boolean isBroken() {
        return broken;
    }

    /**
     * Begins the next request; false if there is none, or the queue has given its size already
     * since the function was notified.
     */
    public boolean next() {
        if (left == 0 || !hasMore()) {
            drained = left != 0;
            return false;
        }
        left--;
        VarHandle.acquireFence(); // what lies in the ring is read after the index
        head = memory.readShort(driver + RING + 2L * (nextAvailable & size - 1));
        nextAvailable = nextAvailable + 1 & INDEX_MASK;
        broken = !collect();
        return !broken;
    }

    /** Whether buffers wait. Breaks the queue if there are more than fit into it. */
    private boolean hasMore() {
        if (!enabled || broken) {
            return false;
        }
        int waiting = memory.readShort(driver + INDEX) - nextAvailable & INDEX_MASK;
        broken = !isSizeRight() || waiting > size;
        return waiting != 0 && !broken;
    }

    private boolean isSizeRight() {
        return size <= largest && Integer.bitCount(size) == 1;
    }

    private boolean collect() {
        buffers = 0;
        readable = 0;
        readableBytes = 0;
        writableBytes = 0;
        if (head >= size) {
            return false;
        }
        return follow(descriptors, size, head, false);
    }

    /** Collects a chain; false if it breaks the rules of 2.7.5. */
    private boolean follow(long table, int entries, int first, boolean inside) {
        int at = first;
        for (int count = 0; count < entries; count++) {
            long descriptor = table + (long) at * DESCRIPTOR_BYTES;
            long address = memory.readLong(descriptor);
            int length = memory.readInt(descriptor + 8);
            int flags = memory.readShort(descriptor + 12);
            if ((flags & INDIRECT) != 0) {
                return !inside
                        && indirect
                        && (flags & NEXT) == 0
                        && length > 0
                        && length % DESCRIPTOR_BYTES == 0
                        && follow(address, length / DESCRIPTOR_BYTES, 0, true);
            }
            if (!add(address, length, (flags & WRITE) != 0)) {
                return false;
            }
            if ((flags & NEXT) == 0) {
                return true;
            }
            at = memory.readShort(descriptor + 14);
            if (at >= entries) {
                return false;
            }
        }
        return false; // a loop
    }

    private boolean add(long address, int length, boolean write) {
        if (buffers == largest || buffers == size || !write && readable != buffers) {
            return false;
        }
        addresses[buffers] = address;
        lengths[buffers] = length;
        buffers++;
        long bytes = length & 0xffff_ffffL;
        if (write) {
            writableBytes += bytes;
        } else {
            readable++;
            readableBytes += bytes;
        }
        return readableBytes + writableBytes <= 0xffff_ffffL;
    }

    /**
     * The request at hand is as much work as so many others: the queue's turn is over the sooner.
     *
     * @param requests at least 0
     */
    public void spend(long requests) {
        left = (int) Math.max(0, left - requests);
    }

    /** Which chain the request is, for {@link #complete(int, long)} later on. */
    public int head() {
        return head;
    }

    /** Bytes that the driver gives. */
    public long readableBytes() {
        return readableBytes;
    }

    /** Bytes that the device may write. */
    public long writableBytes() {
        return writableBytes;
    }

    /** Number of buffers: first those to read, then those to write. */
    public int buffers() {
        return buffers;
    }

    /** Whether a buffer is one to write. */
    public boolean isWritable(int buffer) {
        return buffer >= readable;
    }

    /** Guest-physical address of a buffer; any number, for a driver has chosen it. */
    public long address(int buffer) {
        return addresses[buffer];
    }

    /** Bytes of a buffer, 0 to 2^32 - 1. */
    public long bytes(int buffer) {
        return lengths[buffer] & 0xffff_ffffL;
    }

    /**
     * Reads what the driver gives, as one piece.
     *
     * @param offset from its beginning
     * @return bytes that were there, at most {@code count}
     * @throws IndexOutOfBoundsException if the array is too short
     */
    public int read(long offset, byte[] into, int at, int count) {
        return copy(0, readable, offset, into, at, count, false);
    }

    /**
     * Writes to what the driver gives for that, as one piece.
     *
     * @return bytes that there was room for, at most {@code count}
     * @throws IndexOutOfBoundsException if the array is too short
     */
    public int write(long offset, byte[] from, int at, int count) {
        return copy(readable, buffers, offset, from, at, count, true);
    }

    private int copy(
            int first, int end, long offset, byte[] bytes, int at, int count, boolean write) {
        int done = 0;
        long skip = offset;
        for (int i = first; i < end && done < count; i++) {
            long here = bytes(i);
            if (skip >= here) {
                skip -= here;
                continue;
            }
            int step = (int) Math.min(count - done, here - skip);
            if (write) {
                memory.write(addresses[i] + skip, bytes, at + done, step);
            } else {
                memory.read(addresses[i] + skip, bytes, at + done, step);
            }
            done += step;
            skip = 0;
        }
        return done;
    }

    /** Returns the request at hand; {@link VirtioTransport#used} then interrupts the driver. */
    public void complete(long written) {
        complete(head, written);
    }

    /**
     * Returns a chain that was begun before. Nothing happens if the driver has reset the device
     * since, or broken the queue.
     *
     * @param chain its {@link #head}
     * @param written bytes that the device has written to it
     */
    public void complete(int chain, long written) {
        if (!enabled || broken) {
            return;
        }
        long element = device + RING + (long) USED_ELEMENT_BYTES * (nextUsed & size - 1);
        memory.writeInt(element, chain);
        memory.writeInt(element + 4, (int) written);
        nextUsed = nextUsed + 1 & INDEX_MASK;
        VarHandle.releaseFence(); // the driver sees the element before the index
        memory.writeShort(device + INDEX, nextUsed);
    }

    // For the transport

    /** The driver has notified: as many requests as the queue is long may be begun. */
    void begin() {
        left = size;
        drained = false;
    }

    /**
     * The function has done what it can: from now on the driver notifies again.
     *
     * @return whether requests are left that it was not given, for its turn was over
     */
    boolean end() {
        if (enabled && eventIndex && !broken) {
            memory.writeShort(
                    device + RING + (long) USED_ELEMENT_BYTES * size, nextAvailable); // avail_event
            VarHandle.fullFence(); // the driver looks at that before it decides not to notify
        }
        boolean look = left == 0 || eventIndex && drained;
        left = 0;
        return look && hasMore();
    }

    /** Whether the driver wants an interrupt for what was returned since the last one. */
    boolean wantsInterrupt() {
        VarHandle.fullFence(); // the index is seen before the driver's wish is read
        if (!enabled || broken || nextUsed == lastSignalled) {
            return false;
        }
        if (!eventIndex) {
            lastSignalled = nextUsed;
            return (memory.readShort(driver) & NO_INTERRUPT) == 0;
        }
        int wanted = memory.readShort(driver + RING + 2L * size); // used_event
        boolean passed =
                (nextUsed - wanted - 1 & INDEX_MASK) < (nextUsed - lastSignalled & INDEX_MASK);
        lastSignalled = nextUsed;
        return passed;
    }

    void features(boolean withEventIndex, boolean withIndirect) {
        eventIndex = withEventIndex;
        indirect = withIndirect;
    }

    SavedState save() {
        return new SavedState("virtqueue", 1)
                .put("size", size)
                .put("descriptors", descriptors)
                .put("driver", driver)
                .put("device", device)
                .put("enabled", enabled)
                .put("vector", vector)
                .put("next-available", nextAvailable)
                .put("next-used", nextUsed)
                .put("last-signalled", lastSignalled)
                .put("broken", broken)
                .put("event-index", eventIndex)
                .put("indirect", indirect);
    }

    void restore(SavedState state) {
        state.require("virtqueue", 1);
        size = state.getInt("size") & INDEX_MASK;
        descriptors = state.getLong("descriptors");
        driver = state.getLong("driver");
        device = state.getLong("device");
        enabled = state.getBoolean("enabled");
        vector = state.getInt("vector") & INDEX_MASK;
        nextAvailable = state.getInt("next-available") & INDEX_MASK;
        nextUsed = state.getInt("next-used") & INDEX_MASK;
        lastSignalled = state.getInt("last-signalled") & INDEX_MASK;
        broken = state.getBoolean("broken");
        eventIndex = state.getBoolean("event-index");
        indirect = state.getBoolean("indirect");
    }
}
