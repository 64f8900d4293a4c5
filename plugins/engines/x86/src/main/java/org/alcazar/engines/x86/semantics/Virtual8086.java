package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.CS;
import static org.alcazar.engines.x86.api.X86.TR;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.Cpu;

/**
 * What CR4.VME adds to virtual-8086 mode (APM volume 2, 8.10; SDM volume 3, 21.3): a virtual
 * interrupt flag where IOPL is below 3, and INT n that stays in the program.
 */
final class Virtual8086 {
    private static final int MAP_BASE = 102;
    private static final int BITMAP = 32;

    private Virtual8086() {}

    static boolean extended(Cpu cpu) {
        return (cpu.cr4 & Bits.CR4_VME) != 0;
    }

    static boolean lacksPrivilege(Cpu cpu) {
        return (cpu.flags & Bits.IOPL) != Bits.IOPL;
    }

    /**
     * Whether INT n goes through the program's own vectors: its bit is clear in the 32 bytes below
     * the map of ports in the TSS.
     */
    static boolean redirects(Cpu cpu, int vector) {
        if (!extended(cpu)) {
            return false;
        }
        long limit = cpu.segmentLimit[TR];
        if (limit < MAP_BASE + 1) {
            throw cpu.generalProtection(0);
        }
        int at = cpu.mmu.readSystem16(cpu.segmentBase[TR] + MAP_BASE) - BITMAP + (vector >> 3);
        if (at < 0 || at > limit) {
            throw cpu.generalProtection(0);
        }
        return (cpu.mmu.readSystem8(cpu.segmentBase[TR] + at) >> (vector & 7) & 1) == 0;
    }

    /** INT n as in real mode. The vectors at linear address 0 are the program's memory. */
    static void interrupt(Cpu cpu, int vector) {
        boolean virtual = lacksPrivilege(cpu);
        int target = cpu.mmu.read32(4L * vector);
        long sp = SystemStack.pointer(cpu);
        sp = SystemStack.push(cpu, sp, 2, virtual ? virtualImage(cpu) : cpu.rflags());
        sp = SystemStack.push(cpu, sp, 2, cpu.selector[CS]);
        sp = SystemStack.push(cpu, sp, 2, cpu.rip);
        SystemStack.setPointer(cpu, sp);
        cpu.flags &= ~(Bits.TF | Bits.RF | (virtual ? Bits.VIF : Bits.IF));
        Segments.setReal(cpu, CS, target >>> 16);
        cpu.rip = target & 0xffff;
    }

    /** FLAGS as the program shall see them: IF stands for VIF, IOPL is 3. */
    static long virtualImage(Cpu cpu) {
        long image = cpu.rflags() & ~Bits.IF | Bits.IOPL;
        return (cpu.flags & Bits.VIF) != 0 ? image | Bits.IF : image;
    }

    /** IRET where IOPL is below 3: IF goes to VIF, unless an interrupt is pending or TF is set. */
    static void iret(Cpu cpu, int size) {
        if (!extended(cpu) || size != 2) {
            throw cpu.generalProtection(0);
        }
        long sp = SystemStack.pointer(cpu);
        long offset = SystemStack.read(cpu, sp, 2);
        int selector = (int) SystemStack.read(cpu, sp + 2, 2);
        int image = (int) SystemStack.read(cpu, sp + 4, 2);
        boolean enables = (image & Bits.IF) != 0;
        if ((image & Bits.TF) != 0
                || enables && (cpu.flags & Bits.VIP) != 0
                || offset > cpu.segmentLimit[CS]) {
            throw cpu.generalProtection(0);
        }
        SystemStack.setPointer(cpu, sp + 6);
        Segments.setReal(cpu, CS, selector);
        cpu.rip = offset;
        int change = Bits.STATUS | Bits.TF | Bits.DF | Bits.NT;
        long flags = cpu.rflags() & ~(change | Bits.RF | Bits.VIF) | image & change;
        cpu.setRflags(flags | (enables ? Bits.VIF : 0));
    }

    /**
     * After flags were loaded by IRET or a task switch: with both VIF and VIP set, the next
     * instruction raises #GP(0) (SDM volume 3, 21.3.2).
     */
    static void checkPending(Cpu cpu) {
        int both = Bits.VIF | Bits.VIP;
        if ((cpu.flags & both) != both || cpu.cpl != 3 || !lacksPrivilege(cpu)) {
            return;
        }
        long enabler = cpu.virtual8086() ? Bits.CR4_VME : Bits.CR4_PVI;
        if ((cpu.cr4 & enabler) != 0 && !cpu.longMode()) {
            cpu.pendingEvent = Interrupts.pending(Bits.GP, Interrupts.EXCEPTION, true, 0);
        }
    }
}
