package org.alcazar.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * The one reserved range of guest-usable host memory of this process, and the only way to touch it.
 *
 * <p>A host-physical address is an offset into the range. Each access is checked against constants,
 * so a wild one throws {@link IndexOutOfBoundsException} and never harms the JVM. The first host
 * that starts in a process provides the range with {@link HostRange#reserve}. The plain accessors
 * take any alignment, are little-endian (a big-endian architecture reverses the bytes) and order
 * nothing between threads. The {@code …Volatile} and {@code compareAndSet…} forms need natural
 * alignment, else they throw {@link IllegalArgumentException}.
 *
 * <p>Writers to guest RAM other than an engine's own store path use {@code
 * org.alcazar.machine.RamPages}, which also tells who watches a page.
 */
public final class HostRam {
    private static final MemorySegment SEGMENT = HostRange.take();

    /** Bytes in the range; a multiple of {@link HostMemory#PAGE_SIZE}. */
    public static final long SIZE = SEGMENT.byteSize();

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle ALIGNED_INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle ALIGNED_LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    /** Whether {@link #compareAndExchange16} works: the host has such an instruction. */
    public static final boolean EXCHANGES_16;

    private static final MethodHandle EXCHANGE_16;

    static {
        MethodHandle given = HostRange.exchange16();
        EXCHANGES_16 = given != null;
        EXCHANGE_16 = given != null ? given : MethodHandles.empty(HostRange.EXCHANGE_16);
    }

    private HostRam() {}

    /**
     * The range from {@code address} on, for bulk transfers by files and sockets. Who fills guest
     * RAM through it tells {@code RamPages.written} afterwards.
     *
     * @throws IndexOutOfBoundsException if it reaches beyond the range
     */
    public static MemorySegment slice(long address, long bytes) {
        return SEGMENT.asSlice(address, bytes);
    }

    /** Signed: mask it for 0 to 0xff. */
    public static byte getByte(long address) {
        return SEGMENT.get(ValueLayout.JAVA_BYTE, address);
    }

    /** 16 bits at any alignment; signed: mask them for 0 to 0xffff. */
    public static short getShort(long address) {
        return SEGMENT.get(SHORT, address);
    }

    /** 32 bits at any alignment. */
    public static int getInt(long address) {
        return SEGMENT.get(INT, address);
    }

    /** 64 bits at any alignment. */
    public static long getLong(long address) {
        return SEGMENT.get(LONG, address);
    }

    /** Tells nobody who watches the page, like all writes here. */
    public static void setByte(long address, byte value) {
        SEGMENT.set(ValueLayout.JAVA_BYTE, address, value);
    }

    /** 16 bits at any alignment; may tear where another thread reads. */
    public static void setShort(long address, short value) {
        SEGMENT.set(SHORT, address, value);
    }

    /** 32 bits at any alignment; may tear where another thread reads. */
    public static void setInt(long address, int value) {
        SEGMENT.set(INT, address, value);
    }

    /** 64 bits at any alignment; may tear where another thread reads. */
    public static void setLong(long address, long value) {
        SEGMENT.set(LONG, address, value);
    }

    /** Address a multiple of 4, else {@link IllegalArgumentException}. */
    public static int getIntVolatile(long address) {
        return (int) ALIGNED_INT.getVolatile(SEGMENT, address);
    }

    /** Address a multiple of 8, else {@link IllegalArgumentException}. */
    public static long getLongVolatile(long address) {
        return (long) ALIGNED_LONG.getVolatile(SEGMENT, address);
    }

    /**
     * Atomic, with the ordering of a volatile read and write; address a multiple of 4.
     *
     * @return whether {@code expected} was there and {@code value} is now
     */
    public static boolean compareAndSetInt(long address, int expected, int value) {
        return ALIGNED_INT.compareAndSet(SEGMENT, address, expected, value);
    }

    /**
     * Atomic, with the ordering of a volatile read and write; address a multiple of 8.
     *
     * @return whether {@code expected} was there and {@code value} is now
     */
    public static boolean compareAndSetLong(long address, long expected, long value) {
        return ALIGNED_LONG.compareAndSet(SEGMENT, address, expected, value);
    }

    /**
     * Compares and exchanges 16 bytes as a whole, with the ordering of a volatile read and write
     * whether they are as expected or not. Does not allocate.
     *
     * @param address a multiple of 16
     * @param expected two longs, low half first, in the host's byte order; where something else is
     *     there, they become that
     * @return whether {@code expected} was there and {@code low} and {@code high} are now
     * @throws IllegalArgumentException if the address is not aligned
     * @throws UnsupportedOperationException unless {@link #EXCHANGES_16}
     */
    public static boolean compareAndExchange16(
            long address, MemorySegment expected, long low, long high) {
        if (!EXCHANGES_16) {
            throw new UnsupportedOperationException("no atomic access to 16 bytes");
        }
        if ((address & 15) != 0) {
            throw new IllegalArgumentException(Long.toHexString(address));
        }
        long at = SEGMENT.address() + Objects.checkIndex(address, SIZE);
        try {
            return (boolean) EXCHANGE_16.invokeExact(at, expected, low, high);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Copies {@code bytes} bytes within the range; the two may overlap. */
    public static void copy(long from, long to, long bytes) {
        MemorySegment.copy(SEGMENT, from, SEGMENT, to, bytes);
    }

    /**
     * Copies guest memory into an array.
     *
     * @throws IndexOutOfBoundsException if either side is too short; nothing is copied then
     */
    public static void read(long address, byte[] into, int offset, int bytes) {
        MemorySegment.copy(SEGMENT, ValueLayout.JAVA_BYTE, address, into, offset, bytes);
    }

    /**
     * Copies from an array into guest memory.
     *
     * @throws IndexOutOfBoundsException if either side is too short; nothing is copied then
     */
    public static void write(long address, byte[] from, int offset, int bytes) {
        MemorySegment.copy(from, offset, SEGMENT, ValueLayout.JAVA_BYTE, address, bytes);
    }

    /**
     * Sets {@code bytes} bytes to one value.
     *
     * @throws IndexOutOfBoundsException if they reach beyond the range
     */
    public static void fill(long address, long bytes, byte value) {
        SEGMENT.asSlice(address, bytes).fill(value);
    }
}
