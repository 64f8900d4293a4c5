package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.host.HostMemory;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.PhysicalBus;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.Map;

/**
 * A processor's state together with what the nodes of the interpreter need to get from block to
 * block.
 */
final class Core extends Cpu {
    private static final int JUMPS = 8192;
    private static final int FLAT_DATA = 1 << 7 | 1 << 4 | 2;

    /**
     * Blocks by RIP, for indirect branches and for the run loop; only for code segments with base
     * 0.
     */
    final Block[] jumps = new Block[JUMPS];

    /** Mode in which blocks run now; see {@link Block#key}. */
    int key;

    /** Where the budget ends. */
    long end;

    /** What of {@link #retired} was before the guest came to this core, from a checkpoint. */
    long retiredElsewhere;

    /** The branch whose way out is not linked yet, and which of its ways. */
    @Nullable BranchOp link;

    boolean linkTaken;

    /** What is decoded. */
    final CodeCache cache = new CodeCache();

    final Unsettled unsettled;

    /** Hot code, if the engine translates. */
    final @Nullable Regions regions;

    /** Verifies translated code, if the engine is to. */
    @Nullable Lockstep lockstep;

    /** The next block is to be interpreted. */
    boolean plainNext;

    private final X86Engine engine;
    private final CodeLimits limits = new CodeLimits();

    Core(int index, ControlBlock block, PhysicalBus bus, X86Engine engine) {
        super(index, block, bus, engine.model, engine.standstill);
        this.engine = engine;
        unsettled = new Unsettled(engine, this);
        Translator translator = engine.translator();
        regions = translator == null ? null : new Regions(this, translator);
        Arrays.fill(jumps, Block.NONE);
    }

    static int slot(long rip, int key) {
        return (int) (rip ^ rip >>> 13 ^ key & Block.PLAIN) & JUMPS - 1;
    }

    /** To the run loop, to go on from {@code rip}. */
    @Nullable Op leave(long rip) {
        this.rip = rip;
        link = null;
        return null;
    }

    /** Enters a block by RIP if that needs no thought. */
    @Nullable Op jump(long rip) {
        Block b = jumps[slot(rip, key)];
        return enters(b, rip, key) ? begin(b) : leave(rip);
    }

    /**
     * After an instruction that may have changed anything: goes on in 64-bit code where nothing has
     * come of that for the run loop to see to.
     */
    @Nullable Op resume() {
        boolean ordinary =
                shadow == 0
                        && !special()
                        && !serialized
                        && !taskLoading
                        && pendingEvent == 0
                        && activity == X86.ACTIVE
                        && limit == Math.min(end, counters.next);
        if (!ordinary || !code64()) {
            return leave(rip);
        }
        flags &= ~Bits.RF;
        findKey();
        return jump(rip);
    }

    /** Whether the next instruction must run alone. */
    boolean special() {
        return (flags & Bits.TF) != 0
                || shadow != 0 && (shadow == 2 || requests.pending() != 0)
                || proceed
                || mmu.granted.any
                || !accesses.isEmpty()
                || breakpoints.armed()
                || mmu.watching();
    }

    /** {@link #jump} to a block of nodes only. */
    @Nullable Op plain(long rip) {
        if (shadow != 0) { // the run loop sees to it
            plainNext = true;
            return leave(rip);
        }
        Block b = jumps[slot(rip, key | Block.PLAIN)];
        if (segmentBase[1] == 0 && enters(b, rip, key | Block.PLAIN)) {
            if (regions != null) {
                regions.left(b.first);
            }
            return b.first;
        }
        plainNext = true;
        return leave(rip);
    }

    /** Whether a block's address leads to it in another space or time than where that is known. */
    boolean finds(Block b) {
        if (b.dropped || b.hpa < 0 || b.hpa2 >= 0 || mmu.fetched(b.linear()) != b.hpa) {
            return false;
        }
        b.known = mmu.know(b.known, b.linear());
        return true;
    }

    /** What to run of a block that is entered and has been charged for. */
    @Nullable Op begin(Block b) {
        return --b.left != 0 ? b.first : beginHot(b);
    }

    private @Nullable Op beginHot(Block b) {
        if (regions != null && !b.region) {
            int charged = b.count;
            regions.hot(b);
            retired -= charged - b.count; // a region counts by itself
        }
        return b.first;
    }

    private boolean enters(Block b, long rip, int wanted) {
        long after = retired + b.count;
        if (b.rip == rip
                && b.key == wanted
                && requests.pending() == 0
                && after <= limit
                && (knows(b.known) || finds(b))) {
            retired = after;
            return true;
        }
        return false;
    }

    /** Adds what there is to know of translated code to the core's counters. */
    void count(Map<String, Long> all) {
        if (regions != null) {
            regions.count(all);
        }
        if (lockstep != null) {
            lockstep.count(all);
        }
    }

    /** Sets {@link #limit} after changes of the budget or of what counters wait for. */
    void bound() {
        limit = Math.min(end, counters.next);
    }

    /** Finds the mode out; to be called after whatever may have changed it. */
    void findKey() {
        key = mode();
    }

    private int mode() {
        int k = cpl == 3 ? Block.USER : 0;
        if (code64()) {
            return k | Block.MODE_64;
        }
        k |= (segmentAttributes[1] & 1 << 10) != 0 ? Block.MODE_32 : Block.MODE_16;
        if (segmentLimit[1] != 0xffffffffL) {
            k |= limits.number(segmentLimit[1]) << Block.LIMIT_SHIFT;
        }
        if ((k & Block.MODE) == Block.MODE_32
                && segmentBase[1] == 0
                && segmentLimit[1] == 0xffffffffL
                && flat(0)
                && flat(2)
                && flat(3)) {
            k |= Block.FLAT;
        }
        return k;
    }

    private boolean flat(int segment) {
        return segmentBase[segment] == 0
                && segmentLimit[segment] == 0xffffffffL
                && (segmentAttributes[segment] & (FLAT_DATA | 1 << 3 | 1 << 2)) == FLAT_DATA
                && (segment != 2 || (segmentAttributes[2] & 1 << 10) != 0);
    }

    /** Has writes to a page reported from now on, because it is about to be decoded. */
    void protect(long hpa) {
        long protection = engine.protect(hpa, this);
        if (protection != 0) {
            unsettled.add(hpa & -HostMemory.PAGE_SIZE, protection);
        }
    }

    boolean interruptsEnabled() {
        return (flags & Bits.IF) != 0;
    }
}
