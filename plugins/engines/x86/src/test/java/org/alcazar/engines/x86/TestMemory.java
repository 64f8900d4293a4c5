package org.alcazar.engines.x86;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRange;

import java.lang.foreign.Arena;

/** The reserved range of a test process: one for all test classes, since a process has only one. */
public final class TestMemory {
    public static final long BYTES = 64L << 20;

    private TestMemory() {}

    /** Reserves it unless that has been done. */
    public static void reserve() {
        HostRange.reserve(() -> Arena.global().allocate(BYTES, HostMemory.PAGE_SIZE));
    }
}
