package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.mmu.Guest;
import org.alcazar.engines.x86.mmu.Mmu;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuExit;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.machine.Exit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * Address spaces with numbers, protection keys, SMAP, and widths of addresses (APM volume 2,
 * chapters 3 and 5; SDM volume 3, 4.10).
 */
class AddressSpaceTest {
    private static final String TO_CR3 = "0f 22 d8", TO_CR4 = "0f 22 e0", FROM_CR3 = "0f 20 d8";
    private static final String INVPCID = "66 0f 38 82 1f", INVLPG = "0f 01 3f";
    private static final String STAC = "0f 01 cb", CLAC = "0f 01 ca", WRPKRU = "0f 01 ef";
    private static final long KEEP = 1L << 63, DESCRIPTOR = 0x20000;

    /** A page whose entry the tests change, and two that it leads to. */
    private static final long PAGE = 0x1_1000, ONE = 0x30000, TWO = 0x31000;

    private static final long ALL = Guest.PRESENT_USER;

    private final Guest guest = new Guest();
    private final Cpu cpu = guest.cpu;
    private final Mmu mmu = cpu.mmu;

    @BeforeEach
    void longMode() {
        guest.identity(ALL);
        guest.poke64(ONE, 1);
        guest.poke64(TWO, 2);
        cpu.gpr[X86.RDI] = DESCRIPTOR;
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private void run(String hex, long value) {
        cpu.gpr[X86.RAX] = value;
        Execute.code(cpu, hex);
    }

    private void refused(String hex, long value) {
        cpu.gpr[X86.RAX] = value;
        Execute.faults(cpu, Bits.GP, hex);
    }

    private void map(long to) {
        guest.entry(0x4000, PAGE >>> 12, to | ALL);
    }

    private long seen() {
        return mmu.read64(PAGE);
    }

    private int pageFault(Executable access) {
        CpuFault fault = assertThrows(CpuFault.class, access);
        assertEquals(Bits.PFV, fault.vector);
        return fault.errorCode;
    }

    private void contexts() {
        run(TO_CR4, cpu.cr4 | Bits.CR4_PCIDE | Bits.CR4_PGE);
    }

    private void invalidate(long type, long context, long linear) {
        guest.poke64(DESCRIPTOR, context);
        guest.poke64(DESCRIPTOR + 8, linear);
        cpu.gpr[X86.RBX] = type;
        Execute.code(cpu, INVPCID);
    }

    // ---- process contexts

    @Test
    @DisplayName("a context keeps its translations while another is used, if bit 63 asks for it")
    void contextsKeepTranslations() {
        contexts();
        map(ONE);
        run(TO_CR3, 0x1001);
        assertEquals(1, seen());
        map(TWO);
        run(TO_CR3, KEEP | 0x1002);
        assertEquals(2, seen(), "another context");
        run(TO_CR3, KEEP | 0x1001);
        assertEquals(1, seen(), "kept");
        run(TO_CR3, 0x1001);
        assertEquals(2, seen(), "flushed");
        run(FROM_CR3, 0);
        assertEquals(0x1001, cpu.gpr[X86.RAX], "bit 63 reads as zero");
    }

    @Test
    @DisplayName("a flush of one context leaves the others and all global pages")
    void flushOfAContext() {
        contexts();
        map(ONE);
        guest.entry(0x4000, 0x12, ONE | ALL | Bits.PTE_G);
        run(TO_CR3, 0x1001);
        assertEquals(1, seen());
        assertEquals(1, mmu.read64(0x12000));
        run(TO_CR3, 0x1002);
        map(TWO);
        guest.entry(0x4000, 0x12, TWO | ALL | Bits.PTE_G);
        run(TO_CR3, 0x1003);
        assertEquals(1, mmu.read64(0x12000), "global");
        run(TO_CR3, KEEP | 0x1001);
        assertEquals(1, seen());
    }

    @Test
    @DisplayName("thousands of switches and flushes never let an old translation shine")
    void numbersRunOut() {
        contexts();
        for (int i = 0; i < 10_000; i++) {
            int context = i * 37 & 0xfff;
            map((i & 1) == 0 ? ONE : TWO);
            run(TO_CR3, 0x1000 | context);
            assertEquals(1 + (i & 1), seen(), "switch " + i);
            run(TO_CR3, KEEP | 0x1000 | context + 1 & 0xfff);
            run(TO_CR3, KEEP | 0x1000 | context);
            assertEquals(1 + (i & 1), seen(), "back " + i);
        }
    }

    @Test
    @DisplayName("INVPCID forgets one page, one context, all, or all but global pages")
    void invpcid() {
        contexts();
        run(TO_CR3, 0x1001);
        for (int type = 0; type < 4; type++) {
            guest.entry(0x4000, 0x12, ONE | ALL | Bits.PTE_G);
            invalidate(2, 0, 0);
            map(ONE);
            assertEquals(1, seen());
            assertEquals(1, mmu.read64(0x12000));
            map(TWO);
            guest.entry(0x4000, 0x12, TWO | ALL | Bits.PTE_G);
            invalidate(type, type < 2 ? 1 : 0, PAGE);
            assertEquals(2, seen(), "type " + type);
            assertEquals(type == 2 ? 2 : 1, mmu.read64(0x12000), "global, type " + type);
        }
        map(ONE);
        run(TO_CR3, 0x1001);
        seen();
        map(TWO);
        invalidate(1, 2, 0);
        invalidate(0, 2, PAGE);
        assertEquals(1, seen(), "another context's");
        run(TO_CR3, KEEP | 0x1002);
        invalidate(1, 1, 0);
        run(TO_CR3, KEEP | 0x1001);
        assertEquals(2, seen(), "this context's, while another was in use");
        run(TO_CR3, KEEP | 0x1002);
        map(ONE);
        invalidate(0, 1, PAGE);
        run(TO_CR3, KEEP | 0x1001);
        assertEquals(1, seen(), "its page, while another was in use");
        for (int type = 2; type < 4; type++) {
            map(ONE);
            run(TO_CR3, 0x1001);
            seen();
            run(TO_CR3, KEEP | 0x1002);
            map(TWO);
            invalidate(type, 0, 0);
            run(TO_CR3, KEEP | 0x1001);
            assertEquals(2, seen(), "all contexts, type " + type);
        }
    }

    @Test
    @DisplayName("INVPCID refuses unknown types, odd descriptors, and all but CPL 0")
    void invpcidChecks() {
        long[][] bad = {
            {4, 0, 0},
            {-1, 0, 0},
            {1L << 32, 0, 0},
            {0, 1, 0},
            {1, 1, 0},
            {2, 1 << 12, 0},
            {0, 0, 1L << 47}
        };
        for (long[] b : bad) {
            CpuFault fault = assertThrows(CpuFault.class, () -> invalidate(b[0], b[1], b[2]));
            assertEquals(Bits.GP, fault.vector);
        }
        invalidate(2, 1, 1L << 47);
        contexts();
        invalidate(0, 0xfff, 0);
        guest.cpl(3);
        Execute.faults(cpu, Bits.GP, INVPCID);
        guest.cpl(0);
        guest.block.instructions = 1L << Intercept.INVPCID;
        CpuExit exit = assertThrows(CpuExit.class, () -> invalidate(3, 0, PAGE));
        assertEquals(Exit.INSTRUCTION, exit.reason);
        assertEquals(3, guest.block.frame().value);
    }

    @Test
    @DisplayName("CR4.PCIDE wants long mode and context 0, and bit 63 of CR3 wants it")
    void rules() {
        refused(TO_CR3, KEEP | 0x1000);
        cpu.cr3 |= 1;
        refused(TO_CR4, cpu.cr4 | Bits.CR4_PCIDE);
        cpu.cr3 &= ~0xfffL;
        contexts();
        refused(TO_CR3, 1L << 62 | 0x1000);
        refused(TO_CR3, 1L << 48 | 0x1000);
        refused("0f 22 c0", Bits.CR0_PE);
        map(ONE);
        seen();
        map(TWO);
        run(TO_CR4, cpu.cr4 & ~Bits.CR4_PCIDE);
        assertEquals(2, seen(), "switching it off forgets everything");
    }

    @Test
    @DisplayName("CR4.PGE off forgets global pages; INVLPG forgets them in every context")
    void globals() {
        contexts();
        guest.entry(0x4000, 0x12, ONE | ALL | Bits.PTE_G);
        assertEquals(1, mmu.read64(0x12000));
        guest.entry(0x4000, 0x12, TWO | ALL | Bits.PTE_G);
        run(TO_CR3, 0x1005);
        assertEquals(1, mmu.read64(0x12000));
        cpu.gpr[X86.RDI] = 0x12000;
        Execute.code(cpu, INVLPG);
        assertEquals(2, mmu.read64(0x12000));
        guest.entry(0x4000, 0x12, ONE | ALL | Bits.PTE_G);
        run(TO_CR4, cpu.cr4 & ~Bits.CR4_PGE);
        assertEquals(1, mmu.read64(0x12000));
    }

    // ---- protection keys

    private void keys(long rights) {
        cpu.gpr[X86.RCX] = 0;
        cpu.gpr[X86.RDX] = 0;
        run(WRPKRU, rights);
    }

    @Test
    @DisplayName("a key's rights hold for data of user pages, at any privilege, and change at once")
    void protectionKeys() {
        guest.entry(0x4000, PAGE >>> 12, ONE | ALL | 5L << 59);
        run(TO_CR4, cpu.cr4 | Bits.CR4_PKE);
        final int refused = Bits.PFEC_P | Bits.PFEC_PK;
        assertEquals(1, seen());
        keys(1L << 10);
        assertEquals(refused, pageFault(() -> mmu.read64(PAGE)));
        assertEquals(refused | Bits.PFEC_W, pageFault(() -> mmu.write64(PAGE, 1)));
        mmu.fetch(PAGE);
        keys(2L << 10);
        assertEquals(1, seen());
        assertEquals(refused | Bits.PFEC_W, pageFault(() -> mmu.write64(PAGE, 1)));
        cpu.cr0 &= ~Bits.CR0_WP;
        mmu.modeChanged();
        mmu.write64(PAGE, 1);
        guest.cpl(3);
        assertEquals(1, seen());
        assertEquals(refused | Bits.PFEC_W | Bits.PFEC_U, pageFault(() -> mmu.write64(PAGE, 1)));
        keys(~(3L << 10) & 0xffff_fffcL);
        mmu.write64(PAGE, 1);
    }

    @Test
    @DisplayName("keys are told although something else refuses too, but not of missing pages")
    void keysInErrorCodes() {
        run(TO_CR4, cpu.cr4 | Bits.CR4_PKE);
        guest.entry(0x4000, PAGE >>> 12, ONE | Bits.PTE_P | Bits.PTE_US | 1L << 59);
        keys(1 << 2);
        assertEquals(
                Bits.PFEC_P | Bits.PFEC_W | Bits.PFEC_PK, pageFault(() -> mmu.write64(PAGE, 1)));
        guest.entry(0x4000, PAGE >>> 12, 1L << 59);
        assertEquals(0, pageFault(() -> mmu.read64(PAGE)));
        // Supervisor pages have no keys.
        guest.entry(0x4000, PAGE >>> 12, ONE | Bits.PTE_P | 1L << 59);
        assertEquals(1, seen());
        guest.cpl(3);
        assertEquals(Bits.PFEC_P | Bits.PFEC_U, pageFault(() -> mmu.read64(PAGE)));
        guest.cpl(0);
        guest.entry(0x4000, PAGE >>> 12, ONE | ALL | 1L << 59);
        mmu.invalidatePage(PAGE);
        assertEquals(Bits.PFEC_P | Bits.PFEC_PK, pageFault(() -> mmu.readSystem64(PAGE)));
        run(TO_CR4, cpu.cr4 & ~Bits.CR4_PKE);
        assertEquals(1, seen());
    }

    @Test
    @DisplayName("the key of a large page is in its own entry")
    void keysOfLargePages() {
        guest.entry(0x3000, 1, 0x20_0000 | ALL | Bits.PTE_PS | 15L << 59);
        run(TO_CR4, cpu.cr4 | Bits.CR4_PKE);
        keys(1L << 30);
        assertEquals(Bits.PFEC_P | Bits.PFEC_PK, pageFault(() -> mmu.read64(0x20_0000)));
        keys(1L << 28);
        mmu.read64(0x20_0000);
    }

    // ---- SMAP

    @Test
    @DisplayName("STAC opens user pages to the supervisor's own accesses, CLAC closes them")
    void smap() {
        map(ONE);
        run(TO_CR4, cpu.cr4 | Bits.CR4_SMAP);
        assertEquals(Bits.PFEC_P, pageFault(() -> mmu.read64(PAGE)));
        Execute.code(cpu, STAC);
        assertEquals(1, seen());
        assertEquals(Bits.PFEC_P, pageFault(() -> mmu.readSystem64(PAGE)), "implicit");
        Execute.code(cpu, CLAC);
        assertEquals(Bits.PFEC_P, pageFault(() -> mmu.read64(PAGE)));
        guest.cpl(3);
        assertEquals(1, seen());
        assertEquals(Bits.PFEC_P, pageFault(() -> mmu.readSystem64(PAGE)), "implicit");
        Execute.faults(cpu, Bits.UD, STAC);
        Execute.faults(cpu, Bits.UD, CLAC);
    }

    // ---- widths

    @Test
    @DisplayName("with five levels addresses have 57 bits, also those of branches and bases")
    void fiveLevels() {
        refused(TO_CR4, cpu.cr4 | Bits.CR4_LA57);
        guest.entry(0x6000, 0, 0x1000 | ALL);
        cpu.cr4 |= Bits.CR4_LA57;
        cpu.cr3 = 0x6000;
        mmu.modeChanged();
        refused(TO_CR4, cpu.cr4 & ~Bits.CR4_LA57);
        cpu.gpr[X86.RBX] = 1L << 55;
        Execute.code(cpu, "ff e3");
        assertEquals(1L << 55, cpu.rip);
        cpu.gpr[X86.RBX] = 1L << 56;
        Execute.faults(cpu, Bits.GP, "ff e3");
        assertEquals(0, pageFault(() -> mmu.read64(1L << 55)));
        assertEquals(Bits.GP, assertThrows(CpuFault.class, () -> mmu.read64(1L << 56)).vector);
        guest.entry(0x6000, 256, 0x1000 | ALL);
        map(ONE);
        assertEquals(1, mmu.read64(-1L << 56 | PAGE));
    }

    @Test
    @DisplayName("reserved bits count at each level, and none of those that software may use")
    void reservedBits() {
        final int reserved = Bits.PFEC_P | Bits.PFEC_R;
        long software = 7L << 52 | 7 << 9 | 0xfL << 59;
        long[] tables = {0x1000, 0x2000, 0x3000, 0x4000};
        for (int i = 0; i < 4; i++) {
            long at = tables[i] + (i == 3 ? 8 * (PAGE >>> 12) : 0);
            long good = guest.peek64(at);
            for (int bit = 48; bit < 52; bit++) {
                guest.poke64(at, good | 1L << bit);
                mmu.flush(true);
                assertEquals(reserved, pageFault(() -> mmu.read64(PAGE)), "level " + (4 - i));
            }
            guest.poke64(at, good | software);
            mmu.flush(true);
            mmu.read64(PAGE);
            guest.poke64(at, good);
        }
        guest.poke64(0x1000, guest.peek64(0x1000) | Bits.PTE_PS);
        mmu.flush(true);
        assertEquals(reserved, pageFault(() -> mmu.read64(PAGE)), "no pages of 512 GiB");
        guest.poke64(0x1000, 0x2000 | ALL);
        guest.entry(0x3000, 1, 0x20_0000 | ALL | Bits.PTE_PS | 1 << 13);
        assertEquals(reserved, pageFault(() -> mmu.read64(0x20_0000)), "2 MiB");
        guest.entry(0x3000, 1, 0x20_0000 | ALL | Bits.PTE_PS | 1 << 12);
        mmu.read64(0x20_0000);
        guest.entry(0x2000, 1, ALL | Bits.PTE_PS | 1 << 29);
        assertEquals(reserved, pageFault(() -> mmu.read64(1 << 30)), "1 GiB");
        assertTrue((guest.peek64(0x2000 + 8) & Bits.PTE_A) == 0, "not marked by a fault");
    }

    @Test
    @DisplayName("in compatibility mode an access across 4 GiB by a segment's base goes on at 0")
    void wraps() {
        guest.entry(0x2000, 3, 0x6000 | ALL);
        guest.entry(0x6000, 511, 0x7000 | ALL);
        guest.entry(0x7000, 511, TWO | ALL);
        guest.poke64(TWO + 0xff8, 0x1122_0000_0000_0000L);
        guest.poke64(0, 0x3344);
        assertEquals(0, pageFault(() -> mmu.read32(0xffff_fffeL)));
        cpu.segmentAttributes[X86.CS] = 0xc9b;
        cpu.segmentBase[X86.DS] = 0x8000_0000L;
        assertEquals(0x3344_1122, mmu.read32(0xffff_fffeL));
        assertEquals(0, pageFault(() -> mmu.readSystem32(0xffff_fffeL)));
    }
}
