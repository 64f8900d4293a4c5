package org.alcazar.engines.x86.interpreter;

import org.jspecify.annotations.Nullable;

/** A small open hash from longs to objects. */
final class LongMap<T> {
    private long[] keys = new long[256];
    private @Nullable Object[] values = new @Nullable Object[256];
    private int size;

    @SuppressWarnings("unchecked")
    @Nullable T get(long key) {
        return (T) values[slot(key)];
    }

    void put(long key, T value) {
        if (2 * size >= keys.length) {
            grow();
        }
        int at = slot(key);
        size += values[at] == null ? 1 : 0;
        keys[at] = key;
        values[at] = value;
    }

    private int slot(long key) {
        int mask = keys.length - 1;
        int at = (int) (key * 0x9e3779b97f4a7c15L >>> 32) & mask;
        while (values[at] != null && keys[at] != key) {
            at = at + 1 & mask;
        }
        return at;
    }

    private void grow() {
        long[] oldKeys = keys;
        @Nullable Object[] oldValues = values;
        keys = new long[2 * oldKeys.length];
        values = new @Nullable Object[2 * oldKeys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldValues[i] != null) {
                int at = slot(oldKeys[i]);
                keys[at] = oldKeys[i];
                values[at] = oldValues[i];
            }
        }
    }
}
