package org.alcazar.loaders;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Makes ELF files (System V ABI, chapters 4 and 5). */
final class Elf {
    static final int X86 = 3;
    static final int X86_64 = 62;

    private record Segment(int type, long virtual, long physical, byte[] bytes, long memory) {}

    private final boolean wide;
    private final List<Segment> segments = new ArrayList<>();
    private int machine;
    private long entry;

    private Elf(boolean wide) {
        this.wide = wide;
        machine = wide ? X86_64 : X86;
    }

    static Elf wide() {
        return new Elf(true);
    }

    static Elf narrow() {
        return new Elf(false);
    }

    Elf machine(int number) {
        machine = number;
        return this;
    }

    Elf entry(long address) {
        entry = address;
        return this;
    }

    Elf load(long virtual, long physical, byte[] bytes, long memory) {
        segments.add(new Segment(1, virtual, physical, bytes, memory));
        return this;
    }

    Elf load(long address, byte[] bytes) {
        return load(address, address, bytes, bytes.length);
    }

    /** A note, in one segment with the note before it if there is one. */
    Elf note(String owner, int type, byte[] value) {
        int name = owner.length() + 1;
        ByteBuffer out = little(12 + up(name) + up(value.length));
        out.putInt(name).putInt(value.length).putInt(type).put(FakeMemory.ascii(owner));
        out.position(12 + up(name)).put(value);
        byte[] before = new byte[0];
        if (!segments.isEmpty() && segments.getLast().type == 4) {
            before = segments.removeLast().bytes;
        }
        byte[] all = Arrays.copyOf(before, before.length + out.capacity());
        System.arraycopy(out.array(), 0, all, before.length, out.capacity());
        segments.add(new Segment(4, 0, 0, all, all.length));
        return this;
    }

    private static int up(int bytes) {
        return (bytes + 3) & -4;
    }

    static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    byte[] build() {
        int header = wide ? 64 : 52;
        int each = wide ? 56 : 32;
        int at = header + each * segments.size();
        int size = at + segments.stream().mapToInt(s -> s.bytes.length).sum();
        ByteBuffer out = little(size);
        out.putInt(0x464c_457f).put((byte) (wide ? 2 : 1)).put((byte) 1).put((byte) 1);
        out.position(16);
        out.putShort((short) 2).putShort((short) machine).putInt(1);
        number(out, entry);
        number(out, header);
        number(out, 0);
        out.putInt(0).putShort((short) header).putShort((short) each);
        out.putShort((short) segments.size());
        out.position(header);
        for (Segment s : segments) {
            out.putInt(s.type);
            if (wide) {
                out.putInt(7).putLong(at).putLong(s.virtual).putLong(s.physical);
                out.putLong(s.bytes.length).putLong(s.memory).putLong(1);
            } else {
                out.putInt(at).putInt((int) s.virtual).putInt((int) s.physical);
                out.putInt(s.bytes.length).putInt((int) s.memory).putInt(7).putInt(1);
            }
            at += s.bytes.length;
        }
        segments.forEach(s -> out.put(s.bytes));
        return Arrays.copyOf(out.array(), size);
    }

    private void number(ByteBuffer out, long value) {
        if (wide) {
            out.putLong(value);
        } else {
            out.putInt((int) value);
        }
    }
}
