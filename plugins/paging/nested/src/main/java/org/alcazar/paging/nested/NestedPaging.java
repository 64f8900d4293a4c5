package org.alcazar.paging.nested;

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
 * Second-level tables that are filled on demand: an entry is made at the first TRANSLATION exit of
 * its page, as a 2 MiB page where the map is contiguous, aligned and uniform.
 */
final class NestedPaging implements PagingMode {
    private static final int LARGE = 2;

    private final GuestPhysicalMap map;
    private final LongModeTables tables;
    private final Engine engine;

    NestedPaging(GuestPhysicalMap map, HostMemory memory, String owner, Engine engine)
            throws HostRefusal {
        this.map = map;
        this.engine = engine;
        tables = new LongModeTables(memory, owner);
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
            return;
        }
        tables.map(map.range(at), frame.address, LARGE);
        frame.reply = ExitFrame.RETRY;
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
