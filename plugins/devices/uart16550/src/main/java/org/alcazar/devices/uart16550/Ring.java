package org.alcazar.devices.uart16550;

import org.alcazar.machine.IncompatibleStateException;

/** A bounded queue of bytes. */
final class Ring {
    private final byte[] bytes;
    private int head;
    private int size;

    Ring(int capacity) {
        bytes = new byte[capacity];
    }

    int size() {
        return size;
    }

    boolean empty() {
        return size == 0;
    }

    boolean full() {
        return size == bytes.length;
    }

    void clear() {
        head = 0;
        size = 0;
    }

    void add(int octet) {
        bytes[(head + size++) % bytes.length] = (byte) octet;
    }

    int peek() {
        return bytes[head] & 0xff;
    }

    void setHead(int octet) {
        bytes[head] = (byte) octet;
    }

    int take() {
        int octet = peek();
        head = (head + 1) % bytes.length;
        size--;
        return octet;
    }

    /** Whether any byte is not 0. */
    boolean any() {
        for (int i = 0; i < size; i++) {
            if (bytes[(head + i) % bytes.length] != 0) {
                return true;
            }
        }
        return false;
    }

    /** The contents, oldest first. */
    byte[] bytes() {
        byte[] out = new byte[size];
        for (int i = 0; i < size; i++) {
            out[i] = bytes[(head + i) % bytes.length];
        }
        return out;
    }

    void load(byte[] contents) {
        if (contents.length > bytes.length) {
            throw new IncompatibleStateException(
                    "saved state of uart16550: a queue of "
                            + contents.length
                            + " bytes, at most "
                            + bytes.length);
        }
        clear();
        for (byte b : contents) {
            add(b);
        }
    }
}
