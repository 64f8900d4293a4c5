package org.alcazar.devices.i8042;

import org.alcazar.machine.IncompatibleStateException;

/** A bounded queue of bytes. */
final class ByteQueue {
    private final byte[] bytes;
    private int head;
    private int size;

    ByteQueue(int capacity) {
        bytes = new byte[capacity];
    }

    boolean empty() {
        return size == 0;
    }

    int room() {
        return bytes.length - size;
    }

    void clear() {
        head = 0;
        size = 0;
    }

    /** Only while there is room. */
    void add(int octet) {
        bytes[(head + size++) % bytes.length] = (byte) octet;
    }

    int peek() {
        return bytes[head] & 0xff;
    }

    int take() {
        int octet = peek();
        head = (head + 1) % bytes.length;
        size--;
        return octet;
    }

    /** The contents, oldest first. */
    byte[] contents() {
        byte[] out = new byte[size];
        for (int i = 0; i < size; i++) {
            out[i] = bytes[(head + i) % bytes.length];
        }
        return out;
    }

    void load(byte[] contents) {
        if (contents.length > bytes.length) {
            throw new IncompatibleStateException(
                    "saved state of i8042: a queue of "
                            + contents.length
                            + " bytes, at most "
                            + bytes.length);
        }
        clear();
        for (byte octet : contents) {
            add(octet);
        }
    }
}
