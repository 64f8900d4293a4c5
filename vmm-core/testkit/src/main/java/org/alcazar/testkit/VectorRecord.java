package org.alcazar.testkit;

import org.alcazar.machine.InterruptSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Stands between a vcore and its interrupt controller, and remembers which vectors the core has
 * taken: how often each, and the last ones in their order.
 */
final class VectorRecord implements InterruptSource {
    /** Vectors whose order is kept. */
    static final int LAST = 64;

    private static final int VECTORS = 256;

    private final AtomicLongArray counts = new AtomicLongArray(VECTORS);
    private final AtomicLongArray ring = new AtomicLongArray(LAST);
    private volatile long taken;
    private InterruptSource controller = EMPTY;

    /** On the vcore's thread, between two runs. */
    void before(InterruptSource source) {
        controller = source;
    }

    @Override
    @SuppressWarnings("NonAtomicOperationOnVolatileField") // the vcore's thread alone writes
    public int acknowledge() {
        int vector = controller.acknowledge();
        if (vector >= 0 && vector < VECTORS) {
            counts.lazySet(vector, counts.get(vector) + 1);
            ring.lazySet((int) (taken % LAST), vector);
            taken++;
        }
        return vector;
    }

    /** Any thread. */
    long count(int vector) {
        return counts.get(vector);
    }

    /** The oldest first; while the core stands. */
    List<Integer> last() {
        List<Integer> vectors = new ArrayList<>();
        long end = taken;
        for (long i = Math.max(0, end - LAST); i < end; i++) {
            vectors.add((int) ring.get((int) (i % LAST)));
        }
        return vectors;
    }

    @Override
    public void taskPriority(int priority) {
        controller.taskPriority(priority);
    }

    @Override
    public int taskPriority() {
        return controller.taskPriority();
    }

    @Override
    public void initialised() {
        controller.initialised();
    }

    @Override
    public void coreRegister(int register, long value) {
        controller.coreRegister(register, value);
    }

    @Override
    public void counterOverflow() {
        controller.counterOverflow();
    }

    @Override
    public boolean floatError(boolean pending) {
        return controller.floatError(pending);
    }
}
