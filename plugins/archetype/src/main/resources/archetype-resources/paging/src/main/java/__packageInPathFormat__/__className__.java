package ${package};

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

/** Enters a page of 4 KiB at each miss. Vcores come at once, so methods take a lock. */
final class ${className} implements PagingMode {
    private static final int SMALL_PAGES = 1;

    private final GuestPhysicalMap map;
    private final LongModeTables tables;
    private final Engine engine;

    ${className}(GuestPhysicalMap map, HostMemory memory, String owner, Engine engine)
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
        int wanted = frame.code | Rights.READ;
        if (at < 0 || (map.range(at).rights() & wanted) != wanted) {
            frame.reply = ExitFrame.AS_ACCESS;
        } else {
            tables.map(map.range(at), frame.address, SMALL_PAGES);
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
