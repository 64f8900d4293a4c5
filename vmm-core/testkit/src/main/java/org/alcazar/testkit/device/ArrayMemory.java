package org.alcazar.testkit.device;

import org.alcazar.vmm.GuestMemory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** RAM from address 0 on in an array. Behind its end is nothing, as on a bus. */
public final class ArrayMemory implements GuestMemory {
    private static final long PAGE = 4096;
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] bytes;

    public ArrayMemory(int size) {
        bytes = new byte[size];
    }

    public int size() {
        return bytes.length;
    }

    /** A copy of what lies there. */
    public byte[] copy(long address, int count) {
        byte[] out = new byte[count];
        read(address, out, 0, count);
        return out;
    }

    /** Takes over the contents of another memory of the same size. */
    void load(ArrayMemory from) {
        System.arraycopy(from.bytes, 0, bytes, 0, bytes.length);
    }

    @Override
    public boolean isRam(long address, long count) {
        return address >= 0
                && count >= 0
                && count <= bytes.length
                && address <= bytes.length - count;
    }

    @Override
    public int readByte(long address) {
        return isRam(address, 1) ? bytes[(int) address] & 0xff : 0xff;
    }

    @Override
    public int readShort(long address) {
        return isRam(address, 2) ? (short) SHORTS.get(bytes, (int) address) & 0xffff : 0xffff;
    }

    @Override
    public int readInt(long address) {
        return isRam(address, 4) ? (int) INTS.get(bytes, (int) address) : -1;
    }

    @Override
    public long readLong(long address) {
        return isRam(address, 8) ? (long) LONGS.get(bytes, (int) address) : -1;
    }

    @Override
    public void writeByte(long address, int value) {
        if (isRam(address, 1)) {
            bytes[(int) address] = (byte) value;
        }
    }

    @Override
    public void writeShort(long address, int value) {
        if (isRam(address, 2)) {
            SHORTS.set(bytes, (int) address, (short) value);
        }
    }

    @Override
    public void writeInt(long address, int value) {
        if (isRam(address, 4)) {
            INTS.set(bytes, (int) address, value);
        }
    }

    @Override
    public void writeLong(long address, long value) {
        if (isRam(address, 8)) {
            LONGS.set(bytes, (int) address, value);
        }
    }

    @Override
    public void read(long address, byte[] into, int offset, int count) {
        if (isRam(address, count)) {
            System.arraycopy(bytes, (int) address, into, offset, count);
        } else {
            for (int i = 0; i < count; i++) {
                into[offset + i] = (byte) readByte(address + i);
            }
        }
    }

    @Override
    public void write(long address, byte[] from, int offset, int count) {
        if (isRam(address, count)) {
            System.arraycopy(from, offset, bytes, (int) address, count);
        } else {
            for (int i = 0; i < count; i++) {
                writeByte(address + i, from[offset + i]);
            }
        }
    }

    @Override
    public void fill(long address, long count, int value) {
        long first = Math.clamp(address, 0, bytes.length);
        long end = Math.clamp(address + count, first, bytes.length);
        Arrays.fill(bytes, (int) first, (int) end, (byte) value);
    }

    @Override
    public long discard(long address, long count) {
        long first = Math.clamp(address, 0, bytes.length) + PAGE - 1 & -PAGE;
        long end = Math.clamp(address + count, 0, bytes.length) & -PAGE;
        if (count < 0 || end <= first) {
            return 0;
        }
        fill(first, end - first, 0);
        return end - first;
    }
}
