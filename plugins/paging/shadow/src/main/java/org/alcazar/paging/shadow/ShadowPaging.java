package org.alcazar.paging.shadow;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.GigabytePages;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;
import org.alcazar.vmm.plugin.PagingModeType.AccessSink;
import org.alcazar.vmm.plugin.PagingModeType.PagedCore;
import org.alcazar.vmm.plugin.PagingModeType.PagingContext;
import org.alcazar.vmm.plugin.PagingModeType.PagingMode;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Shadow tables: each page fault of the processor is resolved by a walk of the guest's tables, and
 * is the guest's own or becomes entries. One lock for the VM; see {@link GuestMemory} for when it
 * is given up.
 */
final class ShadowPaging implements PagingMode {
    /** In the rights of the reply AS_ACCESS: user accesses are allowed. */
    private static final int USER_RIGHT = 8;

    private static final int ACCESS =
            GuestWalk.WRITE | GuestWalk.USER | GuestWalk.FETCH | GuestWalk.OPEN;

    private final GuestPhysicalMap map;
    private final PagerLock lock;
    private final GuestMemory memory;
    private final Tables tables;
    private final CoreState[] cores;
    private final Counts counts = new Counts();
    private final AccessLog log = new AccessLog();
    private final Shadows shadows;
    private final RamPages.Listener listener;

    /** A root without entries, for cores that have not told their mode yet. */
    private final int empty;

    ShadowPaging(PagingContext context, Strategy strategy, int limit) throws HostRefusal {
        map = context.map();
        lock = new PagerLock(this::written);
        memory = new GuestMemory(map, lock);
        tables = new Tables(context.memory(), context.owner(), limit);
        cores = new CoreState[context.cores()];
        int physicalBits = context.engine().architecture().physicalBits();
        boolean gigabyte =
                !(context.engine() instanceof GigabytePages engine) || engine.hasGigabytePages();
        for (int i = 0; i < cores.length; i++) {
            cores[i] =
                    new CoreState(i, new GuestMode(physicalBits, gigabyte), new GuestWalk(memory));
        }
        HostRefusal why = tables.grow();
        if (why != null) {
            throw why;
        }
        empty = tables.allocate(0, null, 0);
        shadows = strategy.make(map, context.engine(), tables, cores, counts, log);
        listener = lock::written;
        RamPages.addListener(listener);
    }

    private void written(long page) {
        shadows.written(page);
    }

    Tables tables() {
        return tables;
    }

    CoreState core(int index) {
        return cores[index];
    }

    @Override
    public void enter(int core, ControlBlock block) {
        lock.take();
        try {
            CoreState state = cores[core];
            block.translation = Translation.SHADOW;
            block.guestPhysical = this::host;
            state.block = block;
            state.mode.known = false;
            shadows.setRoot(state, empty);
            state.root = Tables.NONE;
        } finally {
            lock.give();
        }
    }

    private long host(long gpa) {
        long page = map.page(gpa);
        return page < 0 || (page & Rights.READ) == 0 || !PhysicalBus.isRam(page)
                ? -1
                : page & -HostMemory.PAGE_SIZE | gpa & HostMemory.PAGE_SIZE - 1;
    }

    @Override
    public long intercepts() {
        return 1L << Intercept.INVLPG | 1L << Intercept.INVPCID | 1L << Intercept.PAGING_STATE;
    }

    @Override
    public void translation(PagedCore core) {
        throw new IllegalStateException(
                "paging shadow: a TRANSLATION exit, though there is no second level");
    }

    @Override
    public void intercepted(PagedCore core) throws HostRefusal {
        ExitFrame frame = core.block().frame();
        CoreState state = cores[core.index()];
        lock.take();
        try {
            if (frame.reason == Exit.FAULT) {
                if (frame.code == Bits.PFV) {
                    fault(core, state, frame);
                }
                return;
            }
            if (frame.code == Intercept.PAGING_STATE) {
                state(core, state);
                frame.reply = ExitFrame.RETRY;
                return;
            }
            lock.settle();
            if (frame.code == Intercept.INVLPG) {
                shadows.page(state, frame.address);
            } else if (frame.code == Intercept.INVPCID) {
                shadows.contexts(state);
            }
            frame.reply = ExitFrame.PROCEED;
        } finally {
            lock.give();
        }
    }

