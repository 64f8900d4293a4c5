package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.state.Cpu;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * The address spaces (contexts, PCIDs) that a core was in lately: the views of each, which are good
 * again when it comes back, and words that say in which spaces an address is known to lead to some
 * code.
 *
 * <p>Such a word has an era in its high half and a bit for each space of the era in its low half;
 * global pages have all bits. A space that is flushed gets a new bit. What may touch global pages,
 * or a page that code was fetched from, begins a new era, and so does the use of the last bit.
 */
final class Spaces {
    /** One generation of a view's tags, and where they end. */
    private static final long TAG = 8;

    private static final long LAST_TAG = 4096;

    /** Entries of a view at first, and at most: that of a core, and those of all cores together. */
    private static final int FEW = 1024;

    private static final int MANY = 32768;
    private static final int MOST = 65536;

    /** Linux has six at a time. */
    private static final int MAX = 8;

    private static final int BITS = 32;
    private static final long ALL = (1L << BITS) - 1;

    /** Hashed pages that code was fetched from in this era. */
    private static final int FETCHED = 1 << 17;

    private static final class Space {
        final long[][] views = new long[Mmu.VIEWS][];

        /** By view, how many good entries have given way to others since it has its size. */
        final int[] displaced = new int[Mmu.VIEWS];

        int context = -1;
        long tag = TAG;

        /** The era in which {@link #bit} is its own. */
        long era;

        int bit;
        long used;

        void forget() {
            tag += TAG;
            if (tag == LAST_TAG) {
                for (long[] v : views) {
                    if (v != null) {
                        Arrays.fill(v, 0);
                    }
                }
                tag = TAG;
            }
        }

        long[] view(int number) {
            long[] v = views[number];
            if (v == null) {
                v = new long[4 * FEW];
                views[number] = v;
            }
            return v;
        }
    }

    private final Cpu cpu;
    private final Space[] spaces = new Space[MAX];
    private Space present;
    private long uses;
    private long era;
    private int bits = BITS;
    private final long[] fetched = new long[FETCHED / Long.SIZE];

    Spaces(Cpu cpu) {
        this.cpu = cpu;
        for (int i = 0; i < MAX; i++) {
            spaces[i] = new Space();
        }
        present = spaces[0];
        present.context = 0;
        renew(present);
        enter(present);
    }

    /**
     * One of the present space's views; the same array until it grows or another space is selected.
     */
    long[] view(int number) {
        return present.view(number);
    }

    /**
     * Notes that a good entry of one of the present views gives way to another.
     *
     * @return whether that is because it is small: it is larger now, and empty
     */
    boolean crowds(int view) {
        int length = present.views[view].length;
        int most = Math.min(MANY, MOST / cpu.cores);
        if (++present.displaced[view] <= length || 2 * length > 4 * most) {
            return false;
        }
        present.displaced[view] = 0;
        present.views[view] = new long[2 * length];
        return true;
    }

    /** What the tags that count have in their low bits in the present space. */
    long tag() {
        return present.tag;
    }

    // ---- which is the present one

    /**
     * @param keep false to forget what is known of it
     */
    void select(int context, boolean keep) {
        Space to = find(context);
        if (to == null) {
            to = spaces[0];
            for (Space s : spaces) {
                to = s.used < to.used ? s : to;
            }
            to.context = context;
            flush(to);
        } else if (!keep) {
            flush(to);
        } else if (to.era != era) {
            renew(to);
        }
        enter(to);
    }

    private @Nullable Space find(int context) {
        for (Space s : spaces) {
            if (s.context == context) {
                return s;
            }
        }
        return null;
    }

    private void enter(Space to) {
        present = to;
        to.used = ++uses;
        cpu.space = era << BITS | 1L << to.bit;
        cpu.spaceMask = ~ALL | 1L << to.bit;
    }

    private void flush(Space space) {
        space.forget();
        renew(space);
    }

    private void renew(Space space) {
        if (bits == BITS) {
            newEra();
        }
        space.era = era;
        space.bit = bits++;
    }

    private void newEra() {
        era++;
        bits = 0;
        Arrays.fill(fetched, 0);
    }

    // ---- changes

    /** Forgets one space but for its global pages' code. */
    void flushContext(int context) {
        Space space = find(context);
        if (space != null) {
            flush(space);
            reenter();
        }
    }

    /** Forgets all. */
    void flushAll() {
        forgetViews();
        newEra();
        reenter();
    }

    /** Empties the views of all spaces. */
    void forgetViews() {
        for (Space s : spaces) {
            s.forget();
        }
    }

    private void forgetOthers() {
        for (Space s : spaces) {
            if (s != present) {
                s.forget();
            }
        }
    }

    private void reenter() {
        if (present.era != era) {
            renew(present);
        }
        enter(present);
    }

    /**
     * Takes pages out of the views of all spaces.
     *
     * @param first linear address
     * @param bytes how far
     */
    void drop(long first, long bytes) {
        boolean code = false;
        for (long page = first; page - first < bytes; page += 4096) {
            code |= wasFetched(page);
            if (bytes > 4096) {
                drop(present, page);
            } else {
                for (Space s : spaces) {
                    drop(s, page);
                }
            }
        }
        if (bytes > 4096) {
            forgetOthers();
        }
        if (code) {
            newEra();
            reenter();
        }
    }

    private static void drop(Space space, long page) {
        for (long[] v : space.views) {
            if (v != null) {
                int at = View.index(v, page);
                v[at] = 0;
                v[at + Mmu.WRITE_TAG] = 0;
                v[at + Mmu.FETCH_TAG] = 0;
            }
        }
    }

    /** No tag for writing leads to a host-physical page any more. */
    void dropWritable(long page) {
        for (long[] v : present.views) {
            if (v != null) {
                View.dropWritable(v, page);
            }
        }
        forgetOthers();
    }

    // ---- code

    /**
     * Adds the present space to a word.
     *
     * @param linear an address that leads to the code that the word is for
     * @param global whether it does so in all spaces
     */
    long know(long word, long linear, boolean global) {
        int hash = hash(linear);
        fetched[hash >> 6] |= 1L << hash;
        long known = word >>> BITS == era ? word : era << BITS;
        return known | (global ? ALL : 1L << present.bit);
    }

    private boolean wasFetched(long linear) {
        int hash = hash(linear);
        return (fetched[hash >> 6] >>> hash & 1) != 0;
    }

    private static int hash(long linear) {
        return (int) (linear >>> 12 ^ linear >>> 29) & FETCHED - 1;
    }
}
