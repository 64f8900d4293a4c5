package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.mmu.Guest;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.engines.x86.state.CpuModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * XSAVE and its relatives, by SDM volume 1, chapter 13, and the answers of a processor with
 * protection keys.
 */
class ExtendedStateTest {
    private static final long AREA = 0x20000, FILL = 0x5555_5555_5555_5555L;
    private static final long HEADER = AREA + 512, XMM3 = AREA + 160 + 48, KEYS = AREA + 2432;
    private static final long COMPACT = 1L << 63;

    private static final String XSAVE = "48 0f ae 27", XRSTOR = "48 0f ae 2f";
    private static final String XSAVEOPT = "48 0f ae 37", XSAVEC = "48 0f c7 27";
    private static final String XSAVES = "48 0f c7 2f", XRSTORS = "48 0f c7 1f";
    private static final String XGETBV = "0f 01 d0", XSETBV = "0f 01 d1";

    private final Guest guest = new Guest();
    private final Cpu cpu = guest.cpu;

    @BeforeEach
    void longMode() {
        guest.identity(Guest.PRESENT_USER);
        cpu.cr4 |= Bits.CR4_OSXSAVE | Bits.CR4_OSFXSR;
        cpu.xcr0 = 0x203;
        cpu.gpr[X86.RDI] = AREA;
        for (int i = 0; i < 4096; i += 8) {
            guest.poke64(AREA + i, FILL);
        }
        for (int i = 0; i < 64; i += 8) {
            guest.poke64(HEADER + i, 0);
        }
        X87.reset(cpu);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private void run(String hex, long mask) {
        cpu.gpr[X86.RAX] = mask & 0xffff_ffffL;
        cpu.gpr[X86.RDX] = mask >>> 32;
        Execute.code(cpu, hex);
    }

    private void fault(int vector, String hex, long mask) {
        cpu.gpr[X86.RAX] = mask & 0xffff_ffffL;
        cpu.gpr[X86.RDX] = mask >>> 32;
        Execute.faults(cpu, vector, hex);
    }

    /** All three components of this model, in use. */
    private void use() {
        cpu.fcw = 0x27f;
        cpu.fpSignificand[0] = 0xc90f_daa2_2168_c235L;
        cpu.fpExponent[0] = 0x4000;
        cpu.xmm[6] = 7;
        cpu.mxcsr = 0x1fa0;
        cpu.extended[X86.PKRU] = 0x1234_5678L;
    }

    @Test
    @DisplayName("XSAVE writes what is asked for and says what is in use; the rest stays")
    void xsave() {
        use();
        guest.poke64(HEADER, 0x201);
        run(XSAVE, 2);
        assertEquals(0x203, guest.peek64(HEADER));
        assertEquals(7, guest.peek64(XMM3));
        assertEquals(0x1fa0, guest.peek32(AREA + 24));
        assertEquals(FILL, guest.peek64(AREA));
        assertEquals(FILL, guest.peek64(KEYS));
        run(XSAVE, -1);
        assertEquals(0x203, guest.peek64(HEADER));
        assertEquals(0x27f, guest.peek32(AREA) & 0xffff);
        assertEquals(0x1234_5678, guest.peek64(KEYS));
        assertEquals(0, guest.peek64(HEADER + 8));
    }

    @Test
    @DisplayName("XSAVE writes components in their initial state too, XSAVEOPT does not")
    void initOptimization() {
        guest.poke64(HEADER, -1);
        run(XSAVEOPT, 0x203);
        assertEquals(~0x203L, guest.peek64(HEADER));
        assertEquals(FILL, guest.peek64(AREA));
        assertEquals(FILL, guest.peek64(XMM3));
        assertEquals(FILL, guest.peek64(KEYS));
        assertEquals(0x1f80, guest.peek32(AREA + 24), "MXCSR");
        run(XSAVE, 0x203);
        assertEquals(~0x203L, guest.peek64(HEADER));
        assertEquals(0, guest.peek64(XMM3));
        assertEquals(0, guest.peek64(KEYS));
    }

    @Test
    @DisplayName("XSAVEC packs what is asked for and counts MXCSR as SSE state")
    void compacted() {
        cpu.mxcsr = 0x1fa0;
        cpu.extended[X86.PKRU] = 5;
        run(XSAVEC, 0x203);
        assertEquals(0x202, guest.peek64(HEADER));
        assertEquals(COMPACT | 0x203, guest.peek64(HEADER + 8));
        assertEquals(5, guest.peek64(AREA + 576));
        assertEquals(FILL, guest.peek64(AREA), "x87 in its initial state");
        cpu.mxcsr = 0x1f80;
        guest.poke64(AREA + 24, FILL);
        run(XSAVEC, 3);
        assertEquals(0, guest.peek64(HEADER));
        assertEquals(COMPACT | 3, guest.peek64(HEADER + 8));
        assertEquals(FILL, guest.peek64(AREA + 24), "MXCSR goes with SSE");
    }

    @Test
    @DisplayName("what was saved in any format comes back")
    void roundTrip() {
        for (String[] pair :
                new String[][] {
                    {XSAVE, XRSTOR}, {XSAVEOPT, XRSTOR}, {XSAVEC, XRSTOR}, {XSAVES, XRSTORS}
                }) {
            use();
            guest.poke64(HEADER, 0);
            guest.poke64(HEADER + 8, 0);
            run(pair[0], -1);
            cpu.fcw = 0x37f;
            cpu.fpSignificand[0] = 1;
            cpu.xmm[6] = 8;
            cpu.xmm[7] = 8;
            cpu.mxcsr = 0x1f80;
            cpu.extended[X86.PKRU] = 0;
            run(pair[1], -1);
            assertEquals(0x27f, cpu.fcw, pair[0]);
            assertEquals(0xc90f_daa2_2168_c235L, cpu.fpSignificand[0]);
            assertEquals(7, cpu.xmm[6]);
            assertEquals(0, cpu.xmm[7]);
            assertEquals(0x1fa0, cpu.mxcsr);
            assertEquals(0x1234_5678, cpu.extended[X86.PKRU]);
        }
    }

    @Test
    @DisplayName(
            "XRSTOR initializes what is asked for and absent, and leaves what is not asked for")
    void initializes() {
        use();
        guest.poke64(AREA + 24, 0x1fc0);
        run(XRSTOR, 3);
        assertEquals(0x37f, cpu.fcw);
        assertEquals(0, cpu.fpSignificand[0]);
        assertEquals(0xffff, cpu.ftw);
        assertEquals(0, cpu.xmm[6]);
        assertEquals(0x1fc0, cpu.mxcsr, "the standard format has MXCSR always");
        assertEquals(0x1234_5678, cpu.extended[X86.PKRU]);
        guest.poke64(HEADER + 8, COMPACT | 3);
        use();
        run(XRSTOR, 0x201);
        assertEquals(0, cpu.extended[X86.PKRU]);
        assertEquals(0x1fa0, cpu.mxcsr);
        run(XRSTOR, 2);
        assertEquals(0x1f80, cpu.mxcsr, "the compacted format has it with SSE");
    }

    @Test
    @DisplayName("a header with bits that must be zero is refused before anything changes")
    void headers() {
        use();
        guest.poke64(AREA + 24, 0x1f80);
        long[][] bad = {
            {4, 0, 0},
            {1L << 63, 0, 0},
            {0, 1, 0},
            {0, 0, 1},
            {4, COMPACT | 3, 0},
            {0, COMPACT | 4, 0},
            {0, COMPACT | 3, 1},
            {1, COMPACT, 0}
        };
        for (long[] header : bad) {
            for (int i = 0; i < 3; i++) {
                guest.poke64(HEADER + 8 * i, header[i]);
            }
            fault(Bits.GP, XRSTOR, 3);
        }
        guest.poke64(HEADER, 0);
        guest.poke64(HEADER + 8, 0);
        guest.poke64(HEADER + 16, 0);
        guest.poke64(HEADER + 56, 1);
        fault(Bits.GP, XRSTORS, 3);
        guest.poke64(HEADER + 8, COMPACT | 3);
        fault(Bits.GP, XRSTOR, 3);
        guest.poke64(HEADER + 8, 0);
        guest.poke64(AREA + 24, 0x10000);
        fault(Bits.GP, XRSTOR, 2);
        assertEquals(0x27f, cpu.fcw);
        assertEquals(7, cpu.xmm[6]);
        // The standard format does not look at the header's last 40 bytes, nor at MXCSR in vain.
        run(XRSTOR, 1);
        assertEquals(0x37f, cpu.fcw);
    }

    @Test
    @DisplayName("#UD without CR4.OSXSAVE, then #NM with CR0.TS, then #GP for alignment")
    void order() {
        cpu.gpr[X86.RDI] = AREA + 16;
        for (String hex : new String[] {XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS}) {
            cpu.cr0 |= Bits.CR0_TS;
            cpu.cr4 &= ~Bits.CR4_OSXSAVE;
            fault(Bits.UD, hex, 3);
            cpu.cr4 |= Bits.CR4_OSXSAVE;
            fault(Bits.NM, hex, 3);
            cpu.cr0 &= ~Bits.CR0_TS;
            fault(Bits.GP, hex, 3);
        }
        cpu.gpr[X86.RDI] = AREA;
        guest.cpl(3);
        fault(Bits.GP, XSAVES, 3);
        fault(Bits.GP, XRSTORS, 3);
        run(XSAVE, 3);
    }

    @Test
    @DisplayName("an area whose second page is missing changes nothing")
    void pageFaults() {
        use();
        long area = 0x30000 - 0x800;
        cpu.gpr[X86.RDI] = area;
        run(XSAVE, -1);
        guest.entry(0x4000, 0x30, 0);
        cpu.mmu.flush(true);
        cpu.xmm[6] = 9;
        cpu.extended[X86.PKRU] = 0;
        cpu.gpr[X86.RAX] = 0x203;
        cpu.gpr[X86.RDX] = 0;
        var fault = assertThrows(CpuFault.class, () -> Execute.code(cpu, XRSTOR));
        assertEquals(Bits.PFV, fault.vector);
        assertEquals(9, cpu.xmm[6]);
        // Nothing is written before the fault, and without PKRU there is none.
        assertThrows(CpuFault.class, () -> run(XSAVE, 3 | 0x200));
        assertEquals(7, guest.peek64(area + 160 + 48));
        run(XSAVE, 3);
        assertEquals(9, guest.peek64(area + 160 + 48));
    }

    @Test
    @DisplayName("outside 64-bit mode XMM8 and up are neither saved nor restored")
    void eightRegisters() {
        cpu.segmentAttributes[X86.CS] = 0xc9b;
        cpu.segmentAttributes[X86.DS] = 0xc93;
        cpu.segmentLimit[X86.DS] = 0xffff_ffffL;
        cpu.xmm[14] = 1;
        cpu.xmm[16] = 2;
        run("0f ae 27", 3);
        assertEquals(1, guest.peek64(AREA + 160 + 16 * 7));
        assertEquals(FILL, guest.peek64(AREA + 160 + 16 * 8));
        guest.poke64(HEADER, 0);
        run("0f ae 2f", 2);
        assertEquals(0, cpu.xmm[14]);
        assertEquals(2, cpu.xmm[16]);
    }

    @Test
    @DisplayName("XCR0 takes what the model has, x87 always, and only at CPL 0")
    void xcr0() {
        cpu.gpr[X86.RCX] = 0;
        run(XSETBV, 3);
        assertEquals(3, cpu.xcr0);
        run(XSETBV, 0x201);
        for (long bad : new long[] {0, 2, 7, 1 | 1 << 5, 1L << 32 | 1, 1L << 63 | 3}) {
            fault(Bits.GP, XSETBV, bad);
        }
        cpu.gpr[X86.RCX] = 1;
        fault(Bits.GP, XSETBV, 3);
        cpu.gpr[X86.RCX] = 0;
        guest.cpl(3);
        fault(Bits.GP, XSETBV, 3);
        assertEquals(0x201, cpu.xcr0);
        cpu.cr4 &= ~Bits.CR4_OSXSAVE;
        fault(Bits.UD, XSETBV, 3);
        fault(Bits.UD, XGETBV, 3);
    }

    @Test
    @DisplayName("XGETBV tells XCR0, and with ECX 1 what of it is in use")
    void xgetbv() {
        cpu.gpr[X86.RCX] = 0;
        run(XGETBV, -1);
        assertEquals(0x203, cpu.gpr[X86.RAX]);
        assertEquals(0, cpu.gpr[X86.RDX]);
        cpu.gpr[X86.RCX] = 1;
        run(XGETBV, -1);
        assertEquals(0, cpu.gpr[X86.RAX]);
        cpu.extended[X86.PKRU] = 1;
        cpu.xmm[31] = 1;
        run(XGETBV, -1);
        assertEquals(0x202, cpu.gpr[X86.RAX]);
        cpu.xcr0 = 1;
        run(XGETBV, -1);
        assertEquals(0, cpu.gpr[X86.RAX]);
        cpu.gpr[X86.RCX] = 2;
        fault(Bits.GP, XGETBV, 0);
    }

    private long[] cpuid(int leaf, int subLeaf) {
        cpu.gpr[X86.RAX] = leaf;
        cpu.gpr[X86.RCX] = subLeaf;
        Cpuid.execute(cpu);
        return new long[] {cpu.gpr[X86.RAX], cpu.gpr[X86.RBX], cpu.gpr[X86.RCX], cpu.gpr[X86.RDX]};
    }

    @Test
    @DisplayName("CPUID function 0Dh describes the areas as they are")
    void leaves() {
        cpu.xcr0 = 1;
        assertArrayEquals(new long[] {0x203, 576, 2440, 0}, cpuid(0xd, 0));
        cpu.xcr0 = 0x203;
        assertArrayEquals(new long[] {0x203, 2440, 2440, 0}, cpuid(0xd, 0));
        assertArrayEquals(new long[] {15, 584, 0, 0}, cpuid(0xd, 1));
        assertArrayEquals(new long[] {8, 2432, 0, 0}, cpuid(0xd, 9));
        assertArrayEquals(new long[4], cpuid(0xd, 2));
        assertArrayEquals(new long[4], cpuid(0xd, 77));
        assertEquals(0xd, cpuid(0, 0)[0]);
        assertEquals(1, cpuid(1, 0)[2] >>> 27 & 1, "OSXSAVE");
        assertEquals(0, CpuModel.X86_64_V2.leaf(0xd, 0)[0]);
        assertEquals(7, CpuModel.X86_64_V2.leaf(0, 0)[0]);
    }

    @Test
    @DisplayName("RDPKRU and WRPKRU want CR4.PKE and zeros in ECX, and WRPKRU in EDX")
    void keys() {
        cpu.gpr[X86.RCX] = 0;
        fault(Bits.UD, "0f 01 ee", 0);
        fault(Bits.UD, "0f 01 ef", 0);
        cpu.cr4 |= Bits.CR4_PKE;
        run("0f 01 ef", 0x9876_5432L);
        assertEquals(0x9876_5432L, cpu.extended[X86.PKRU]);
        fault(Bits.GP, "0f 01 ef", 1L << 32);
        run("0f 01 ee", -1);
        assertEquals(0x9876_5432L, cpu.gpr[X86.RAX]);
        assertEquals(0, cpu.gpr[X86.RDX]);
        cpu.gpr[X86.RCX] = 1;
        fault(Bits.GP, "0f 01 ee", 0);
        fault(Bits.GP, "0f 01 ef", 0);
        assertEquals(1, cpuid(7, 0)[2] >>> 4 & 1, "OSPKE");
    }

    @Test
    @DisplayName("IA32_XSS has no bit yet")
    void xss() {
        assertEquals(0, Msrs.read(cpu, 0xda0));
        Msrs.write(cpu, 0xda0, 0);
        assertThrows(CpuFault.class, () -> Msrs.write(cpu, 0xda0, 1 << 11));
    }
}
