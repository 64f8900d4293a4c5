package org.alcazar.loaders;

import org.alcazar.vmm.GuestMemory;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sparse guest RAM, full of junk where nobody has written. */
final class FakeMemory implements GuestMemory {
    private static final int PAGE = 4096;
    private static final byte JUNK = (byte) 0xcc;

    private record Ram(long start, long bytes) {}

    private final List<Ram> ram = new ArrayList<>();
    private final Map<Long, byte[]> pages = new HashMap<>();

    FakeMemory ram(long start, long bytes) {
        ram.add(new Ram(start, bytes));
        return this;
    }

    /** Text up to its zero. */
    String text(long address) {
        StringBuilder out = new StringBuilder();
        for (long at = address; readByte(at) != 0; at++) {
            out.append((char) readByte(at));
        }
        return out.toString();
    }

    byte[] bytes(long address, int count) {
        byte[] out = new byte[count];
        read(address, out, 0, count);
        return out;
    }

    /** Whether somebody has written into the page. */
    boolean touched(long address) {
        return pages.containsKey(address / PAGE);
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private byte[] page(long address) {
        return pages.computeIfAbsent(
                address / PAGE,
                n -> {
                    byte[] fresh = new byte[PAGE];
                    java.util.Arrays.fill(fresh, JUNK);
                    return fresh;
                });
    }

    @Override
    public boolean isRam(long address, long bytes) {
        return ram.stream()
                .anyMatch(r ->
                        address >= r.start
                                && bytes <= r.bytes
                                && address - r.start <= r.bytes - bytes);
    }

    @Override
    public int readByte(long address) {
        if (!isRam(address, 1)) {
            return 0xff;
        }
        byte[] page = pages.get(address / PAGE);
        return (page == null ? JUNK : page[(int) (address % PAGE)]) & 0xff;
    }

    @Override
    public int readShort(long address) {
        return readByte(address) | readByte(address + 1) << 8;
    }

    @Override
    public int readInt(long address) {
        return readShort(address) | readShort(address + 2) << 16;
    }

    @Override
    public long readLong(long address) {
        return readInt(address) & 0xffff_ffffL | (long) readInt(address + 4) << 32;
    }

    @Override
    public void writeByte(long address, int value) {
        if (isRam(address, 1)) {
            page(address)[(int) (address % PAGE)] = (byte) value;
        }
    }

    @Override
    public void writeShort(long address, int value) {
        writeByte(address, value);
        writeByte(address + 1, value >> 8);
    }

    @Override
    public void writeInt(long address, int value) {
        writeShort(address, value);
        writeShort(address + 2, value >> 16);
    }

    @Override
    public void writeLong(long address, long value) {
        writeInt(address, (int) value);
        writeInt(address + 4, (int) (value >>> 32));
    }

    @Override
    public void read(long address, byte[] into, int offset, int bytes) {
        for (int i = 0; i < bytes; i++) {
            into[offset + i] = (byte) readByte(address + i);
        }
    }

    @Override
    public void write(long address, byte[] from, int offset, int bytes) {
        for (int i = 0; i < bytes; i++) {
            writeByte(address + i, from[offset + i]);
        }
    }

    @Override
    public void fill(long address, long bytes, int value) {
        for (long i = 0; i < bytes; i++) {
            writeByte(address + i, value);
        }
    }

    @Override
    public long discard(long address, long bytes) {
        return 0;
    }
}
