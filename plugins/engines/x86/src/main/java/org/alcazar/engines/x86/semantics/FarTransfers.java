package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.CS;
import static org.alcazar.engines.x86.api.X86.DS;
import static org.alcazar.engines.x86.api.X86.ES;
import static org.alcazar.engines.x86.api.X86.FS;
import static org.alcazar.engines.x86.api.X86.GS;
import static org.alcazar.engines.x86.api.X86.RCX;
import static org.alcazar.engines.x86.api.X86.RDX;
import static org.alcazar.engines.x86.api.X86.RSP;
import static org.alcazar.engines.x86.api.X86.SS;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuFault;

/**
 * Control transfers that load CS: far JMP, CALL and RET, IRET, software interrupts, SYSCALL and
 * SYSENTER with their returns.
 */
public final class FarTransfers {
    private static final int R11 = 11;
    private static final int FLAT_CODE = 0xc9b;
    private static final int FLAT_LONG_CODE = 0xa9b;
    private static final int FLAT_DATA = 0xc93;
    private static final int DPL3 = 3 << 5;
    private static final long SINGLE_STEP = 1 << 14;

    private FarTransfers() {}

    // ---- JMP, CALL

    public static void jmpFar(Cpu cpu, Instruction instruction) {
        long offset = offset(cpu, instruction);
        int selector = selector(cpu, instruction);
        if (!cpu.protectedMode() || cpu.virtual8086()) {
            checkRealTarget(cpu, offset);
            Segments.setReal(cpu, CS, selector);
            cpu.rip = offset;
            return;
        }
        long descriptor = target(cpu, selector);
        int attributes = Segments.attributes(descriptor);
        if ((attributes & Segments.NON_SYSTEM) == 0) {
            systemTarget(cpu, selector, descriptor, false);
            return;
        }
        long code = directCode(cpu, selector, descriptor);
        Segments.checkTarget(cpu, code, offset);
        Segments.setCode(cpu, selector, code, cpu.cpl);
        cpu.rip = offset;
    }

    public static void callFar(Cpu cpu, Instruction instruction) {
        int size = instruction.operandSize;
        long offset = offset(cpu, instruction);
        int selector = selector(cpu, instruction);
        if (!cpu.protectedMode() || cpu.virtual8086()) {
            checkRealTarget(cpu, offset);
            SystemStack.setPointer(cpu, pushReturn(cpu, size));
            Segments.setReal(cpu, CS, selector);
            cpu.rip = offset;
            return;
        }
        long descriptor = target(cpu, selector);
        if ((Segments.attributes(descriptor) & Segments.NON_SYSTEM) == 0) {
            systemTarget(cpu, selector, descriptor, true);
            return;
        }
        long code = directCode(cpu, selector, descriptor);
        long sp = pushReturn(cpu, size);
        Segments.checkTarget(cpu, code, offset);
        SystemStack.setPointer(cpu, sp);
        Segments.setCode(cpu, selector, code, cpu.cpl);
        cpu.rip = offset;
    }

    private static long offset(Cpu cpu, Instruction instruction) {
        if (!instruction.memory) {
            return Memory.trim(instruction.immediate, instruction.operandSize);
        }
        int size = pointerSize(instruction);
        return Memory.read(cpu, Operands.linear(cpu, instruction, size, false), size);
    }

    private static int selector(Cpu cpu, Instruction instruction) {
        if (!instruction.memory) {
            return (int) instruction.immediate2 & 0xffff;
        }
        long la = Operands.linear(cpu, instruction, pointerSize(instruction), 2, false);
        return cpu.mmu.read16(la);
    }

    /**
     * Bytes of the offset of a far pointer in memory: 2 or 4. Only Intel has 8; on AMD REX.W leaves
     * the pointer as it is (APM volume 3 has no m16:64) and makes the pushes of CALL wide.
     */
    static int pointerSize(Instruction instruction) {
        return Math.min(4, instruction.operandSize);
    }

    private static void checkRealTarget(Cpu cpu, long offset) {
        if (offset > cpu.segmentLimit[CS]) {
            throw cpu.generalProtection(0);
        }
    }

