package org.alcazar.engines.x86.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** One case or outcome: a view of its bytes by the names of {@link Layout}. */
final class State {
    private final byte[] bytes;
    private final ByteBuffer buffer;
    private int at;

    /** A view of the first record in an array. */
    State(byte[] bytes) {
        this.bytes = bytes;
        buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A record of its own. */
    State() {
        this(new byte[Layout.SIZE]);
    }

    /** Moves the view. */
    State index(int index) {
        at = index * Layout.SIZE;
        return this;
    }

    byte[] bytes() {
        return bytes;
    }

    int start() {
        return at;
    }

    int u8(int field) {
        return buffer.get(at + field) & 0xff;
    }

    int u16(int field) {
        return buffer.getShort(at + field) & 0xffff;
    }

    int i32(int field) {
        return buffer.getInt(at + field);
    }

    long i64(int field) {
        return buffer.getLong(at + field);
    }

    void set8(int field, int value) {
        buffer.put(at + field, (byte) value);
    }

    void set16(int field, int value) {
        buffer.putShort(at + field, (short) value);
    }

    void set32(int field, int value) {
        buffer.putInt(at + field, value);
    }

    void set64(int field, long value) {
        buffer.putLong(at + field, value);
    }

    long gpr(int n) {
        return i64(Layout.GPR + 8 * n);
    }

    void gpr(int n, long value) {
        set64(Layout.GPR + 8 * n, value);
    }

    void clear() {
        java.util.Arrays.fill(bytes, at, at + Layout.SIZE, (byte) 0);
    }

    void copy(State from) {
        System.arraycopy(from.bytes, from.at, bytes, at, Layout.SIZE);
    }

    boolean compat() {
        return i32(Layout.COMPAT) != 0;
    }

    /** 64, 32 or 16, of a case. */
    int mode() {
        return compat() ? Descriptor.of(u16(Layout.CS)).mode() : 64;
    }

    /** A copy of a case's code. */
    byte[] code() {
        int from = at + Layout.CODE;
        return java.util.Arrays.copyOfRange(bytes, from, from + i32(Layout.CODE_BYTES));
    }
}
