package org.alcazar.paging.shadow;

import java.util.LinkedHashMap;
import java.util.Map;

/** What the mode counts. With the lock held. */
final class Counts {
    /** FAULT exits, and those that were the guest's own page faults. */
    long faults;

    long guestFaults;

    /** Entries of pages that were made, and those of large pages among them. */
    long fills;

    long largeFills;

    /** Walks of the guest's tables. */
    long walks;

    /** Roots made and found again. */
    long rootsBuilt;

    long rootsReused;

    /** Entries that were dropped since the guest's had changed. */
    long zaps;

    /** Exits for writes to guest tables. */
    long tableWrites;

    /** Accesses that were let through once. */
    long once;

    /** Replies that a device is there. */
    long devices;

    /** Guest tables that were compared at flushes. */
    long syncs;

    /** Virtual TLBs emptied. */
    long flushes;

    /** Invalidations of the engine. */
    long invalidations;

    /** Guest tables given up since they were written too often. */
    long unshadowed;

    /** Tables given up for want of memory. */
    long reclaimed;

    /** Times that a core's tables could not be tracked. */
    long untracked;

    Map<String, Long> all() {
        Map<String, Long> all = new LinkedHashMap<>();
        all.put("faults", faults);
        all.put("guest-faults", guestFaults);
        all.put("fills", fills);
        all.put("large-fills", largeFills);
        all.put("walks", walks);
        all.put("roots-built", rootsBuilt);
        all.put("roots-reused", rootsReused);
        all.put("zaps", zaps);
        all.put("table-writes", tableWrites);
        all.put("once", once);
        all.put("devices", devices);
        all.put("syncs", syncs);
        all.put("flushes", flushes);
        all.put("invalidations", invalidations);
        all.put("unshadowed", unshadowed);
        all.put("reclaimed", reclaimed);
        all.put("untracked", untracked);
        return all;
    }
}
