package org.alcazar.engines.x86;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRange;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** The reserved range of a test process: one for all test classes, since a process has only one. */
public final class TestMemory {
    public static final long BYTES = 64L << 20;

    private TestMemory() {}

    /**
     * Reserves it unless that has been done. With {@code -Dalcazar.exchange16=false} the host can't
     * exchange 16 bytes.
     */
    public static void reserve() {
        MethodHandle exchange16 =
                System.getProperty("alcazar.exchange16", "true").equals("true") ? find() : null;
        HostRange.reserve(() -> Arena.global().allocate(BYTES, HostMemory.PAGE_SIZE), exchange16);
    }

    private static MethodHandle find() {
        try {
            return MethodHandles.lookup()
                    .findStatic(
                            TestMemory.class,
                            "exchange16",
                            MethodType.methodType(
                                    boolean.class,
                                    long.class,
                                    MemorySegment.class,
                                    long.class,
                                    long.class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A whole for others that use it only, which is what tests of several cores keep to. */
    @SuppressWarnings({"restricted", "unused"}) // found by name
    private static synchronized boolean exchange16(
            long at, MemorySegment expected, long low, long high) {
        MemorySegment memory = MemorySegment.ofAddress(at).reinterpret(16);
        boolean same = memory.mismatch(expected.asSlice(0, 16)) < 0;
        if (same) {
            memory.set(ValueLayout.JAVA_LONG, 0, low);
            memory.set(ValueLayout.JAVA_LONG, 8, high);
        } else {
            MemorySegment.copy(memory, 0, expected, 0, 16);
        }
        return same;
    }
}
