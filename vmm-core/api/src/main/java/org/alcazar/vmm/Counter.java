package org.alcazar.vmm;

/**
 * A count that is cheap enough to stay on. One thread at a time writes, as the core sees to in
 * hooks, timers and input; counts from elsewhere may lose a few. Readers may see it a little late.
 */
public final class Counter {
    private long value;

    public void increment() {
        value++;
    }

    public void add(long amount) {
        value += amount;
    }

    public long value() {
        return value;
    }
}
