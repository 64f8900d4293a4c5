package org.alcazar.engines.x86.interpreter;

/**
 * Pages that a core has decoded from while another core may still have had an unseen way to write
 * to them. What that wrote is code that a serialising instruction must make seen (APM volume 2,
 * 7.6.1): as long as the other one has not closed its way, the code is decoded anew.
 */
final class Unsettled {
    private static final int MAX = 32;

    private final X86Engine engine;
    private final Core core;
    private final long[] pages = new long[MAX];
    private int count;
    private boolean many;

    /** Of {@link X86Engine#protect}. */
    private long last;

    Unsettled(X86Engine engine, Core core) {
        this.engine = engine;
        this.core = core;
    }

    /** A page was protected by its number. */
    void add(long page, long protection) {
        last = protection;
        many |= count == MAX;
        if (!many) {
            pages[count++] = page;
        }
    }

    /** At a serialising instruction. The core obeys its orders afterwards. */
    void settle() {
        if (count == 0) {
            return;
        }
        if (engine.settled(last, core)) {
            count = 0;
            many = false;
        } else if (many) {
            core.cache.clear(Loss.UNSETTLED);
        } else {
            for (int i = 0; i < count; i++) {
                core.cache.drop(pages[i], Loss.UNSETTLED);
            }
        }
    }
}
