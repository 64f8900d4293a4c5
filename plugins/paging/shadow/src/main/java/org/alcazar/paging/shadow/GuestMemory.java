package org.alcazar.paging.shadow;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.alcazar.vmm.plugin.PagingModeType.PagedCore;

/**
 * Guest-physical memory as page walks see it. All methods are called with the lock held once and
 * give it up while they ask the map's pager or a device, whose locks come before it: afterwards
 * everything may have changed.
 */
final class GuestMemory {
    final GuestPhysicalMap map;
    private final PagerLock lock;

    GuestMemory(GuestPhysicalMap map, PagerLock lock) {
        this.map = map;
        this.lock = lock;
    }

    /**
     * The page with its {@link Rights} once the pager has done what it can; -1 if there is none.
     */
    long page(long gpa, int rights) throws HostRefusal {
        long page = map.page(gpa);
        if (page >= 0 && (page & rights) == rights) {
            return page;
        }
        lock.give();
        try {
            map.provide(gpa, rights);
        } finally {
            lock.take();
        }
        return map.page(gpa);
    }

    /** Host-physical address of an aligned piece of RAM, or -1 if there is none with that right. */
    long ram(long gpa, int right) throws HostRefusal {
        long page = page(gpa, right);
        if (page < 0 || (page & right) == 0 || !PhysicalBus.isRam(page)) {
            return -1;
        }
        return page & -HostMemory.PAGE_SIZE | gpa & HostMemory.PAGE_SIZE - 1;
    }

    /** An entry in RAM. */
    static long entry(long host, int bytes) {
        return bytes == 8
                ? HostRam.getLongVolatile(host)
                : HostRam.getIntVolatile(host) & 0xffff_ffffL;
    }

    /** Reads an entry that is not in RAM. */
    long device(PagedCore core, long gpa, int bytes) {
        lock.give();
        try {
            return core.read(gpa, bytes);
        } finally {
            lock.take();
        }
    }

    /** Writes an entry that is not in RAM. */
    void device(PagedCore core, long gpa, int bytes, long value) {
        lock.give();
        try {
            core.write(gpa, bytes, value);
        } finally {
            lock.take();
        }
    }

    /** Sets an entry in RAM unless it has changed. */
    static boolean exchange(long host, int bytes, long old, long value) {
        boolean done =
                bytes == 8
                        ? HostRam.compareAndSetLong(host, old, value)
                        : HostRam.compareAndSetInt(host, (int) old, (int) value);
        if (done) {
            RamPages.written(host, bytes);
        }
        return done;
    }
}
