package org.alcazar.engines.x86.api;

/**
 * One format of page tables (APM volume 2, chapter 5): how many levels, how wide entries are, which
 * of them may be pages, and which bits must be zero. Level 0 holds the entries of 4 KiB pages. The
 * page-directory pointers of PAE are registers, not a level.
 *
 * @param levels levels in memory
 * @param entryBytes 4 or 8
 * @param indexBits bits of the linear address that index one level
 * @param largeLevels mask of the levels whose entries may be pages
 * @param reservedTable by level: must-be-zero bits of entries that point to a table (level 0: of
 *     page entries)
 * @param reservedLarge by level: must-be-zero bits of entries that are large pages
 */
@SuppressWarnings("ArrayRecordComponent") // a walk must not allocate; nobody changes them
public record TableFormat(
        int levels,
        int entryBytes,
        int indexBits,
        int largeLevels,
        long[] reservedTable,
        long[] reservedLarge) {
    /** The address in an entry of 8 bytes. */
    public static final long ADDRESS = 0x000f_ffff_ffff_f000L;

    /** No entry of any format has more levels than this. */
    public static final int MAX_LEVELS = 5;

    /** 10 + 10 + 12 bits; 4 MiB pages, which reach 40 physical bits, if {@code pse}. */
    public static TableFormat twoLevel(boolean pse) {
        long[] table = new long[MAX_LEVELS];
        long[] large = new long[MAX_LEVELS];
        large[1] = 1 << 21;
        return new TableFormat(2, 4, 10, pse ? 2 : 0, table, large);
    }

    /** 9 + 9 + 12 bits below four pointers in registers. */
    public static TableFormat pae(int physicalBits, boolean noExecute) {
        long base = mask(physicalBits, 62) | (noExecute ? 0 : Bits.PTE_NX);
        return new TableFormat(
                2,
                8,
                9,
                2,
                new long[] {base, base, 0, 0, 0},
                new long[] {0, base | mask(13, 20), 0, 0, 0});
    }

    /**
     * Four or five times 9 bits.
     *
     * @param gigabyte whether 1 GiB pages exist
     */
    public static TableFormat longMode(
            int levels, int physicalBits, boolean noExecute, boolean gigabyte) {
        long base = mask(physicalBits, 51) | (noExecute ? 0 : Bits.PTE_NX);
        // AMD reserves the global bit of entries that point to tables at the upper levels, Intel
        // ignores it.
        long upper = base | Bits.PTE_G;
        long[] table = {
            base, base, upper, upper | Bits.PTE_PS, upper | Bits.PTE_PS,
        };
        if (!gigabyte) {
            table[2] |= Bits.PTE_PS;
        }
        long[] large = {0, base | mask(13, 20), base | mask(13, 29), 0, 0};
        return new TableFormat(levels, 8, 9, gigabyte ? 6 : 2, table, large);
    }

    /** PAE's page-directory pointers: bits that must be zero. */
    public static long reservedPointer(int physicalBits) {
        return mask(physicalBits, 63) | mask(5, 8) | mask(1, 2);
    }

    /** Log2 of the bytes that an entry of a level maps. */
    public int shift(int level) {
        return 12 + level * indexBits;
    }

    /** Whether an entry of a level above 0 is a page. */
    public boolean isLarge(int level, long entry) {
        return (largeLevels >> level & 1) != 0 && (entry & Bits.PTE_PS) != 0;
    }

    /** The bits of a present entry that must be zero and are not. */
    public long reserved(int level, long entry) {
        return entry & (isLarge(level, entry) ? reservedLarge[level] : reservedTable[level]);
    }

    /** Physical address of the page or table that an entry points to. */
    public long target(int level, long entry) {
        if (entryBytes == 4) {
            return isLarge(level, entry)
                    ? entry & 0xffc0_0000L | (entry >>> 13 & 0xff) << 32
                    : entry & 0xffff_f000L;
        }
        return isLarge(level, entry) ? entry & ADDRESS & -(1L << shift(level)) : entry & ADDRESS;
    }

    /** Bits {@code low} to {@code high}; none if {@code low} is greater. */
    private static long mask(int low, int high) {
        return low > high ? 0 : -1L >>> 63 - high & -1L << low;
    }
}
