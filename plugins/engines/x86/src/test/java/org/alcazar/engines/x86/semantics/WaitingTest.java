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
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The checks of MONITOR and MWAIT (APM volume 3). */
class WaitingTest {
    private static final String MONITOR = "0f 01 c8", MWAIT = "0f 01 c9";
    private static final String MONITORX = "0f 01 fa", MWAITX = "0f 01 fb";

    private final Guest guest = new Guest().identity(Guest.PRESENT_USER);
    private final Cpu cpu = guest.cpu;

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("unknown extensions are #GP, and all but CPL 0 is #UD before that")
    void extensions() {
        cpu.gpr[X86.RCX] = 1;
        Execute.faults(cpu, Bits.GP, MONITOR);
        Execute.faults(cpu, Bits.GP, MONITORX);
        cpu.gpr[X86.RCX] = 2;
        Execute.faults(cpu, Bits.GP, MWAIT);
        Execute.code(cpu, MWAITX);
        cpu.gpr[X86.RCX] = 4;
        Execute.faults(cpu, Bits.GP, MWAITX);
        guest.cpl(3);
        Execute.faults(cpu, Bits.UD, MONITOR);
        Execute.faults(cpu, Bits.UD, MWAIT);
        cpu.gpr[X86.RCX] = 0;
        Execute.code(cpu, MONITORX);
        Execute.code(cpu, MWAITX);
        assertEquals(X86.MONITORING, cpu.activity);
    }

    @Test
    @DisplayName("the address is checked as that of a read of one byte, in the segment asked for")
    void address() {
        cpu.gpr[X86.RAX] = 1L << 50;
        Execute.faults(cpu, Bits.GP, MONITOR);
        cpu.gpr[X86.RAX] = 0x40_0000;
        assertEquals(
                Bits.PFV, assertThrows(CpuFault.class, () -> Execute.code(cpu, MONITOR)).vector);
        cpu.segmentBase[X86.FS] = 0x2000;
        cpu.gpr[X86.RAX] = 0x3f_e001L;
        Execute.code(cpu, MONITOR);
        assertThrows(CpuFault.class, () -> Execute.code(cpu, "64" + MONITOR));
        cpu.gpr[X86.RAX] = 1L << 32 | 0x1000;
        Execute.code(cpu, "67" + MONITOR);
        assertEquals(Bits.PTE_A, guest.peek64(0x4000 + 8) & (Bits.PTE_A | Bits.PTE_D), "read only");
    }

    @Test
    @DisplayName("CPUID function 5 tells the size of lines; older models have no such function")
    void leaf() {
        assertArrayEquals(new int[] {64, 3, 0, 64}, CpuModel.MAX.leaf(5, 0));
        assertEquals(0, CpuModel.X86_64_V2.leaf(5, 0)[0]);
    }

    @Test
    @DisplayName("HWCR opens MONITOR and MWAIT to every privilege, or takes them away")
    void permission() {
        Msrs.write(cpu, 0xc001_0015, 1 << 10);
        guest.cpl(3);
        cpu.gpr[X86.RCX] = 0;
        cpu.gpr[X86.RAX] = 0x1000;
        Execute.code(cpu, MONITOR);
        guest.cpl(0);
        Msrs.write(cpu, 0xc001_0015, 1 << 9);
        Execute.faults(cpu, Bits.UD, MONITOR);
        Execute.faults(cpu, Bits.UD, MWAIT);
        cpu.gpr[X86.RAX] = 1;
        Cpuid.execute(cpu);
        assertEquals(0, cpu.gpr[X86.RCX] & 1 << 3);
    }
}