    private static long pushReturn(Cpu cpu, int size) {
        long sp = SystemStack.push(cpu, SystemStack.pointer(cpu), size, cpu.selector[CS]);
        return SystemStack.push(cpu, sp, size, cpu.rip);
    }

    private static long target(Cpu cpu, int selector) {
        if (Segments.isNull(selector)) {
            throw cpu.generalProtection(0);
        }
        return Segments.descriptor(cpu, selector, Bits.GP);
    }

    /** A code segment named in the instruction, at the current privilege. */
    private static long directCode(Cpu cpu, int selector, long descriptor) {
        int attributes = Segments.checkCode(cpu, selector, descriptor);
        int dpl = Segments.dpl(attributes);
        boolean allowed =
                (attributes & Segments.CONFORMING) != 0
                        ? dpl <= cpu.cpl
                        : dpl == cpu.cpl && (selector & 3) <= cpu.cpl;
        if (!allowed) {
            throw Segments.fault(cpu, Bits.GP, selector);
        }
        return Segments.accept(cpu, selector, descriptor);
    }

    // ---- gates and tasks

    private static void systemTarget(Cpu cpu, int selector, long descriptor, boolean call) {
        int attributes = Segments.attributes(descriptor);
        int type = attributes & 15;
        boolean legacy = !cpu.longMode();
        boolean callGate = type == Segments.CALL32 || legacy && type == Segments.CALL16;
        boolean task =
                legacy
                        && (type == Segments.TASK_GATE
                                || type == Segments.TSS16
                                || type == Segments.TSS32);
        int dpl = Segments.dpl(attributes);
        if (!callGate && !task || dpl < cpu.cpl || dpl < (selector & 3)) {
            throw Segments.fault(cpu, Bits.GP, selector);
        }
        if ((attributes & Segments.PRESENT) == 0) {
            throw Segments.fault(cpu, Bits.NP, selector);
        }
        if (callGate) {
            throughGate(cpu, selector, descriptor, call);
        } else {
            int tss = type == Segments.TASK_GATE ? (int) (descriptor >>> 16) & 0xffff : selector;
            TaskSwitch.transfer(cpu, tss, call);
        }
    }

    private static void throughGate(Cpu cpu, int gateSelector, long gate, boolean call) {
        boolean wide = cpu.longMode();
        int size = wide ? 8 : (Segments.attributes(gate) & 8) != 0 ? 4 : 2;
        long offset = gate & 0xffff | (size > 2 ? gate >>> 32 & 0xffff_0000L : 0);
        if (wide) {
            offset |= Segments.upperHalf(cpu, gateSelector, Bits.GP) << 32;
        }
        int selector = (int) (gate >>> 16) & 0xffff;
        long descriptor = target(cpu, selector);
        int attributes = Segments.checkCode(cpu, selector, descriptor);
        boolean wrongSize = wide && (attributes & Segments.LONG) == 0;
        boolean conforming = (attributes & Segments.CONFORMING) != 0;
        int dpl = Segments.dpl(attributes);
        if (wrongSize || dpl > cpu.cpl || !call && !conforming && dpl != cpu.cpl) {
            throw Segments.fault(cpu, Bits.GP, selector);
        }
        long code = Segments.accept(cpu, selector, descriptor);
        Segments.checkTarget(cpu, code, offset);
        if (call && !conforming && dpl < cpu.cpl) {
            if (wide) {
                callInner64(cpu, dpl);
            } else {
                callInner(cpu, dpl, size, (int) (gate >>> 32) & 31);
            }
            Segments.setCode(cpu, selector, code, dpl);
        } else {
            if (call) {
                SystemStack.setPointer(cpu, pushReturn(cpu, size));
            }
            Segments.setCode(cpu, selector, code, cpu.cpl);
        }
        cpu.rip = offset;
    }

    private static void callInner64(Cpu cpu, int cpl) {
        long rsp = Interrupts.task64(cpu, 4 + 8 * cpl);
        if (!Segments.canonical(cpu, rsp - 32)) {
            throw cpu.fault(Bits.SS, 0);
        }
        SystemStack.write(cpu, rsp - 8, 8, cpu.selector[SS], cpl);
        SystemStack.write(cpu, rsp - 16, 8, cpu.gpr[RSP], cpl);
        SystemStack.write(cpu, rsp - 24, 8, cpu.selector[CS], cpl);
        SystemStack.write(cpu, rsp - 32, 8, cpu.rip, cpl);
        Segments.setNullStack(cpu, cpl);
        cpu.gpr[RSP] = rsp - 32;
    }

