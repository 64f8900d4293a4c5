package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.GigabytePages;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.host.HostMemory;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Standstill;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.jspecify.annotations.Nullable;

import java.lang.invoke.VarHandle;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** The cores of one machine, and what keeps their decoded code true to memory. */
final class X86Engine implements Engine, GigabytePages {
    final CpuModel model;

    /** Where the cores' random numbers start. */
    final long seed;

    /** So many runs of translated code to one that is verified; 0 to verify none. */
    final int verifyEvery;

    final Standstill standstill = new Standstill();

    /** Pages that cores have marked for their code so far: begun, and ordered from all cores. */
    private volatile long protectionsBegun;

    private volatile long protections;

    private final PhysicalBus bus;
    private final Spinner spinner;
    private final @Nullable Translator translator;
    private final CopyOnWriteArrayList<X86Core> cores = new CopyOnWriteArrayList<>();
    private final RamPages.Listener listener = this::written;

    X86Engine(
            PhysicalBus bus,
            Spinner spinner,
            CpuModel model,
            long seed,
            @Nullable Translator translator,
            int verifyEvery) {
        this.model = model;
        this.seed = seed;
        this.verifyEvery = verifyEvery;
        this.bus = bus;
        this.spinner = spinner;
        this.translator = translator;
        RamPages.addListener(listener);
    }

    @Override
    public boolean hasGigabytePages() {
        return model.has(0x8000_0001, Feature.EDX, 26);
    }

    @Override
    public Architecture architecture() {
        return X86.ARCHITECTURE;
    }

    @Override
    public boolean takes(Translation translation) {
        return switch (translation) {
            case NONE, NESTED, SHADOW -> true;
            case SOFTWARE_TLB, SLOTS -> false;
        };
    }

    @Override
    public VirtualCore newCore(int index, ControlBlock block) {
        X86Core core = new X86Core(index, block, bus, this, spinner);
        cores.add(core);
        cores.forEach(each -> each.cores(cores.size()));
        return core;
    }

    /** A core goes; pages that no other core has code of are ordinary again. */
    void remove(X86Core gone) {
        cores.remove(gone);
        standstill.begin();
        try {
            for (long page : gone.codePages()) {
                boolean shared = false;
                for (X86Core core : cores) {
                    shared |= core.hasCode(page);
                }
                if (!shared) {
                    RamPages.unmark(page, RamPages.CODE);
                }
            }
        } finally {
            standstill.end();
        }
    }

    @Override
    public void invalidate(Scope scope, long start, long bytes) {
        standstill.begin();
        try {
            for (X86Core core : cores) {
                core.invalidate();
            }
        } finally {
            standstill.end();
        }
    }

    private void written(long page, int flags) {
        if ((flags & RamPages.CODE) != 0) {
            changed(page);
        }
        if ((flags & RamPages.MONITORED) != 0) {
            // A core that waits marks the page anew.
            RamPages.unmark(page, RamPages.MONITORED);
            VarHandle.fullFence();
            for (X86Core core : cores) {
                core.monitored(page, true);
            }
        }
    }

    /**
     * Who finds the page unmarked has no more to tell, so the orders are out before; and who
     * decodes from it has to wait until it can be marked anew.
     */
    private synchronized void changed(long page) {
        for (X86Core core : cores) {
            core.dropCode(page);
        }
        RamPages.unmark(page, RamPages.CODE);
    }

    /** What hot code goes to; null to interpret all. */
    @Nullable Translator translator() {
        return translator;
    }

    /** How many there are, 1 at least. */
    int cores() {
        return Math.max(1, cores.size());
    }

    /** Whether no other core runs while this one does: all are the present thread's. */
    boolean alone(Core by) {
        Thread present = Thread.currentThread();
        for (X86Core core : cores) {
            if (!core.is(by) && !core.standsFor(present)) {
                return false;
            }
        }
        return true;
    }

    /** Adds what is not a single core's to the counters of one. */
    void count(Map<String, Long> all) {
        all.put("node-classes", (long) spinner.size());
        if (translator != null) {
            translator.count(all);
            Regions.countShared(cores.stream().map(X86Core::state).toList(), all);
        }
    }

    /** Has the next write to a page reported, because a core waits for it. */
    void watch(long page, Core by) {
        if ((RamPages.flags(page) & RamPages.MONITORED) == 0) {
            mark(page, RamPages.MONITORED, by);
        }
    }

    /**
     * Makes sure that writes to a page are reported, before {@code by} decodes from it. Another
     * core that has a way to write to it unseen hears of it at its next block, and has the page
     * dropped once more then.
     *
     * @return the number of the last protection that other cores have not obeyed yet, or 0
     */
    long protect(long hpa, Core by) {
        if (by.cache.find(hpa) == null) {
            protectNow(hpa & -HostMemory.PAGE_SIZE, by);
        }
        VarHandle.acquireFence();
        long last = protectionsBegun;
        return settled(last, by) ? 0 : last;
    }

    private synchronized void protectNow(long page, Core by) {
        if ((RamPages.flags(page) & RamPages.CODE) != 0) {
            return;
        }
        long number = protections + 1;
        protectionsBegun = number;
        mark(page, RamPages.CODE, by);
        protections = number;
    }

    /** The number of the last protection whose orders are out. */
    long protections() {
        return protections;
    }

    /** Whether all other cores have closed their ways of before a protection. */
    boolean settled(long protection, Core by) {
        for (X86Core core : cores) {
            if (!core.is(by) && !core.hasClosed(protection)) {
                return false;
            }
        }
        return true;
    }

    private void mark(long page, int flag, Core by) {
        RamPages.mark(page, flag);
        by.mmu.dropWritable(page);
        for (X86Core core : cores) {
            if (!core.is(by)) {
                core.protectCode(page);
            }
        }
    }

    /** A core does not know any more which pages it may have written unseen. */
    void anyWrittenUnseen(Core by) {
        for (X86Core core : cores) {
            if (!core.is(by)) {
                core.dropAllCode();
            }
        }
    }

    /**
     * A core has closed its unseen way to write to a page; others may have decoded what it wrote
     * shortly before, or wait for it.
     */
    void protectedLate(long page, Core by) {
        for (X86Core core : cores) {
            if (!core.is(by)) {
                core.dropCode(page);
                core.monitored(page, false);
            }
        }
    }

    @Override
    public void close() {
        RamPages.removeListener(listener);
        for (X86Core core : cores) {
            core.close();
        }
        if (translator != null) {
            translator.close();
        }
    }
}
