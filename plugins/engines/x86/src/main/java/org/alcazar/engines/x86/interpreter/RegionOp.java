package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.region.Links;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.host.HostMemory;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Takes the place of a block's nodes when its code is translated: runs the region, and goes on
 * where that ends.
 */
final class RegionOp extends Op implements Links {
    /** Nothing is ever found by it. */
    private static final int NO_KEY = -1;

    final Region region;

    private final Core core;
    private final Regions regions;
    private final ExitOp[] exits;

    private final boolean direct;
    private final Runnable warm;

    /** So many times {@link #warm()} may still be put off. */
    private int early = Regions.EARLY;

    /** Its other pages: their linear addresses, and where they were when it was made. */
    private final long[] pages;

    private final long[] frames;

    /**
     * Makes one.
     *
     * @param warm what to do when it is worth a better translation
     */
    RegionOp(
            Core core,
            Regions regions,
            Block block,
            Translation translation,
            List<Block> blocks,
            Runnable warm) {
        this.core = core;
        this.regions = regions;
        this.block = block;
        region = translation.instance();
        // Others are not found by address alone, or have limits, of which there may be many.
        boolean direct = block.csBase == 0 && block.key >> Block.LIMIT_SHIFT == 0;
        long[] targets = translation.exits();
        exits = new ExitOp[targets.length];
        for (int i = 0; i < exits.length; i++) {
            exits[i] = new ExitOp(block, targets[i]);
        }
        Map<Long, Long> others = new TreeMap<>();
        for (Block b : blocks) {
            others.put(b.linear() & -HostMemory.PAGE_SIZE, b.hpa & -HostMemory.PAGE_SIZE);
            if (b.hpa2 >= 0) {
                others.put(b.secondPage(), b.hpa2);
            }
        }
        others.remove(block.linear() & -HostMemory.PAGE_SIZE);
        pages = others.keySet().stream().mapToLong(Long::longValue).toArray();
        frames = others.values().stream().mapToLong(Long::longValue).toArray();
        this.direct = direct;
        this.warm = warm;
        region.link(
                this,
                exits.length,
                regions.targets(direct ? block.key : NO_KEY),
                regions.path,
                regions.patience());
    }

    @Override
    public int warm() {
        if (early > 0 && !regions.room()) {
            early--;
            return regions.patience();
        }
        warm.run();
        return 0;
    }

    @Override
    public @Nullable Region callee(int exit) {
        return callee(core, exits[exit].taken);
    }

    @Override
    public @Nullable Region calleeAt(long rip) {
        Block b = core.jumps[Core.slot(rip, core.key)];
        boolean there = direct && b.rip == rip && b.key == core.key;
        return there ? callee(core, b) : null;
    }

    @Override
    @Nullable Op exec(Core core) {
        if (!usable()) {
            regions.unusable++;
            return core.plain(block.rip);
        }
        Lockstep lockstep = core.lockstep;
        return lockstep == null ? goOn(run()) : lockstep.exec(this);
    }

    /** Its code is given up. */
    void lost(Loss why) {
        region.known = 0;
        if (!block.dropped) {
            regions.counts.lost(block, why);
        }
    }

    /**
     * Runs the region, and those that it leads to unless each is to be verified by itself.
     *
     * @return as {@link Region#run}
     */
    int run() {
        core.depth = 0;
        regions.runs++;
        long before = core.retired;
        int exit = core.lockstep == null ? region.runOn(core) : region.run(core);
        regions.retired += core.retired - before;
        return exit;
    }

    /** Goes on after the region has run. */
    @Nullable Op goOn(int exit) {
        if (exit == Region.INDIRECT) {
            regions.indirect++;
            return block.csBase == 0 ? core.jump(core.rip) : core.leave(core.rip);
        }
        if (exit == Region.PLAIN) {
            regions.plain++;
            return core.plain(core.rip);
        }
        if (exit == Region.ELSEWHERE) {
            regions.elsewhere++;
            return core.resume();
        }
        return left().go(exit);
    }

    /** The region that was left by a numbered exit, or refused to run. */
    RegionOp left() {
        return (RegionOp) regions.path.left();
    }

    private @Nullable Op go(int exit) {
        if (exit == Region.REFUSED) {
            regions.refusals++;
            return core.plain(block.rip);
        }
        return exits[exit].take(core);
    }

    /** The region of a block, if that can be run at once. */
    private static @Nullable Region callee(Core core, Block b) {
        if (core.knows(b.known) && b.first instanceof RegionOp to && to.usable()) {
            return to.region;
        }
        return null;
    }

    /** Whether all of its pages are where they were. */
    private boolean usable() {
        return core.knows(region.known) || lookAgain();
    }

    private boolean lookAgain() {
        long known = block.known;
        for (int i = 0; i < pages.length; i++) {
            if (core.mmu.fetched(pages[i]) != frames[i]) {
                return false;
            }
            known &= core.mmu.know(region.known, pages[i]);
        }
        region.known = known;
        return true;
    }

    @Override
    Op fresh() {
        throw new IllegalStateException("belongs to one block");
    }

    /** A way out. */
    private static final class ExitOp extends BranchOp {
        ExitOp(Block block, long rip) {
            this.block = block;
            takenRip = rip;
        }

        @Override
        @Nullable Op exec(Core core) {
            return take(core);
        }

        @Override
        Op fresh() {
            throw new IllegalStateException("belongs to one region");
        }
    }
}
