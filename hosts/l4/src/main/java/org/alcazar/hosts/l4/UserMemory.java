package org.alcazar.hosts.l4;

import org.alcazar.host.HostMemory;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.machine.RamPages;

/**
 * The memory of a native program: what sigma0 as the default pager gives it, and the filling of
 * hardware's tables. Only the program's own carrier calls it.
 */
final class UserMemory {
    /** Where user addresses end; behind are the message registers. */
    static final long END = 0x7fef_0000_0000L;

    /** Where the page is that says whose turn it is. */
    static final long CURRENT = 0x7fef_ffff_f000L;

    /** Message registers of thread n are so many pages behind this. */
    static final long UTCBS = 0x7ff0_0000_0000L;

    private static final long PAGE = HostMemory.PAGE_SIZE;

    private final MicroKernel kernel;
    private final PagePool pool;

    UserMemory(MicroKernel kernel, PagePool pool) {
        this.kernel = kernel;
        this.pool = pool;
    }

    /** What came of a wish for a page. */
    enum Outcome {
        /** It is there. */
        PRESENT,
        /** Nothing is mapped there. */
        ABSENT,
        /** Something is, without the right to this. */
        FORBIDDEN,
        /** The program has used up its memory. */
        EXHAUSTED
    }

    /** Lets hardware see what is mapped at an address, if that allows the access. */
    Outcome see(NativeSpace space, long address, int rights) {
        long at = address & -PAGE;
        long[] found = new long[1];
        int allowed =
                kernel.with(database -> {
                    Mapping mapping = at < 0 || at >= END ? null : space.space().find(at);
                    if (mapping == null) {
                        return -1;
                    }
                    found[0] = mapping.physical + (at - mapping.at);
                    return mapping.rights;
                });
        if (allowed < 0) {
            return Outcome.ABSENT;
        }
        if ((allowed & rights) != rights) {
            return Outcome.FORBIDDEN;
        }
        return space.tables().set(at, found[0], allowed)
                        || reclaimThen(space, at, found[0], allowed)
                ? Outcome.PRESENT
                : Outcome.EXHAUSTED;
    }

    private boolean reclaimThen(NativeSpace space, long at, long page, int rights) {
        return pool.reclaim(kernel) && space.tables().set(at, page, rights);
    }

    /** sigma0's answer to a page fault: a page of zeros, if the address may have one. */
    Outcome give(NativeSpace space, long address, int rights) {
        long at = address & -PAGE;
        if (at < ElfImage.LOWEST || at >= END) {
            return Outcome.FORBIDDEN;
        }
        long page = take();
        if (page == PagePool.NONE) {
            return Outcome.EXHAUSTED;
        }
        if (!map(space, page, at, rights)) {
            pool.give(page);
            return Outcome.EXHAUSTED;
        }
        return Outcome.PRESENT;
    }

    /** A zeroed page, if need be one that nobody has mapped any more. */
    long take() {
        long page = pool.take();
        return page == PagePool.NONE && pool.reclaim(kernel) ? pool.take() : page;
    }

    /** Has sigma0 map one of the program's pages. */
    boolean map(NativeSpace space, long page, long at, int rights) {
        Primitives<L4Primitive> primitives = kernel.primitives();
        primitives.count(L4Primitive.PAGE_ALLOCATION);
        return kernel.with(d ->
                d.map(
                        d.sigma0(),
                        Flexpage.of(page, Flexpage.LEAST_SHIFT, rights),
                        space.space(),
                        at));
    }

    /** A page for the kernel itself. */
    long keep() {
        long page = pool.keep();
        return page == PagePool.NONE && pool.reclaim(kernel) ? pool.keep() : page;
    }

    /** The kernel's own page is of no more use. */
    void release(long page) {
        pool.give(page);
    }

    /** Which page is mapped at an address, whatever the rights; {@link PagePool#NONE} if none. */
    long pageAt(NativeSpace space, long at) {
        return kernel.with(database -> {
            Mapping mapping = space.space().find(at);
            return mapping == null ? PagePool.NONE : mapping.physical + (at - mapping.at);
        });
    }

    /**
     * Host-physical address behind a user's, for the kernel's own access on the thread's behalf; 0
     * if the thread may not do that itself. Pages that sigma0 would give it are given.
     */
    long translate(NativeThread thread, long address, int rights) {
        if (address < ElfImage.LOWEST || address >= END) {
            return 0;
        }
        int lacking = Flexpage.READ | Flexpage.WRITE;
        if (pageAt(thread.space, address) == PagePool.NONE
                && (thread.pager != ThreadIds.SIGMA0
                        || give(thread.space, address, lacking) != Outcome.PRESENT)) {
            return 0;
        }
        return kernel.with(database -> {
            Mapping mapping = thread.space.space().find(address);
            return mapping == null || (mapping.rights & rights) != rights
                    ? 0L
                    : mapping.physical + (address - mapping.at);
        });
    }

    /** Bytes up to the end of the page. */
    static int leftInPage(long address, long bytes) {
        return (int) Math.min(bytes, PAGE - (address & PAGE - 1));
    }

    /** Loads a segment's piece of a page that is nobody's yet. */
    static void fill(long page, int offset, byte[] from, int at, int bytes) {
        RamPages.write(page + offset, from, at, bytes);
    }

    static void word(long address, long value) {
        RamPages.setLong(address, value);
    }
}
