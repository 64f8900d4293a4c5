package org.alcazar.paging.nested;

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
 * Second-level tables that are filled on demand: an entry is made at the first TRANSLATION exit of
 * its page, as a page of 2 MiB or 1 GiB where the map is contiguous, aligned and uniform.
 */
final class NestedPaging implements PagingMode {
    private final GuestPhysicalMap map;
    private final LongModeTables tables;
    private final Engine engine;

    NestedPaging(PagingContext context) throws HostRefusal {
        map = context.map();
        engine = context.engine();
        tables = new LongModeTables(context.memory(), context.owner());
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
