package org.alcazar.machine;

import org.alcazar.host.HostMemory;

/**
 * What is known of one page of a paged range of a {@link GuestPhysicalMap}: the host page, or
 * whatever the pager finds its contents by, and flags in the lowest 12 bits.
 */
public final class PageEntry {
    /** Nobody has written the page yet, or it was given back: it reads as zero. */
    public static final long ABSENT = 0;

    /** The page is in the host's memory. */
    public static final long PRESENT = 1;

    /** Others may have the host page too: it is copied before it is written. */
    public static final long SHARED = 1 << 1;

    /** Somebody wants to be asked before the guest writes. */
    public static final long PROTECTED = 1 << 2;

    /** The contents are on a file, at the page number that takes the place of the host page. */
    public static final long SWAPPED = 1 << 3;

    /** The guest has given the page back; the host page is the one that it had, or 0. */
    public static final long BALLOONED = 1 << 4;

    /** For the pager's policy: somebody has asked for the page since it looked last. */
    public static final long USED = 1 << 5;

    private PageEntry() {}

    /** Host-physical address of the page, or the place on the file times the size of a page. */
    public static long host(long entry) {
        return entry & -HostMemory.PAGE_SIZE;
    }

    public static boolean isPresent(long entry) {
        return (entry & PRESENT) != 0;
    }

    /** Whether it is this guest's alone, and there. */
    public static boolean isOwned(long entry) {
        return (entry & (PRESENT | SHARED)) == PRESENT;
    }

    /** Whether the guest may write without anybody being asked. */
    public static boolean isWritable(long entry) {
        return (entry & (PRESENT | SHARED | PROTECTED)) == PRESENT;
    }

    /** Whether it reads as zero when it is touched next. */
    public static boolean isForgotten(long entry) {
        return (entry & (PRESENT | SWAPPED)) == 0;
    }
}
