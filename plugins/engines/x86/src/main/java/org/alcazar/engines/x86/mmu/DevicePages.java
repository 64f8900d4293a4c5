package org.alcazar.engines.x86.mmu;

import java.util.Arrays;

/**
 * Guest-physical pages where the VMM has said that accesses with certain rights go to a device by
 * an exit. A small open-addressed table.
 */
final class DevicePages {
    private static final long FREE = -1;

    private long[] pages = fresh(64);
    private int[] rights = new int[64];
    private int count;

    /** Rights with which the page is a device; 0 for none. */
    int rights(long page) {
        return rights[slot(page)];
    }

    void add(long page, int mask) {
        int at = slot(page);
        if (pages[at] == FREE) {
            if (++count > pages.length / 2) {
                grow();
                at = slot(page);
            }
            pages[at] = page;
        }
        rights[at] |= mask;
    }

    void clear() {
        if (count != 0) {
            Arrays.fill(pages, FREE);
            Arrays.fill(rights, 0);
            count = 0;
        }
    }

    private int slot(long page) {
        int mask = pages.length - 1;
        int at = (int) (page >>> 12 ^ page >>> 20) & mask;
        while (pages[at] != FREE && pages[at] != page) {
            at = at + 1 & mask;
        }
        return at;
    }

    private void grow() {
        long[] oldPages = pages;
        int[] oldRights = rights;
        pages = fresh(oldPages.length * 2);
        rights = new int[pages.length];
        for (int i = 0; i < oldPages.length; i++) {
            if (oldPages[i] != FREE) {
                int at = slot(oldPages[i]);
                pages[at] = oldPages[i];
                rights[at] = oldRights[i];
            }
        }
    }

    private static long[] fresh(int size) {
        long[] out = new long[size];
        Arrays.fill(out, FREE);
        return out;
    }
}
