package org.alcazar.engines.x86.interpreter;

/** Finds the block at a core's RIP, decodes it where there is none. */
final class BlockFinder {
    private final Core core;
    private final BlockBuilder builder;
    private final X86Engine engine;

    /** Blocks so far. */
    long decoded;

    BlockFinder(Core core, BlockBuilder builder, X86Engine engine) {
        this.core = core;
        this.builder = builder;
        this.engine = engine;
    }

    Block lookup(int key) {
        long rip = core.rip;
        int slot = Core.slot(rip, key);
        Block b = core.jumps[slot];
        if (b.rip == rip && b.key == key && b.csBase == core.segmentBase[1] && !b.dropped) {
            if (core.knows(b.known)) {
                return b;
            }
            if (core.mmu.fetch(b.linear()) == b.hpa && sameSecondPage(b)) {
                know(b);
                return b;
            }
        }
        b = search(key);
        if ((key & Block.SINGLE) == 0 && b.hpa >= 0) {
            know(b);
            if (b.csBase == 0) {
                core.jumps[slot] = b;
            }
        }
        return b;
    }

    private void know(Block b) {
        long word = core.mmu.know(b.known, b.linear());
        b.known = b.hpa2 < 0 ? word : word & core.mmu.know(b.known, b.secondPage());
    }

    private boolean sameSecondPage(Block b) {
        return b.hpa2 < 0 || core.mmu.fetch(b.secondPage()) == b.hpa2;
    }

    private Block search(int key) {
        long base = core.segmentBase[1];
        boolean wide = (key & Block.MODE) == Block.MODE_64;
        if (!wide && Long.compareUnsigned(core.rip, core.segmentLimit[1]) > 0) {
            throw core.generalProtection(0);
        }
        long la = wide ? core.rip : base + core.rip & 0xffffffffL;
        long hpa = core.mmu.fetch(la);
        if (hpa < 0) {
            return builder.build(core, la, hpa, key);
        }
        CodePage page = core.cache.find(hpa);
        if (page != null) {
            Block known = page.find(hpa, core.rip, base, key);
            if (known != null) {
                if (sameSecondPage(known)) {
                    return known;
                }
                page.remove(known);
            }
        }
        if (core.cache.full(engine.cores())) {
            core.cache.clear(Loss.FULL);
        }
        core.protect(hpa);
        Block made = builder.build(core, la, hpa, key);
        decoded++;
        if (made.hpa >= 0) {
            if (core.regions != null) {
                core.regions.watch(made);
            }
            core.cache.add(made);
        }
        return made;
    }
}
