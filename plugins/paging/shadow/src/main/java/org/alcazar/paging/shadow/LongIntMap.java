package org.alcazar.paging.shadow;

import java.util.Arrays;

/**
 * Numbers by keys that are not negative, with open addressing; does not allocate but to grow. A key
 * that is not there has {@link #NONE}.
 */
final class LongIntMap {
    static final int NONE = -1;

    private long[] keys;
    private int[] values;
    private int size;

    LongIntMap() {
        keys = new long[64];
        values = new int[64];
        Arrays.fill(keys, NONE);
    }

    int size() {
        return size;
    }

    boolean contains(long key) {
        return keys[find(key)] >= 0;
    }

    int get(long key) {
        int at = find(key);
        return keys[at] < 0 ? NONE : values[at];
    }

    void put(long key, int value) {
        int at = find(key);
        if (keys[at] < 0) {
            if (size >= keys.length / 2) {
                grow();
                at = find(key);
            }
            keys[at] = key;
            size++;
        }
        values[at] = value;
    }

    void remove(long key) {
        int hole = find(key);
        if (keys[hole] < 0) {
            return;
        }
        size--;
        int mask = keys.length - 1;
        for (int at = hole + 1 & mask; keys[at] >= 0; at = at + 1 & mask) {
            // One may move to the hole if that is not before its own place.
            if ((at - place(keys[at]) & mask) >= (at - hole & mask)) {
                keys[hole] = keys[at];
                values[hole] = values[at];
                hole = at;
            }
        }
        keys[hole] = NONE;
    }

    void clear() {
        if (size != 0) {
            Arrays.fill(keys, NONE);
            size = 0;
        }
    }

    /** Takes what there is for each key. */
    interface Visitor {
        void visit(long key, int value);
    }

    /** In no order; the map does not change meanwhile. */
    void forEach(Visitor visitor) {
        for (int i = 0; i < keys.length; i++) {
            if (keys[i] >= 0) {
                visitor.visit(keys[i], values[i]);
            }
        }
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[oldKeys.length * 2];
        values = new int[oldKeys.length * 2];
        Arrays.fill(keys, NONE);
        size = 0;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] >= 0) {
                put(oldKeys[i], oldValues[i]);
            }
        }
    }

    private int find(long key) {
        int at = place(key);
        while (keys[at] >= 0 && keys[at] != key) {
            at = at + 1 & keys.length - 1;
        }
        return at;
    }

    private int place(long key) {
        // Fibonacci hashing: page numbers come in rows.
        return (int) ((key ^ key >>> 12) * 0x9e37_79b9_7f4a_7c15L >>> 32) & keys.length - 1;
    }
}
