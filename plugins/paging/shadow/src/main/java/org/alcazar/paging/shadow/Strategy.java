package org.alcazar.paging.shadow;

import org.alcazar.machine.Engine;
import org.alcazar.machine.GuestPhysicalMap;

/** How shadow tables are kept; the setting's words in small letters. */
enum Strategy {
    /** Emptied at each flush of the guest's. */
    VTLB,
    /** Kept; the guest's tables are write-protected. */
    CACHE,
    /** The same, but tables of the lowest level may be out of step up to the next flush. */
    SYNC;

    Shadows make(
            GuestPhysicalMap map,
            Engine engine,
            Tables tables,
            CoreState[] cores,
            Counts counts,
            AccessLog log) {
        return switch (this) {
            case VTLB -> new VirtualTlb(map, engine, tables, cores, counts, log);
            case CACHE -> new CachedTables(map, engine, tables, cores, counts, log, false);
            case SYNC -> new CachedTables(map, engine, tables, cores, counts, log, true);
        };
    }
}
