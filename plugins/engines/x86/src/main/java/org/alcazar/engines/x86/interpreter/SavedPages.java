package org.alcazar.engines.x86.interpreter;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import org.alcazar.engines.x86.mmu.Mmu;
import org.alcazar.engines.x86.mmu.WritablePages;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;

import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * Contents of the pages that a core may write to: before a region ran, and what it made of those
 * that it changed.
 */
final class SavedPages {
    private static final int PAGE = (int) HostMemory.PAGE_SIZE;

    /** A page that was saved in vain so often is not worth it. */
    private static final int IDLE = 24;

    private final Mmu mmu;
    private final WritablePages writable;
    private final MemorySegment ram = HostRam.slice(0, HostRam.SIZE);
    private final MemorySegment before = MemorySegment.ofArray(new byte[WritablePages.MAX * PAGE]);
    private final MemorySegment after = MemorySegment.ofArray(new byte[WritablePages.MAX * PAGE]);
    private final long[] pages = new long[WritablePages.MAX];
    private final boolean[] changed = new boolean[WritablePages.MAX];
    private int count;

    /** Their numbers among the writable ones. */
    private final int[] numbers = new int[WritablePages.MAX];

    /** By these numbers: how often they were saved in vain, one after the other. */
    private final int[] idle = new int[WritablePages.MAX];

    SavedPages(Mmu mmu, WritablePages writable) {
        this.mmu = mmu;
        this.writable = writable;
    }

    /** Copies all that could be written. */
    void save() {
        count = 0;
        long tag = mmu.tag();
        for (int i = 0; i < WritablePages.MAX; i++) {
            long page = writable.page(i, tag);
            if (page >= 0 && !known(page)) {
                MemorySegment.copy(ram, page, before, (long) count * PAGE, PAGE);
                changed[count] = false;
                numbers[count] = i;
                pages[count++] = page;
            }
        }
    }

    /** Whether a page is there already: it may be mapped twice. */
    private boolean known(long page) {
        for (int i = 0; i < count; i++) {
            if (pages[i] == page) {
                return true;
            }
        }
        return false;
    }

    /** A page that was looked up for writing and is none of the saved ones, or -1. */
    long writtenElsewhere() {
        for (int i = 0; writable.lookup(i) >= 0; i++) {
            if (!known(writable.lookup(i))) {
                return writable.lookup(i);
            }
        }
        return -1;
    }

    /** Notes what has been written since, and undoes it. */
    void undo() {
        for (int i = 0; i < count; i++) {
            long at = (long) i * PAGE;
            long page = pages[i];
            if (mismatch(page, before, at) >= 0) {
                changed[i] = true;
                idle[numbers[i]] = 0;
                MemorySegment.copy(ram, page, after, at, PAGE);
                MemorySegment.copy(before, at, ram, page, PAGE);
            } else if (++idle[numbers[i]] == IDLE) {
                // Few pages make it fast.
                idle[numbers[i]] = 0;
                writable.remove(numbers[i]);
            }
        }
    }

    /** Undoes what has been written since by whatever, for another try. */
    void putBack() {
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(before, (long) i * PAGE, ram, pages[i], PAGE);
        }
    }

    /** Lines for what is not as it was before {@link #undo}; empty if all is. */
    String differences() {
        String text = "";
        for (int i = 0; i < count; i++) {
            long at = (long) i * PAGE;
            MemorySegment expected = changed[i] ? after : before;
            long first = mismatch(pages[i], expected, at);
            if (first >= 0) {
                long word = first & -8;
                text +=
                        String.format(
                                Locale.ROOT,
                                "  quadword at host address %x %x, but %x; before %x%n",
                                pages[i] + word,
                                expected.get(JAVA_LONG_UNALIGNED, at + word),
                                HostRam.getLong(pages[i] + word),
                                before.get(JAVA_LONG_UNALIGNED, at + word));
            }
        }
        return text;
    }

    private long mismatch(long page, MemorySegment other, long at) {
        return MemorySegment.mismatch(ram, page, page + PAGE, other, at, at + PAGE);
    }
}
