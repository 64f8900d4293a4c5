package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.machine.RamPages;

/** Where runs of accesses within one page go, for repeated string instructions. */
public final class BulkAccess {
    private final Mmu mmu;

    BulkAccess(Mmu mmu) {
        this.mmu = mmu;
    }

    /**
     * Where a run of reads goes: like {@link Mmu#directRead}, but looks further than the view,
     * which may hold only one of two pages. Raises what a read would raise.
     *
     * @return the host-physical address, or -1 if each access has to be made by itself
     */
    public long read(long la, int bytes) {
        long hpa = mmu.directRead(la, bytes);
        return hpa >= 0 ? hpa : search(la, 0, 0);
    }

    /** The same for writes. A page that somebody watches has to be written the ordinary way. */
    public long write(long la, int bytes) {
        long hpa = mmu.directWrite(la, bytes);
        return hpa >= 0 ? hpa : search(la, PageWalker.WRITE, Intercept.runOf(bytes));
    }

    private long search(long la, int access, int run) {
        if (mmu.single()) {
            return -1;
        }
        long hpa = mmu.target(la, 1, access, false, run);
        return Mmu.isRam(hpa) && (access == 0 || RamPages.flags(hpa) == 0) ? hpa : -1;
    }
}
