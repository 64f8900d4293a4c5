package org.alcazar.management.shell;

import org.alcazar.vmm.management.AccessReport;
import org.alcazar.vmm.management.AccessReport.Area;
import org.alcazar.vmm.management.BalloonReport;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.MemoryReport;
import org.alcazar.vmm.management.ShareReport;

import java.util.BitSet;
import java.util.List;
import java.util.Map;

/** Memory that does nothing but say what was asked of it. */
record FakeMemory(List<String> log) implements MemoryManagement {
    private static final long MIB = 1L << 20;

    @Override
    public MemoryReport report(int vm) {
        return new MemoryReport(
                64 * MIB, 48 * MIB, 16 * MIB, 8 * MIB, 8 * MIB, MIB, MIB, 65 * MIB, true);
    }

    @Override
    public void swapLimit(int vm, long bytes) {
        log.add("swap beyond " + bytes);
    }

    @Override
    public void balloon(int vm, long bytes) {
        log.add("ask for " + bytes);
    }

    @Override
    public BalloonReport balloon(int vm) {
        return new BalloonReport(8 * MIB, 6 * MIB, 7 * MIB, Map.of("free-memory", 5 * MIB));
    }

    @Override
    public long move(int vm, long start, long bytes, int node) {
        log.add("move " + start + " " + bytes + " to " + node);
        return bytes;
    }

    @Override
    public ShareReport share(List<Integer> vms) {
        log.add("share " + vms);
        return new ShareReport(5000, 256, MIB, Map.of(vms.getFirst(), 2_500_000L));
    }

    @Override
    public void startDirtyLog(int vm) {
        log.add("log writes");
    }

    @Override
    public BitSet dirtyPages(int vm, boolean anew) {
        BitSet out = new BitSet();
        out.set(3, 6);
        out.set(9);
        return out;
    }

    @Override
    public void stopDirtyLog(int vm) {
        log.add("log no writes");
    }

    @Override
    public void startAccess(int vm, long periodNanos, boolean fine) {
        log.add("count uses each " + periodNanos + " ns" + (fine ? ", fine" : ""));
    }

    @Override
    public AccessReport access(int vm) {
        Area area = new Area(1 << 20, new int[] {0, 5, 9, 2}, new int[] {0, 0, 4, 2});
        return new AccessReport(10, List.of(area));
    }

    @Override
    public void stopAccess(int vm) {
        log.add("count no uses");
    }
}
