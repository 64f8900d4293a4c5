package org.alcazar.loaders;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader;

/** What holds at the entry of any kernel of one mode. */
final class Entry {
    private static final int CODE = 0x10;
    private static final int DATA = 0x18;

    private Entry() {}

    /** Loads an image that is to be refused in one line. */
    static String refusal(GuestLoader loader, FakeBoot boot) {
        String message =
                String.valueOf(
                        assertThrows(ConfigurationException.class, () -> loader.load(boot))
                                .getMessage());
        assertFalse(message.contains("\n"), message);
        return message;
    }

    static void assertProtectedMode(FakeBoot boot, long entry) {
        assertFlat(boot, entry, 0xc9b);
        assertEquals(Bits.CR0_PE | Bits.CR0_ET, boot.control(X86.CR0));
        assertEquals(0, boot.control(X86.CR4));
        assertEquals(0, boot.control(X86.EFER));
    }

    static void assertLongMode(FakeBoot boot, long entry) {
        assertFlat(boot, entry, 0xa9b);
        assertEquals(Bits.CR0_PE | Bits.CR0_ET | Bits.CR0_PG, boot.control(X86.CR0));
        assertEquals(Bits.CR4_PAE, boot.control(X86.CR4));
        assertEquals(Bits.EFER_LME | Bits.EFER_LMA, boot.control(X86.EFER));
        for (long address : new long[] {0, 0x1234_5678L, entry, 0x7fff_ffffL, 0xffff_ffffL}) {
            assertEquals(address, walk(boot, address));
        }
        assertEquals(-1, walk(boot, 1L << 32));
    }

    private static void assertFlat(FakeBoot boot, long entry, int code) {
        assertEquals(entry, boot.general(X86.RIP));
        assertEquals(2, boot.general(X86.RFLAGS), "interrupts are off");
        for (int s = X86.ES; s <= X86.GS; s++) {
            assertEquals(s == X86.CS ? CODE : DATA, boot.segment(s, X86.SELECTOR));
            assertEquals(0, boot.segment(s, X86.BASE));
            assertEquals(0xffff_ffffL, boot.segment(s, X86.LIMIT));
            assertEquals(s == X86.CS ? code : 0xc93, boot.segment(s, X86.ATTRIBUTES));
        }
        long[] segments = boot.core.group(X86.SEGMENTS);
        long gdt = segments[X86.GDTR_BASE];
        assertTrue(segments[X86.GDTR_LIMIT] >= DATA + 7);
        assertEquals(descriptor(code), boot.memory.readLong(gdt + CODE), "reloads change nothing");
        assertEquals(descriptor(0xc93), boot.memory.readLong(gdt + DATA));
        long groups = 1L << X86.GENERAL | 1L << X86.SEGMENTS | 1L << X86.CONTROL | 1L << X86.MSRS;
        assertEquals(groups, boot.core.dirty);
        assertMemoryTypes(boot);
    }

    /** APM volume 2, 4.7: limit 0xfffff in pages, base 0. */
    private static long descriptor(int attributes) {
        return 0x000f_0000_0000_ffffL | (attributes & 0xffL) << 40 | (attributes >> 8 & 0xfL) << 52;
    }

    /** Write-back, but for 0xa0000 to 0xbffff and from 3 to 4 GiB (APM volume 2, 7.7). */
    static void assertMemoryTypes(FakeBoot boot) {
        assertMemoryTypes(boot.core.group(X86.MSRS));
        assertMemoryTypes(boot.other.group(X86.MSRS));
        assertEquals(1L << X86.MSRS, boot.other.dirty);
    }

    private static void assertMemoryTypes(long[] msrs) {
        for (int i = 0; i < 11; i++) {
            assertEquals(i == 2 ? 0 : 0x0606_0606_0606_0606L, msrs[X86.MTRR_FIXED0 + i]);
        }
        assertEquals(0xc000_0000L, msrs[X86.MTRR_PHYS_BASE0]);
        assertEquals(0xffff_c000_0800L, msrs[X86.MTRR_PHYS_BASE0 + 1]);
        assertEquals(0xc06, msrs[X86.MTRR_DEF_TYPE]);
    }

    private static long walk(FakeBoot boot, long address) {
        long table = boot.control(X86.CR3);
        for (int shift = 39; ; shift -= 9) {
            long entry = boot.memory.readLong(table + (address >>> shift & 511) * 8);
            if ((entry & 1) == 0) {
                return -1;
            }
            assertTrue((entry & Bits.PTE_RW) != 0);
            long target = entry & 0x000f_ffff_ffff_f000L;
            if (shift == 12 || shift < 39 && (entry & Bits.PTE_PS) != 0) {
                return target | address & (1L << shift) - 1;
            }
            table = target;
        }
    }
}
