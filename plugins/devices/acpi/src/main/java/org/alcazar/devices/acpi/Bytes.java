package org.alcazar.devices.acpi;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing little-endian byte string. */
final class Bytes {
    private byte[] bytes = new byte[256];
    private int size;

    int size() {
        return size;
    }

    Bytes u8(long value) {
        if (size == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * size);
        }
        bytes[size++] = (byte) value;
        return this;
    }

    Bytes u16(long value) {
        return u8(value).u8(value >> 8);
    }

    Bytes u32(long value) {
        return u16(value).u16(value >> 16);
    }

    Bytes u64(long value) {
        return u32(value).u32(value >> 32);
    }

    /** ASCII, as it is. */
    Bytes text(String text) {
        return add(text.getBytes(StandardCharsets.US_ASCII));
    }

    Bytes add(byte... more) {
        for (byte b : more) {
            u8(b);
        }
        return this;
    }

    Bytes add(Bytes more) {
        return add(more.toArray());
    }

    Bytes zeros(int count) {
        for (int i = 0; i < count; i++) {
            u8(0);
        }
        return this;
    }

    Bytes set8(int at, int value) {
        bytes[at] = (byte) value;
        return this;
    }

    Bytes set32(int at, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (value >> 8 * i);
        }
        return this;
    }

    /** Sets the byte at {@code at} so that the first {@code count} bytes add up to 0. */
    Bytes checksum(int at, int count) {
        bytes[at] = 0;
        int sum = 0;
        for (int i = 0; i < count; i++) {
            sum += bytes[i];
        }
        bytes[at] = (byte) -sum;
        return this;
    }

    byte[] toArray() {
        return Arrays.copyOf(bytes, size);
    }
}