    /** Takes the core's mode and finds its root. */
    private void state(PagedCore core, CoreState state) throws HostRefusal {
        core.fetch(GuestMode.GROUPS);
        GuestMode mode = state.mode;
        mode.load(core.block());
        if (mode.legacyPae) {
            state.walk.loadPointers(core, mode);
        }
        lock.settle();
        shadows.state(state);
    }

    private void fault(PagedCore core, CoreState state, ExitFrame frame) throws HostRefusal {
        counts.faults++;
        if (!state.mode.known) {
            state(core, state);
        }
        long linear = frame.address;
        state.fault = frame.value;
        state.size = frame.size;
        while (!resolved(core, state, frame, linear)) {
            // Whoever changes the guest's tables or the map may want the lock.
            lock.give();
            Thread.onSpinWait();
            lock.take();
        }
    }

    private boolean resolved(PagedCore core, CoreState state, ExitFrame frame, long linear)
            throws HostRefusal {
        GuestWalk walk = state.walk;
        int access = (int) state.fault & ACCESS;
        counts.walks++;
        if (!walk.walk(core, state.mode, linear, access)) {
            counts.guestFaults++;
            frame.reply = ExitFrame.RAISE;
            frame.replyCode = Bits.PFV;
            frame.value = walk.error;
            return true;
        }
        boolean write = (access & GuestWalk.WRITE) != 0;
        int wanted =
                Rights.READ
                        | (write ? Rights.WRITE : 0)
                        | ((access & GuestWalk.FETCH) != 0 ? Rights.EXECUTE : 0);
        long page = memory.page(walk.gpa, wanted);
        if (page < 0 || (page & wanted) != wanted) {
            device(frame, walk, page < 0 ? Rights.ALL : wanted, write);
            return true;
        }
        if (write && walk.overridden) {
            once(frame, walk, page, write);
            return true;
        }
        if (walk.device && !state.untracked) {
            shadows.untrack(state);
        }
        if (state.root == Tables.NONE) {
            shadows.root(state);
        }
        if (write && shadows.isTable(walk.gpa) && shadows.staysTable(state)) {
            once(frame, walk, page, write);
            return true;
        }
        if (!shadows.fill(state, linear, page)) {
            return false;
        }
        if (write && shadows.isTable(walk.gpa)) {
            return false;
        }
        frame.reply = ExitFrame.RETRY;
        return true;
    }

    private void once(ExitFrame frame, GuestWalk walk, long page, boolean write) {
        if (!PhysicalBus.isRam(page)) {
            device(frame, walk, Rights.ALL, write);
            return;
        }
        counts.once++;
        frame.reply = ExitFrame.ONCE;
        frame.value = page & -HostMemory.PAGE_SIZE;
    }

    /** No RAM with that right is there: device hooks see the access. */
    private void device(ExitFrame frame, GuestWalk walk, int rights, boolean write) {
        counts.devices++;
        shadows.device(walk.gpa);
        int guest =
                Rights.READ
                        | (write || walk.writable && walk.dirty ? Rights.WRITE : 0)
                        | (walk.executable ? Rights.EXECUTE : 0);
        frame.reply = ExitFrame.AS_ACCESS;
        frame.address = walk.gpa;
        frame.code = guest & rights | (walk.user && !walk.overridden ? USER_RIGHT : 0);
    }

    @Override
    public void changed(long start, long bytes) {
        lock.take();
        try {
            if (shadows.changed(start, bytes)) {
                shadows.invalidate();
            }
        } finally {
            lock.give();
        }
    }

    @Override
    public void drainAccessed(AccessSink sink) {
        lock.take();
        try {
            log.drain(sink);
            shadows.drain(sink);
        } finally {
            lock.give();
        }
    }

    @Override
    public long tablePages() {
        lock.take();
        try {
            return tables.made();
        } finally {
            lock.give();
        }
    }

    @Override
    public Map<String, Long> counters() {
        lock.take();
        try {
            Map<String, Long> all = new LinkedHashMap<>(counts.all());
            all.put("tables", tables.inUse());
            return all;
        } finally {
            lock.give();
        }
    }

    @Override
    public void close() {
        RamPages.removeListener(listener);
        lock.take();
        try {
            shadows.close();
            tables.close();
        } finally {
            lock.give();
        }
    }
}
