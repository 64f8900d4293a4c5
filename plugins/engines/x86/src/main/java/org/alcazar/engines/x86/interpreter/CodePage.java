package org.alcazar.engines.x86.interpreter;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** All blocks of one core that have bytes in one host-physical page. */
final class CodePage {
    private static final int SLOTS = 64;

    /** Host-physical address. */
    final long address;

    private final @Nullable Block[] heads = new @Nullable Block[SLOTS];

    /** Blocks that start in the page before and reach into this one. */
    private final List<Block> guests = new ArrayList<>();

    CodePage(long address) {
        this.address = address;
    }

    private static int slot(long hpa) {
        return (int) (hpa ^ hpa >>> 6) & SLOTS - 1;
    }

    @Nullable Block find(long hpa, long rip, long csBase, int key) {
        for (Block b = heads[slot(hpa)]; b != null; b = b.sibling) {
            if (b.hpa == hpa && b.rip == rip && b.key == key && b.csBase == csBase && !b.dropped) {
                return b;
            }
        }
        return null;
    }

    void add(Block block) {
        int slot = slot(block.hpa);
        block.sibling = heads[slot];
        heads[slot] = block;
    }

    /** Notes a block that starts in another page. */
    void addGuest(Block block) {
        guests.add(block);
    }

    /** Drops a block whose second page has moved. */
    void remove(Block gone) {
        int slot = slot(gone.hpa);
        Block before = null;
        for (Block b = heads[slot]; b != null; b = b.sibling) {
            if (b == gone) {
                if (before == null) {
                    heads[slot] = b.sibling;
                } else {
                    before.sibling = b.sibling;
                }
                gone.drop(Loss.MOVED);
                return;
            }
            before = b;
        }
    }

    /** Drops all blocks. @return how many */
    int drop(Loss why) {
        int n = 0;
        for (Block head : heads) {
            for (Block b = head; b != null; b = b.sibling) {
                b.drop(why);
                n++;
            }
        }
        for (Block b : guests) {
            b.drop(why);
            n++;
        }
        Arrays.fill(heads, null);
        guests.clear();
        return n;
    }
}
