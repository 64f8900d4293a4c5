package org.alcazar.management.shell;

import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.MemoryReport;

import java.util.List;

/** Memory that does nothing but say what was asked of it. */
record FakeMemory(List<String> log) implements MemoryManagement {
    private static final long MIB = 1L << 20;

    @Override
    public MemoryReport report(int vm) {
        return new MemoryReport(
                64 * MIB, 48 * MIB, 16 * MIB, 8 * MIB, 8 * MIB, MIB, MIB, 65 * MIB, true);
    }
}