    private static void callInner(Cpu cpu, int cpl, int size, int parameters) {
        int selector = Interrupts.taskStackSelector(cpu, cpl);
        long sp = Interrupts.taskStackPointer(cpu, cpl);
        long stack = Segments.stackDescriptor(cpu, selector, cpl, Bits.TS, Bits.SS);
        sp = SystemStack.pushTo(cpu, stack, selector, sp, size, cpu.selector[SS]);
        sp = SystemStack.pushTo(cpu, stack, selector, sp, size, cpu.gpr[RSP]);
        for (int i = parameters - 1; i >= 0; i--) {
            long value = SystemStack.read(cpu, SystemStack.pointer(cpu) + i * size, size);
            sp = SystemStack.pushTo(cpu, stack, selector, sp, size, value);
        }
        sp = SystemStack.pushTo(cpu, stack, selector, sp, size, cpu.selector[CS]);
        sp = SystemStack.pushTo(cpu, stack, selector, sp, size, cpu.rip);
        Segments.set(cpu, SS, selector, stack);
        SystemStack.setPointer(cpu, sp, SystemStack.mask(Segments.attributes(stack)));
    }

    // ---- RET, IRET

    public static void retFar(Cpu cpu, Instruction instruction) {
        int size = instruction.operandSize;
        long release = instruction.opcode == 0xca ? instruction.immediate & 0xffff : 0;
        long sp = SystemStack.pointer(cpu);
        // Processors read the selector first, which shows where only one of the two is mapped.
        int selector = (int) SystemStack.read(cpu, sp + size, size) & 0xffff;
        long offset = SystemStack.read(cpu, sp, size);
        if (!cpu.protectedMode() || cpu.virtual8086()) {
            checkRealTarget(cpu, offset);
            SystemStack.setPointer(cpu, sp + 2 * size + release);
            Segments.setReal(cpu, CS, selector);
            cpu.rip = offset;
            return;
        }
        boolean outer = (selector & 3) != cpu.cpl;
        // The outer stack pointer is read before any look at descriptors.
        int ss = outer ? (int) SystemStack.read(cpu, sp + 3 * size + release, size) & 0xffff : 0;
        long outerSp = outer ? SystemStack.read(cpu, sp + 2 * size + release, size) : 0;
        long code = returnCode(cpu, selector);
        Segments.checkTarget(cpu, code, offset);
        if (outer) {
            toOuter(cpu, selector, code, ss, outerSp, release);
        } else {
            // The stack pointer has the new mode's width.
            Segments.setCode(cpu, selector, code, cpu.cpl);
            SystemStack.setPointer(cpu, sp + 2 * size + release);
        }
        cpu.rip = offset;
    }

    /** Code segment that a far return or IRET goes to. */
    private static long returnCode(Cpu cpu, int selector) {
        long descriptor = target(cpu, selector);
        int attributes = Segments.checkCode(cpu, selector, descriptor);
        int rpl = selector & 3;
        int dpl = Segments.dpl(attributes);
        boolean conforming = (attributes & Segments.CONFORMING) != 0;
        if (rpl < cpu.cpl || (conforming ? dpl > rpl : dpl != rpl)) {
            throw Segments.fault(cpu, Bits.GP, selector);
        }
        return Segments.accept(cpu, selector, descriptor);
    }

    private static void toOuter(Cpu cpu, int selector, long code, int ss, long sp, long release) {
        int cpl = selector & 3;
        boolean wide = cpu.longMode() && (Segments.attributes(code) & Segments.LONG) != 0;
        if (Segments.isNull(ss) && wide && cpl != 3 && (ss & 3) == cpl) {
            Segments.setNullStack(cpu, ss);
        } else {
            Segments.set(cpu, SS, ss, returnStack(cpu, ss, cpl));
        }
        long mask = wide ? -1L : SystemStack.mask(cpu.segmentAttributes[SS]);
        SystemStack.setPointer(cpu, sp + release, mask);
        int from = cpu.cpl;
        Segments.setCode(cpu, selector, code, cpl);
        if (cpl > from) {
            Segments.dropUnreachable(cpu);
        }
    }

