package org.alcazar.engines.x86.interpreter;

/**
 * What other threads want of a core's decoded code and of its ways to write: a bounded set of
 * pages, since a core may sleep for long while others rewrite code. When it is full, the order is
 * for all pages.
 */
final class Orders {
    /** The page's code was written: drop what is decoded of it. */
    static final int DROP = 1;

    /** Somebody decodes from the page: close the unseen ways to write to it. */
    static final int PROTECT = 2;

    static final int MAX = 64;

    /** Pages with their orders in the low bits. */
    private final long[] pages = new long[MAX];

    private int count;

    /** Orders for all pages. */
    private int all;

    private volatile boolean waiting;

    /** From any thread, which tells the core then. */
    synchronized void add(long page, int order) {
        waiting = true;
        for (int i = 0; i < count; i++) {
            if ((pages[i] & -4) == page) {
                pages[i] |= order;
                return;
            }
        }
        if (count < MAX) {
            pages[count++] = page | order;
        } else {
            all |= order;
        }
    }

    /** As {@link #add}, for all pages. */
    synchronized void addForAll(int order) {
        waiting = true;
        all |= order;
    }

    /** Whether there is anything to take. */
    boolean waiting() {
        return waiting;
    }

    /**
     * Empties the set.
     *
     * @param into of {@link #MAX} + 1: the orders for all pages, then pages with their orders
     * @return how many pages
     */
    synchronized int take(long[] into) {
        waiting = false;
        into[0] = all;
        System.arraycopy(pages, 0, into, 1, count);
        int taken = count;
        all = 0;
        count = 0;
        return taken;
    }
}
