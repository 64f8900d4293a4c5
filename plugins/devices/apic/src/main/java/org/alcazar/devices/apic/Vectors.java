package org.alcazar.devices.apic;

import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;

import java.util.Arrays;

/** A register of 256 bits, one for each vector: ISR, TMR and IRR. */
final class Vectors {
    private final int[] words = new int[8];

    void clear() {
        Arrays.fill(words, 0);
    }

    boolean has(int vector) {
        return (words[vector >> 5] >>> (vector & 31) & 1) != 0;
    }

    void set(int vector, boolean on) {
        int bit = 1 << (vector & 31);
        words[vector >> 5] = on ? words[vector >> 5] | bit : words[vector >> 5] & ~bit;
    }

    /** 32 of the bits, as one of the register's eight parts shows them. */
    int word(int index) {
        return words[index];
    }

    /** The highest vector whose bit is set, or -1. */
    int highest() {
        for (int i = words.length - 1; i >= 0; i--) {
            if (words[i] != 0) {
                return 32 * i + 31 - Integer.numberOfLeadingZeros(words[i]);
            }
        }
        return -1;
    }

    void save(SavedState state, String name) {
        state.put(name, words);
    }

    void restore(SavedState state, String name) {
        copy(state, name, words);
    }

    static void copy(SavedState state, String name, int[] into) {
        int[] from = state.getInts(name);
        if (from.length != into.length) {
            throw new IncompatibleStateException(
                    "saved state of apic: '"
                            + name
                            + "' has "
                            + from.length
                            + " words, wanted "
                            + into.length);
        }
        System.arraycopy(from, 0, into, 0, into.length);
    }
}
