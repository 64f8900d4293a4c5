package org.alcazar.engines.x86.interpreter;

import org.alcazar.host.HostMemory;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The decoded code of one core by host-physical page. Used by the core's own thread only. */
final class CodeCache {
    /**
     * When more instructions than this have been decoded since the last time, everything is thrown
     * away: for all cores of a machine together, and what each may have at least. A Linux boot has
     * half of that.
     */
    private static final int MAX_INSTRUCTIONS = 1_000_000;

    private static final int MIN_INSTRUCTIONS = 50_000;

    private static final int RECENT = 1024;

    private final Map<Long, CodePage> pages = new HashMap<>();
    private final @Nullable CodePage[] recent = new @Nullable CodePage[RECENT];
    private int instructions;

    /** Blocks dropped since the start. */
    long dropped;

    private static int recentSlot(long page) {
        return (int) (page >>> HostMemory.PAGE_SHIFT) & RECENT - 1;
    }

    /** The page around a host-physical address, or null if nothing in it is decoded. */
    @Nullable CodePage find(long hpa) {
        long page = hpa & -HostMemory.PAGE_SIZE;
        CodePage at = recent[recentSlot(page)];
        if (at != null && at.address == page) {
            return at;
        }
        at = pages.get(page);
        if (at != null) {
            recent[recentSlot(page)] = at;
        }
        return at;
    }

    private CodePage make(long hpa) {
        CodePage at = find(hpa);
        if (at == null) {
            at = new CodePage(hpa & -HostMemory.PAGE_SIZE);
            pages.put(at.address, at);
        }
        return at;
    }

    /** Enters a block whose pages are marked as code already. */
    void add(Block block) {
        make(block.hpa).add(block);
        if (block.hpa2 >= 0) {
            make(block.hpa2).addGuest(block);
        }
        instructions += block.instructions;
    }

    /** A block stands for others too from now on: it goes when the page of any of them does. */
    void spread(Block block, List<Block> others) {
        Set<Long> pages = new HashSet<>();
        for (Block b : others) {
            pages.add(b.hpa & -HostMemory.PAGE_SIZE);
            if (b.hpa2 >= 0) {
                pages.add(b.hpa2);
            }
        }
        pages.remove(block.hpa & -HostMemory.PAGE_SIZE);
        for (long page : pages) {
            make(page).addGuest(block);
        }
    }

    /**
     * @param cores how many the machine has
     */
    boolean full(int cores) {
        return instructions > Math.max(MIN_INSTRUCTIONS, MAX_INSTRUCTIONS / cores);
    }

    /** Forgets the code in a page. @return whether there was any */
    boolean drop(long hpa, Loss why) {
        long page = hpa & -HostMemory.PAGE_SIZE;
        CodePage gone = pages.remove(page);
        if (gone == null) {
            return false;
        }
        if (recent[recentSlot(page)] == gone) {
            recent[recentSlot(page)] = null;
        }
        dropped += gone.drop(why);
        return true;
    }

    /** Whether there is code of a page. */
    boolean has(long page) {
        return pages.containsKey(page);
    }

    /** The pages with code. */
    Set<Long> pages() {
        return pages.keySet();
    }

    /** Forgets everything. Its pages stay marked: other cores may have code there. */
    void clear(Loss why) {
        for (CodePage page : pages.values()) {
            dropped += page.drop(why);
        }
        pages.clear();
        Arrays.fill(recent, null);
        instructions = 0;
    }
}