    private static long returnStack(Cpu cpu, int ss, int cpl) {
        if (Segments.isNull(ss)) {
            throw cpu.generalProtection(0);
        }
        return Segments.stackDescriptor(cpu, ss, cpl, Bits.GP, Bits.SS);
    }

    /** Non-maskable interrupts come again even after an IRET that faults (SDM volume 3, 6.7.1). */
    public static void iret(Cpu cpu, Instruction instruction) {
        cpu.intercept(Intercept.IRET, 0, 0);
        try {
            iret(cpu, instruction.operandSize);
        } catch (CpuFault fault) {
            cpu.nmiBlocked = false;
            throw fault;
        }
        cpu.nmiBlocked = false;
        cpu.serialize();
        Virtual8086.checkPending(cpu);
    }

    private static void iret(Cpu cpu, int size) {
        if (!cpu.protectedMode()) {
            iretReal(cpu, size);
        } else if (cpu.virtual8086()) {
            if (Virtual8086.lacksPrivilege(cpu)) {
                Virtual8086.iret(cpu, size);
            } else {
                iretReal(cpu, size);
            }
        } else if ((cpu.flags & Bits.NT) != 0) {
            if (cpu.longMode()) {
                throw cpu.generalProtection(0);
            }
            TaskSwitch.back(cpu);
        } else {
            iretProtected(cpu, size);
        }
    }

    private static void iretReal(Cpu cpu, int size) {
        long sp = SystemStack.pointer(cpu);
        long offset = SystemStack.read(cpu, sp, size);
        int selector = (int) SystemStack.read(cpu, sp + size, size) & 0xffff;
        long flags = SystemStack.read(cpu, sp + 2 * size, size);
        checkRealTarget(cpu, offset);
        SystemStack.setPointer(cpu, sp + 3 * size);
        Segments.setReal(cpu, CS, selector);
        cpu.rip = offset;
        // Virtual-8086 mode can't change IOPL; real mode can.
        restoreFlags(cpu, flags, size, cpu.virtual8086() ? 3 : 0);
    }

    private static void iretProtected(Cpu cpu, int size) {
        long sp = SystemStack.pointer(cpu);
        // Processors read RFLAGS first.
        long flags = SystemStack.read(cpu, sp + 2 * size, size);
        int selector = (int) SystemStack.read(cpu, sp + size, size) & 0xffff;
        long offset = SystemStack.read(cpu, sp, size);
        if (size == 4 && (flags & Bits.VM) != 0 && cpu.cpl == 0 && !cpu.longMode()) {
            iretVirtual(cpu, sp, offset, selector, flags);
            return;
        }
        int from = cpu.cpl;
        boolean outer = cpu.code64() || (selector & 3) != from;
        int ss = outer ? (int) SystemStack.read(cpu, sp + 4 * size, size) & 0xffff : 0;
        long outerSp = outer ? SystemStack.read(cpu, sp + 3 * size, size) : 0;
        long code = returnCode(cpu, selector);
        Segments.checkTarget(cpu, code, offset);
        if (outer) {
            toOuter(cpu, selector, code, ss, outerSp, 0);
        } else {
            SystemStack.setPointer(cpu, sp + 3 * size);
            Segments.setCode(cpu, selector, code, from);
        }
        cpu.rip = offset;
        restoreFlags(cpu, flags, size, from);
    }

