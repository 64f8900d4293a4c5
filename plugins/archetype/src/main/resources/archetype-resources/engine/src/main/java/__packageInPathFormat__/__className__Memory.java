package ${package};

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.host.HostRam;

/** The walk through the tables of a paging mode: four levels (AMD64 APM volume 2, 5.3). */
final class ${className}Memory {
    static final long MISSING = -1;

    private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

    private ${className}Memory() {}

    /** Host-physical address behind a guest-physical one, or {@link #MISSING}. */
    static long toHost(long root, long address) {
        long table = root;
        for (int shift = 39; ; shift -= 9) {
            long entry = HostRam.getLong(table + (address >>> shift & 511) * Long.BYTES);
            if ((entry & Bits.PTE_P) == 0) {
                return MISSING;
            }
            if (shift == 12 || (entry & Bits.PTE_PS) != 0) {
                long within = (1L << shift) - 1;
                return (entry & ADDRESS & ~within) + (address & within);
            }
            table = entry & ADDRESS;
        }
    }
}
