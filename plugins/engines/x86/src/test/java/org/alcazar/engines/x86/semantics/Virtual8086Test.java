package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.mmu.Guest;
import org.alcazar.engines.x86.state.Cpu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Virtual interrupts in virtual-8086 and protected mode (SDM volume 3, 21.3 and 21.4). */
class Virtual8086Test {
    private static final long TSS = 0x12000, STACK = 0x20000;
    private static final String CLI = "fa", STI = "fb", PUSHF = "9c", POPF = "9d", IRET = "cf";
    private static final String INT = "cd 21";
    private static final int MAP = 0x88;

    private final Guest guest = new Guest();
    private final Cpu cpu = guest.cpu;

    @BeforeEach
    void virtual8086() {
        guest.protectedMode();
        cpu.cr4 |= Bits.CR4_VME;
        for (int i = 0; i < 6; i++) {
            cpu.selector[i] = i == X86.SS ? 0x2000 : 0x1000;
            cpu.segmentBase[i] = (long) cpu.selector[i] << 4;
            cpu.segmentLimit[i] = 0xffff;
            cpu.segmentAttributes[i] = 0xf3;
        }
        cpu.segmentBase[X86.TR] = TSS;
        cpu.segmentLimit[X86.TR] = 0x2fff;
        cpu.segmentAttributes[X86.TR] = 0x8b;
        guest.poke32(TSS + 100, MAP << 16);
        cpu.gpr[X86.RSP] = 0x100;
        cpu.rip = 0x55;
        cpu.setRflags(Bits.VM | Bits.IF | 2);
        guest.poke32(4 * 0x21, 0x3000 << 16 | 0x44);
        guest.cpl(3);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private int word(int offset) {
        return guest.peek32(STACK + offset) & 0xffff;
    }

    private void flag(int flag, boolean set) {
        cpu.flags = set ? cpu.flags | flag : cpu.flags & ~flag;
    }

    @Test
    @DisplayName("CLI and STI change VIF, not IF, and STI with VIP pending is refused")
    void virtualFlag() {
        Execute.code(cpu, STI);
        assertEquals(Bits.VIF | Bits.IF, cpu.flags & (Bits.VIF | Bits.IF));
        assertEquals(0, cpu.shadow);
        Execute.code(cpu, CLI);
        assertEquals(Bits.IF, cpu.flags & (Bits.VIF | Bits.IF));
        flag(Bits.VIP, true);
        Execute.faults(cpu, Bits.GP, STI);
        Execute.code(cpu, CLI);
        cpu.cr4 &= ~Bits.CR4_VME;
        Execute.faults(cpu, Bits.GP, CLI);
        Execute.faults(cpu, Bits.GP, IRET);
        Execute.faults(cpu, Bits.GP, PUSHF);
        Execute.faults(cpu, Bits.GP, INT);
        flag(Bits.IOPL, true);
        Execute.code(cpu, CLI);
        assertEquals(0, cpu.flags & Bits.IF);
    }

    @Test
    @DisplayName("PUSHF shows VIF as IF and IOPL 3; POPF and IRET put IF into VIF")
    void images() {
        Execute.code(cpu, PUSHF);
        assertEquals(Bits.IOPL | 2, word(0xfe));
        flag(Bits.VIF, true);
        Execute.code(cpu, PUSHF);
        assertEquals(Bits.IOPL | Bits.IF | 2, word(0xfc));
        flag(Bits.VIF, false);
        Execute.code(cpu, POPF);
        assertEquals(Bits.VIF | Bits.IF, cpu.flags & (Bits.VIF | Bits.IF | Bits.IOPL));
        guest.poke32(STACK + 0xfe, 0x3000 << 16 | 0x1234);
        guest.poke32(STACK + 0x102, Bits.CF | Bits.DF);
        cpu.gpr[X86.RSP] = 0xfe;
        Execute.code(cpu, IRET);
        assertEquals(0x1234, cpu.rip);
        assertEquals(0x30000, cpu.segmentBase[X86.CS]);
        assertEquals(0x104, cpu.gpr[X86.RSP]);
        assertEquals(Bits.VM | Bits.IF | Bits.DF | Bits.CF | 2, cpu.rflags());
        Execute.faults(cpu, Bits.GP, "66 9c");
        Execute.faults(cpu, Bits.GP, "66 cf");
    }

    @Test
    @DisplayName("IRET that sets TF, or IF while VIP is pending, is refused and changes nothing")
    void refusals() {
        for (int image : new int[] {Bits.TF, Bits.IF}) {
            guest.poke32(STACK + 0x104, image);
            flag(Bits.VIP, true);
            Execute.faults(cpu, Bits.GP, IRET);
            assertEquals(0x100, cpu.gpr[X86.RSP]);
            guest.poke32(STACK + 0x100, image);
            Execute.faults(cpu, Bits.GP, POPF);
        }
        flag(Bits.VIP, false);
        Execute.code(cpu, POPF);
        assertEquals(Bits.VIF, cpu.flags & Bits.VIF);
    }

    @Test
    @DisplayName("INT n with a clear bit goes through the program's vectors")
    void redirected() {
        flag(Bits.VIF, true);
        cpu.flags |= Bits.NT;
        Execute.code(cpu, INT);
        assertEquals(0x44, cpu.rip);
        assertEquals(0x3000, cpu.selector[X86.CS]);
        assertEquals(0x55, word(0xfa));
        assertEquals(0x1000, word(0xfc));
        assertEquals(Bits.NT | Bits.IOPL | Bits.IF | 2, word(0xfe));
        assertEquals(Bits.IF, cpu.flags & (Bits.IF | Bits.VIF | Bits.IOPL));
        flag(Bits.IOPL, true);
        Execute.code(cpu, INT);
        assertEquals(0, cpu.flags & Bits.IF);
        assertEquals(Bits.NT | Bits.IOPL | Bits.IF | 2, word(0xf8));
    }

    @Test
    @DisplayName("INT n with a set bit, or a bit beyond the TSS, is refused below IOPL 3")
    void notRedirected() {
        guest.poke32(TSS + MAP - 32 + 4, 1 << 1);
        Execute.faults(cpu, Bits.GP, INT);
        guest.poke32(TSS + MAP - 32 + 4, ~(1 << 1));
        Execute.code(cpu, INT);
        cpu.segmentLimit[X86.TR] = MAP - 32 + 3;
        Execute.faults(cpu, Bits.GP, INT);
        cpu.segmentLimit[X86.TR] = 102;
        Execute.faults(cpu, Bits.GP, INT);
        assertEquals(0x44, cpu.rip);
    }

    @Test
    @DisplayName("with CR4.PVI the same holds for CLI and STI at CPL 3 in protected mode")
    void protectedMode() {
        guest.protectedMode();
        cpu.setRflags(Bits.IF | 2);
        guest.cpl(3);
        Execute.faults(cpu, Bits.GP, STI);
        cpu.cr4 = Bits.CR4_PVI;
        Execute.code(cpu, STI);
        assertEquals(Bits.VIF, cpu.flags & Bits.VIF);
        Execute.code(cpu, CLI);
        assertEquals(Bits.IF, cpu.flags & (Bits.VIF | Bits.IF));
        flag(Bits.VIP, true);
        Execute.faults(cpu, Bits.GP, STI);
        guest.cpl(2);
        Execute.faults(cpu, Bits.GP, CLI);
    }

    @Test
    @DisplayName("a return with both VIF and VIP set raises #GP(0) at the next instruction")
    void bothFlags() {
        for (int iopl : new int[] {0, Bits.IOPL}) {
            cpu.pendingEvent = 0;
            guest.protectedMode();
            cpu.setRflags(2);
            cpu.segmentLimit[X86.SS] = 0xffff_ffffL;
            int[] frame = {
                0x77, 0x1000, Bits.VM | Bits.VIF | Bits.VIP | iopl, 0x100, 0x2000, 0, 0, 0, 0
            };
            for (int i = 0; i < frame.length; i++) {
                guest.poke32(0x21000 + 4 * i, frame[i]);
            }
            cpu.gpr[X86.RSP] = 0x21000;
            guest.cpl(0);
            Execute.code(cpu, IRET);
            assertEquals(0x77, cpu.rip);
            assertEquals(iopl == 0 ? 1 + Bits.GP : 0, cpu.pendingEvent & 0xff);
        }
    }
}