    private static void iretVirtual(Cpu cpu, long sp, long offset, int cs, long flags) {
        long outerSp = SystemStack.read(cpu, sp + 12, 4);
        int ss = (int) SystemStack.read(cpu, sp + 16, 4);
        int es = (int) SystemStack.read(cpu, sp + 20, 4);
        int ds = (int) SystemStack.read(cpu, sp + 24, 4);
        int fs = (int) SystemStack.read(cpu, sp + 28, 4);
        int gs = (int) SystemStack.read(cpu, sp + 32, 4);
        if (offset > 0xffff) {
            throw cpu.generalProtection(0);
        }
        cpu.setRflags(flags & FLAGS_ALL);
        Segments.setReal(cpu, CS, cs);
        Segments.setReal(cpu, SS, ss);
        Segments.setReal(cpu, ES, es);
        Segments.setReal(cpu, DS, ds);
        Segments.setReal(cpu, FS, fs);
        Segments.setReal(cpu, GS, gs);
        cpu.gpr[RSP] = outerSp;
        cpu.rip = offset;
        cpu.cpl = 3;
        cpu.mmu.modeChanged();
    }

    private static final int FLAGS_ALL =
            Bits.STATUS
                    | Bits.TF
                    | Bits.IF
                    | Bits.DF
                    | Bits.IOPL
                    | Bits.NT
                    | Bits.RF
                    | Bits.VM
                    | Bits.AC
                    | Bits.VIF
                    | Bits.VIP
                    | Bits.ID;

    /** RFLAGS as IRET restores them: what {@code cpl}, that before the return, may change. */
    private static void restoreFlags(Cpu cpu, long value, int size, int cpl) {
        int iopl = (cpu.flags & Bits.IOPL) >> 12;
        int change =
                Bits.STATUS
                        | Bits.TF
                        | Bits.DF
                        | Bits.NT
                        | Bits.RF
                        | Bits.AC
                        | Bits.ID
                        | (cpl <= iopl ? Bits.IF : 0)
                        | (cpl == 0 ? Bits.IOPL | Bits.VIF | Bits.VIP : 0);
        if (size == 2) {
            change &= 0xffff;
        }
        boolean alignment = ((value ^ cpu.flags) & change & Bits.AC) != 0;
        cpu.setRflags(cpu.rflags() & ~(long) change | value & change);
        if (alignment) {
            cpu.mmu.modeChanged();
        }
    }

    // ---- software interrupts

    /** INT n. */
    public static void int_(Cpu cpu, Instruction instruction) {
        int vector = (int) instruction.immediate & 0xff;
        cpu.intercept(Intercept.SOFTWARE_INTERRUPT, vector, 0);
        if (cpu.virtual8086()) {
            if (Virtual8086.redirects(cpu, vector)) {
                Virtual8086.interrupt(cpu, vector);
                return;
            }
            if (Virtual8086.lacksPrivilege(cpu)) {
                throw cpu.generalProtection(0);
            }
        }
        Interrupts.software(cpu, vector);
    }

    public static void int3(Cpu cpu, Instruction instruction) {
        Interrupts.software(cpu, Bits.BP);
    }

    public static void into(Cpu cpu, Instruction instruction) {
        if (cpu.overflow()) {
            Interrupts.software(cpu, Bits.OFV);
        }
    }

    /**
     * INT1 (ICEBP). Breakpoints that MOV SS put off come with it: else their #DB would interrupt
     * the handler's first instruction, on the same stack of the IST.
     */
    public static void int1(Cpu cpu, Instruction instruction) {
        cpu.dr[6] |= cpu.breakpoints.take();
        Interrupts.trap(cpu, Bits.DB);
    }

    // ---- SYSCALL, SYSENTER

    public static void syscall(Cpu cpu, Instruction instruction) {
        if ((cpu.efer & Bits.EFER_SCE) == 0) {
            throw cpu.undefinedOpcode();
        }
        cpu.intercept(Intercept.SYSCALL, 0, 0);
        long star = cpu.msr[X86.STAR];
        int selector = (int) (star >>> 32) & 0xfffc;
        if (cpu.longMode()) {
            boolean from64 = cpu.code64();
            cpu.gpr[RCX] = cpu.rip;
            cpu.gpr[R11] = cpu.rflags() & ~(long) Bits.RF;
            cpu.rip = cpu.msr[from64 ? X86.LSTAR : X86.CSTAR];
            long cleared = cpu.msr[X86.SFMASK] & 0xffff_ffffL | Bits.RF;
            cpu.setRflags(cpu.rflags() & ~cleared);
            flat(cpu, CS, selector, FLAT_LONG_CODE);
        } else {
            cpu.gpr[RCX] = cpu.rip;
            cpu.rip = star & 0xffff_ffffL;
            cpu.flags &= ~(Bits.IF | Bits.RF | Bits.VM);
            flat(cpu, CS, selector, FLAT_CODE);
        }
        flat(cpu, SS, selector + 8, FLAT_DATA);
        cpu.cpl = 0;
        cpu.mmu.modeChanged();
    }

