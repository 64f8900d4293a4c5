package org.alcazar.paging.direct;

import org.alcazar.engines.x86.api.LongModeTables;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Translation;
import org.alcazar.vmm.plugin.PagingModeType.PagingMode;

/**
 * The whole map is entered when the VM is made, with the largest pages that fit: guest memory is
 * the host's, at an offset, and no page of it ever misses. What does miss is no RAM.
 */
final class DirectPaging implements PagingMode {
    private final GuestPhysicalMap map;
    private final LongModeTables tables;
    private final Engine engine;

    DirectPaging(GuestPhysicalMap map, HostMemory memory, String owner, Engine engine)
            throws HostRefusal {
        this.map = map;
        this.engine = engine;
        tables = new LongModeTables(memory, owner);
        try {
            fill();
        } catch (HostRefusal e) {
            tables.close();
            throw e;
        }
    }

    private void fill() throws HostRefusal {
        for (GuestPhysicalMap.Range range : map.ranges()) {
            boolean readable = (range.rights() & Rights.READ) != 0;
            for (long at = range.start(); readable && at < range.end(); ) {
                at = tables.map(range, at, LongModeTables.MAX_LEAF_LEVEL);
            }
        }
    }

    @Override
    public void enter(ControlBlock block) {
        block.translation = Translation.NESTED;
        block.translationRoot = tables.root();
    }

    @Override
    public synchronized void translation(ControlBlock block) throws HostRefusal {
        ExitFrame frame = block.frame();
        int at = map.find(frame.address);
        // An entry that is present can always be read.
        int wanted = frame.code | Rights.READ;
        if (at < 0 || (map.range(at).rights() & wanted) != wanted) {
            frame.reply = ExitFrame.AS_ACCESS;
        } else {
            // Only after a change of the map.
            tables.map(map.range(at), frame.address, LongModeTables.MAX_LEAF_LEVEL);
            frame.reply = ExitFrame.RETRY;
        }
    }

    @Override
    public synchronized void changed(long start, long bytes) {
        tables.clear(start, bytes);
        engine.invalidate(Scope.GUEST_PHYSICAL, start, bytes);
    }

    @Override
    public synchronized long tablePages() {
        return tables.pages();
    }

    @Override
    public synchronized void close() {
        tables.close();
    }
}
