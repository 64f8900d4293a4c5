package org.alcazar.paging.direct;

import org.alcazar.engines.x86.api.LongModeTables;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Translation;
import org.alcazar.vmm.plugin.PagingModeType.AccessSink;
import org.alcazar.vmm.plugin.PagingModeType.PagedCore;
import org.alcazar.vmm.plugin.PagingModeType.PagingContext;
import org.alcazar.vmm.plugin.PagingModeType.PagingMode;

/**
 * The whole map is entered when the VM is made, with the largest pages that fit: guest memory is
 * the host's, at an offset, and no page of it ever misses. What does miss is no RAM.
 */
final class DirectPaging implements PagingMode {
    private final GuestPhysicalMap map;
    private final LongModeTables tables;
    private final Engine engine;

    DirectPaging(PagingContext context) throws HostRefusal {
        map = context.map();
        engine = context.engine();
        tables = new LongModeTables(context.memory(), context.owner());
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
                at = tables.map(map, at, LongModeTables.MAX_LEAF_LEVEL);
            }
        }
    }

    @Override
    public void enter(int core, ControlBlock block) {
        block.translation = Translation.NESTED;
        block.translationRoot = tables.root();
    }

    @Override
    public void translation(PagedCore core) throws HostRefusal {
        ExitFrame frame = core.block().frame();
        // An entry that is present can always be read.
        int wanted = frame.code | Rights.READ;
        long page = map.provide(frame.address, wanted);
        if (page < 0 || (page & wanted) != wanted) {
            frame.reply = ExitFrame.AS_ACCESS;
            return;
        }
        frame.reply = ExitFrame.RETRY;
        synchronized (this) {
            page = map.page(frame.address);
            if (page >= 0 && (page & wanted) == wanted) {
                tables.map(map, frame.address, LongModeTables.MAX_LEAF_LEVEL);
            } // else it went away in between: the guest comes again
        }
    }

    @Override
    public synchronized void changed(long start, long bytes) {
        tables.clear(start, bytes);
        engine.invalidate(Scope.GUEST_PHYSICAL, start, bytes);
    }

    @Override
    public synchronized void drainAccessed(AccessSink sink) {
        tables.drainAccessed(sink::accessed);
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