    /**
     * AMD's: a non-canonical RCX faults at CPL 3 only when the next instruction is fetched, and SS
     * keeps its hidden part.
     */
    public static void sysret(Cpu cpu, Instruction instruction) {
        if ((cpu.efer & Bits.EFER_SCE) == 0) {
            throw cpu.undefinedOpcode();
        }
        if (!cpu.protectedMode() || cpu.cpl != 0 || cpu.virtual8086()) {
            throw cpu.generalProtection(0);
        }
        int selector = (int) (cpu.msr[X86.STAR] >>> 48);
        boolean wide = instruction.operandSize == 8;
        if (instruction.mode == 64) {
            int keep = FLAGS_ALL & ~(Bits.RF | Bits.VM);
            cpu.setRflags(cpu.gpr[R11] & keep);
        } else {
            cpu.flags |= Bits.IF;
        }
        if (wide) {
            flat(cpu, CS, selector + 16 | 3, FLAT_LONG_CODE | DPL3);
            cpu.rip = cpu.gpr[RCX];
        } else {
            flat(cpu, CS, selector | 3, FLAT_CODE | DPL3);
            cpu.rip = cpu.gpr[RCX] & 0xffff_ffffL;
        }
        cpu.selector[SS] = selector + 8 & 0xffff | 3;
        cpu.segmentAttributes[SS] |= DPL3;
        cpu.cpl = 3;
        cpu.mmu.modeChanged();
        if ((cpu.flags & Bits.TF) != 0) {
            // The trap comes before the target's first instruction (APM volume 2, 13.1.4).
            Interrupts.trapNext(cpu, SINGLE_STEP);
        }
    }

    /** Not in long mode on AMD. */
    public static void sysenter(Cpu cpu, Instruction instruction) {
        if (cpu.longMode()) {
            throw cpu.undefinedOpcode();
        }
        int selector = (int) cpu.msr[X86.SYSENTER_CS] & 0xfffc;
        if (!cpu.protectedMode() || selector == 0) {
            throw cpu.generalProtection(0);
        }
        cpu.flags &= ~(Bits.IF | Bits.RF | Bits.VM);
        flat(cpu, CS, selector, FLAT_CODE);
        flat(cpu, SS, selector + 8, FLAT_DATA);
        cpu.gpr[RSP] = cpu.msr[X86.SYSENTER_ESP] & 0xffff_ffffL;
        cpu.rip = cpu.msr[X86.SYSENTER_EIP] & 0xffff_ffffL;
        cpu.cpl = 0;
        cpu.mmu.modeChanged();
    }

    public static void sysexit(Cpu cpu, Instruction instruction) {
        if (!cpu.protectedMode() || cpu.cpl != 0) {
            throw cpu.generalProtection(0);
        }
        if (cpu.longMode()) {
            throw cpu.undefinedOpcode();
        }
        int selector = (int) cpu.msr[X86.SYSENTER_CS] & 0xfffc;
        if (selector == 0) {
            throw cpu.generalProtection(0);
        }
        flat(cpu, CS, selector + 16 | 3, FLAT_CODE | DPL3);
        flat(cpu, SS, selector + 24 | 3, FLAT_DATA | DPL3);
        cpu.gpr[RSP] = cpu.gpr[RCX] & 0xffff_ffffL;
        cpu.rip = cpu.gpr[RDX] & 0xffff_ffffL;
        cpu.cpl = 3;
        cpu.mmu.modeChanged();
    }

    private static void flat(Cpu cpu, int segment, int selector, int attributes) {
        cpu.selector[segment] = selector & 0xffff;
        cpu.segmentBase[segment] = 0;
        cpu.segmentLimit[segment] = 0xffff_ffffL;
        cpu.segmentAttributes[segment] = attributes;
    }
}
