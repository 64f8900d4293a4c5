package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.CS;
import static org.alcazar.engines.x86.api.X86.DS;
import static org.alcazar.engines.x86.api.X86.ES;
import static org.alcazar.engines.x86.api.X86.FS;
import static org.alcazar.engines.x86.api.X86.GS;
import static org.alcazar.engines.x86.api.X86.RSP;
import static org.alcazar.engines.x86.api.X86.SS;
import static org.alcazar.engines.x86.api.X86.TR;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuExit;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;

/**
 * Delivery of interrupts and exceptions through the interrupt-descriptor table in every mode (APM
 * volume 2, chapter 8).
 */
public final class Interrupts {
    /** Kinds of events, as in the VMCB's EVENTINJ and {@link X86#PENDING_EVENT}. */
    static final int EXTERNAL = 0, NMI = 2, EXCEPTION = 3, SOFTWARE = 4;

    /** Marks a pending event that this class has left, so that vector 255 is not taken for none. */
    private static final long PENDING = 1L << 11;

    private static final long TRAP = 1L << 15;

    private static final int INTERRUPT16 = 6, TRAP16 = 7, INTERRUPT32 = 14, TRAP32 = 15;
    private static final int CLEARED = Bits.TF | Bits.NT | Bits.RF | Bits.VM;

    private Interrupts() {}

    /**
     * An external interrupt between two instructions.
     *
     * @return false for a triple fault
     */
    public static boolean interrupt(Cpu cpu, int vector) {
        return deliver(cpu, vector, EXTERNAL, false, 0);
    }

    /** A non-maskable interrupt; further ones are blocked until IRET. False for a triple fault. */
    public static boolean nonMaskable(Cpu cpu) {
        cpu.nmiBlocked = true;
        return deliver(cpu, Bits.NMI, NMI, false, 0);
    }

    /**
     * An exception at RIP, which for faults is that of the faulting instruction. Leaves with a
     * FAULT exit if the VMM intercepts it.
     *
     * @return false for a triple fault
     */
    public static boolean raise(Cpu cpu, CpuFault fault) {
        int vector = fault.vector;
        boolean hasErrorCode = fault.hasErrorCode;
        int errorCode = fault.errorCode;
        if (intercepted(cpu, vector)) {
            throw intercept(cpu, vector, errorCode);
        }
        if (vector == Bits.PFV) {
            cpu.cr2 = cpu.mmu.faultAddress();
        }
        return deliver(cpu, vector, EXCEPTION, hasErrorCode, errorCode);
    }

    private static boolean intercepted(Cpu cpu, int vector) {
        return (cpu.block.exceptions & 1L << vector) != 0 && !cpu.proceed;
    }

    private static CpuExit intercept(Cpu cpu, int vector, int errorCode) {
        ExitFrame frame = cpu.block.frame();
        frame.code = vector;
        frame.value = errorCode;
        frame.address = cpu.mmu.faultAddress();
        frame.reply = ExitFrame.PROCEED;
        return cpu.exit(Exit.FAULT);
    }

    /**
     * Delivers {@link Cpu#pendingEvent}: one that the VMM injects, or whose delivery was cut short
     * by an exit.
     *
     * @return false for a triple fault
     */
    public static boolean inject(Cpu cpu) {
        long event = cpu.pendingEvent;
        cpu.pendingEvent = 0;
        int vector = (int) (event - 1) & 0xff;
        int kind = (int) (event >> 8) & 7;
        if (vector == 255 && (event & PENDING) != 0) {
            // 1 + 255 has carried into the kind's field; the marked form keeps the two apart.
            kind = (int) (event >> 12) & 7;
        }
        if (vector == Bits.MC && kind == EXCEPTION && (cpu.cr4 & Bits.CR4_MCE) == 0) {
            return false; // 9.3.1: shutdown
        }
        return deliver(cpu, vector, kind, (event >> 16 & 1) != 0, (int) (event >>> 32));
    }

    /**
     * Has #DB delivered before the next instruction, for traps of instructions that know of them
     * only when they are done.
     *
     * @param status bits for DR6
     */
    static void trapNext(Cpu cpu, long status) {
        cpu.dr[6] |= status;
        cpu.pendingEvent = pending(Bits.DB, EXCEPTION, false, 0) | TRAP;
    }

    /** Whether an event is one of {@link #trapNext}: a #DB that the VMM has not seen yet. */
    public static boolean isTrap(long event) {
        return (event & TRAP) != 0;
    }

    /** A task switch that an exit interrupted goes on. Faults, then in the new task, are thrown. */
    public static void finishTaskSwitch(Cpu cpu) {
        TaskSwitch.resume(cpu);
        cpu.shadow = 0;
        cpu.activity = X86.ACTIVE;
    }

    /** INT n, INT3, INTO: RIP is that of the next instruction. Faults are thrown. */
    public static void software(Cpu cpu, int vector) {
        enter(cpu, vector, SOFTWARE, false, 0);
    }

    /**
     * INT1: a hardware exception at the next instruction, without a look at the gate's privilege.
     */
    static void trap(Cpu cpu, int vector) {
        enter(cpu, vector, EXCEPTION, false, 0);
    }

    /** Exceptions in a row during one delivery before others have their turn. */
    private static final int ATTEMPTS = 16;

    private static boolean deliver(
            Cpu cpu, int first, int firstKind, boolean firstHasCode, int firstCode) {
        int vector = first;
        int kind = firstKind;
        boolean hasCode = firstHasCode;
        int code = firstCode;
        for (int attempts = 0; attempts < ATTEMPTS; attempts++) {
            try {
                enter(cpu, vector, kind, hasCode, code);
                return true;
            } catch (CpuFault second) {
                cpu.taskLoading = false;
                if (intercepted(cpu, second.vector)) {
                    // Seen before it is combined with the first (APM volume 2, 15.12).
                    cpu.pendingEvent = pending(vector, kind, hasCode, code);
                    throw intercept(cpu, second.vector, second.errorCode);
                }
                if (second.vector == Bits.PFV) {
                    cpu.cr2 = cpu.mmu.faultAddress();
                }
                if (kind == EXCEPTION && vector == Bits.DF_) {
                    return false;
                }
                boolean twice = kind == EXCEPTION && doubles(vector, second.vector);
                boolean external = kind != SOFTWARE && hasExtBit(second.vector);
                if (twice && intercepted(cpu, Bits.DF_)) {
                    cpu.pendingEvent = pending(vector, kind, hasCode, code);
                    throw intercept(cpu, Bits.DF_, 0);
                }
                code = twice ? 0 : second.errorCode | (external ? 1 : 0);
                hasCode = twice || second.hasErrorCode;
                vector = twice ? Bits.DF_ : second.vector;
                kind = EXCEPTION;
            } catch (CpuExit exit) {
                if (!cpu.taskLoading) {
                    cpu.pendingEvent = pending(vector, kind, hasCode, code);
                }
                throw exit;
            }
        }
        // Exceptions that do not combine can follow each other for ever, such as #AC by the frame
        // of an #AC: the run loop has to look at requests in between.
        cpu.pendingEvent = pending(vector, kind, hasCode, code);
        return true;
    }

    /** An event in the form of {@link Cpu#pendingEvent}. */
    static long pending(int vector, int kind, boolean hasCode, int code) {
        long at = vector == 255 ? 0x100 | (long) kind << 12 : vector + 1L | (long) kind << 8;
        return at | PENDING | (hasCode ? 1 << 16 : 0) | (long) code << 32;
    }

    private static boolean hasExtBit(int vector) {
        return vector >= Bits.TS && vector <= Bits.GP;
    }

    private static boolean contributory(int vector) {
        return vector == Bits.DE || vector >= Bits.TS && vector <= Bits.GP;
    }

    /**
     * Whether a second exception during delivery of a first makes a double fault (APM volume 2,
     * table 8-4).
     */
    private static boolean doubles(int first, int second) {
        return contributory(first) && contributory(second)
                || first == Bits.PFV && (second == Bits.PFV || contributory(second));
    }

    private static void enter(Cpu cpu, int vector, int kind, boolean hasCode, int code) {
        long from = cpu.rip;
        if (!cpu.protectedMode()) {
            enterReal(cpu, vector);
        } else if (cpu.longMode()) {
            enterLong(cpu, vector, kind, hasCode, code);
        } else {
            enterProtected(cpu, vector, kind, hasCode, code);
        }
        cpu.shadow = 0;
        cpu.activity = X86.ACTIVE;
        boolean exception = kind == EXCEPTION;
        if (vector == Bits.DB && exception) {
            cpu.dr[7] &= ~(1L << 13);
        }
        cpu.breakpoints.event(
                vector == Bits.DB && exception,
                vector == Bits.MC && exception,
                kind == SOFTWARE,
                from,
                cpu.rip);
    }

    /** RFLAGS to push: faults set RF, so that an instruction breakpoint does not hit again. */
    private static long image(Cpu cpu, int vector, int kind) {
        boolean fault =
                kind == EXCEPTION
                        && vector != Bits.DB
                        && vector != Bits.BP
                        && vector != Bits.OFV
                        && vector != Bits.DF_
                        && vector != Bits.MC;
        return cpu.rflags() | (fault ? Bits.RF : 0);
    }

    private static void enterReal(Cpu cpu, int vector) {
        if (vector * 4 + 3 > cpu.idtrLimit) {
            throw cpu.generalProtection(vector * 8 + 2);
        }
        int target = cpu.mmu.readSystem32(cpu.idtrBase + vector * 4);
        long sp = SystemStack.pointer(cpu);
        sp = SystemStack.push(cpu, sp, 2, cpu.rflags());
        sp = SystemStack.push(cpu, sp, 2, cpu.selector[CS]);
        sp = SystemStack.push(cpu, sp, 2, cpu.rip);
        SystemStack.setPointer(cpu, sp);
        cpu.flags &= ~(Bits.IF | Bits.TF | Bits.AC | Bits.RF);
        Segments.setReal(cpu, CS, target >>> 16);
        cpu.rip = target & 0xffff;
    }

    // ---- long mode

    private static void enterLong(Cpu cpu, int vector, int kind, boolean hasCode, int code) {
        int where = vector * 8 + 2;
        if (vector * 16 + 15 > cpu.idtrLimit) {
            throw cpu.generalProtection(where);
        }
        long gate = cpu.mmu.readSystem64(cpu.idtrBase + vector * 16);
        long upper = cpu.mmu.readSystem64(cpu.idtrBase + vector * 16 + 8);
        int attributes = Segments.attributes(gate);
        int type = attributes & 0x1f;
        if (type != INTERRUPT32 && type != TRAP32
                || kind == SOFTWARE && Segments.dpl(attributes) < cpu.cpl) {
            throw cpu.generalProtection(where);
        }
        if ((attributes & Segments.PRESENT) == 0) {
            throw cpu.fault(Bits.NP, where);
        }
        int selector = (int) (gate >>> 16) & 0xffff;
        long descriptor = handlerCode(cpu, selector);
        int codeAttributes = Segments.attributes(descriptor);
        if ((codeAttributes & (Segments.LONG | Segments.BIG)) != Segments.LONG) {
            throw Segments.fault(cpu, Bits.GP, selector);
        }
        boolean conforming = (codeAttributes & Segments.CONFORMING) != 0;
        int cpl = conforming ? cpu.cpl : Segments.dpl(codeAttributes);
        int ist = (int) (gate >>> 32) & 7;
        long rsp = cpu.gpr[RSP];
        if (ist != 0) {
            rsp = task64(cpu, 0x24 + 8 * (ist - 1));
        } else if (cpl < cpu.cpl) {
            rsp = task64(cpu, 4 + 8 * cpl);
        }
        rsp &= -16;
        long target = gate & 0xffff | gate >>> 32 & 0xffff_0000L | upper << 32;
        if (!Segments.canonical(cpu, target)) {
            throw cpu.generalProtection(0);
        }
        rsp = push64(cpu, rsp, cpu.selector[SS], cpl);
        rsp = push64(cpu, rsp, cpu.gpr[RSP], cpl);
        rsp = push64(cpu, rsp, image(cpu, vector, kind), cpl);
        rsp = push64(cpu, rsp, cpu.selector[CS], cpl);
        rsp = push64(cpu, rsp, cpu.rip, cpl);
        if (hasCode) {
            rsp = push64(cpu, rsp, code & 0xffff_ffffL, cpl);
        }
        if (cpl < cpu.cpl) {
            Segments.setNullStack(cpu, cpl);
        }
        cpu.gpr[RSP] = rsp;
        cpu.rip = target;
        cpu.flags &= ~CLEARED;
        if (type == INTERRUPT32) {
            cpu.flags &= ~Bits.IF;
        }
        Segments.setCode(cpu, selector, descriptor, cpl);
    }

    private static long push64(Cpu cpu, long rsp, long value, int cpl) {
        long at = rsp - 8;
        if (!Segments.canonical(cpu, at)) {
            throw cpu.fault(Bits.SS, 0);
        }
        SystemStack.write(cpu, at, 8, value, cpl);
        return at;
    }

    /** A stack pointer from the 64-bit TSS. */
    static long task64(Cpu cpu, int offset) {
        if (offset + 7 > cpu.segmentLimit[TR]) {
            throw Segments.fault(cpu, Bits.TS, cpu.selector[TR]);
        }
        long rsp = cpu.mmu.readSystem64(cpu.segmentBase[TR] + offset);
        if (!Segments.canonical(cpu, rsp)) {
            throw cpu.fault(Bits.SS, 0);
        }
        return rsp;
    }

    /** The handler's code segment; its privilege is checked, its size is not. */
    private static long handlerCode(Cpu cpu, int selector) {
        if (Segments.isNull(selector)) {
            throw cpu.generalProtection(0);
        }
        long descriptor = Segments.descriptor(cpu, selector, Bits.GP);
        int attributes = Segments.checkCode(cpu, selector, descriptor);
        if (Segments.dpl(attributes) > cpu.cpl) {
            throw Segments.fault(cpu, Bits.GP, selector);
        }
        return Segments.accept(cpu, selector, descriptor);
    }

    // ---- protected mode

    private static void enterProtected(Cpu cpu, int vector, int kind, boolean hasCode, int code) {
        int where = vector * 8 + 2;
        if (vector * 8 + 7 > cpu.idtrLimit) {
            throw cpu.generalProtection(where);
        }
        long gate = cpu.mmu.readSystem64(cpu.idtrBase + vector * 8);
        int attributes = Segments.attributes(gate);
        int type = attributes & 0x1f;
        boolean known =
                type == Segments.TASK_GATE
                        || type == INTERRUPT16
                        || type == TRAP16
                        || type == INTERRUPT32
                        || type == TRAP32;
        if (!known || kind == SOFTWARE && Segments.dpl(attributes) < cpu.cpl) {
            throw cpu.generalProtection(where);
        }
        if ((attributes & Segments.PRESENT) == 0) {
            throw cpu.fault(Bits.NP, where);
        }
        int selector = (int) (gate >>> 16) & 0xffff;
        if (type == Segments.TASK_GATE) {
            TaskSwitch.interrupt(cpu, selector, hasCode, code);
            return;
        }
        int size = type >= INTERRUPT32 ? 4 : 2;
        long target = gate & 0xffff | (size == 4 ? gate >>> 32 & 0xffff_0000L : 0);
        long descriptor = handlerCode(cpu, selector);
        int codeAttributes = Segments.attributes(descriptor);
        boolean conforming = (codeAttributes & Segments.CONFORMING) != 0;
        int cpl = conforming ? cpu.cpl : Segments.dpl(codeAttributes);
        if (cpu.virtual8086() && cpl != 0) {
            throw Segments.fault(cpu, Bits.GP, selector);
        }
        long flags = image(cpu, vector, kind);
        if (cpl < cpu.cpl) {
            toInner(cpu, cpl, size, flags, hasCode, code, selector, descriptor, target);
        } else {
            Segments.checkTarget(cpu, descriptor, target);
            long sp = SystemStack.pointer(cpu);
            sp = SystemStack.push(cpu, sp, size, flags);
            sp = SystemStack.push(cpu, sp, size, cpu.selector[CS]);
            sp = SystemStack.push(cpu, sp, size, cpu.rip);
            if (hasCode) {
                sp = SystemStack.push(cpu, sp, size, code);
            }
            SystemStack.setPointer(cpu, sp);
            arrive(cpu, selector, descriptor, cpl, target);
        }
        if (type == INTERRUPT16 || type == INTERRUPT32) {
            cpu.flags &= ~Bits.IF;
        }
    }

    private static void arrive(Cpu cpu, int selector, long descriptor, int cpl, long target) {
        cpu.flags &= ~CLEARED;
        Segments.setCode(cpu, selector, descriptor, cpl);
        cpu.rip = target;
    }

    private static void toInner(
            Cpu cpu,
            int cpl,
            int size,
            long flags,
            boolean hasCode,
            int code,
            int selector,
            long descriptor,
            long target) {
        int stackSelector = taskStackSelector(cpu, cpl);
        long sp = taskStackPointer(cpu, cpl);
        long stack = Segments.stackDescriptor(cpu, stackSelector, cpl, Bits.TS, Bits.SS);
        Segments.checkTarget(cpu, descriptor, target);
        boolean virtual = cpu.virtual8086();
        if (virtual) {
            sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, cpu.selector[GS]);
            sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, cpu.selector[FS]);
            sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, cpu.selector[DS]);
            sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, cpu.selector[ES]);
        }
        sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, cpu.selector[SS]);
        sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, cpu.gpr[RSP]);
        sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, flags);
        sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, cpu.selector[CS]);
        sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, cpu.rip);
        if (hasCode) {
            sp = SystemStack.pushTo(cpu, stack, stackSelector, sp, size, code);
        }
        if (virtual) {
            Segments.dropAllData(cpu);
        }
        Segments.set(cpu, SS, stackSelector, stack);
        SystemStack.setPointer(cpu, sp, SystemStack.mask(Segments.attributes(stack)));
        arrive(cpu, selector, descriptor, cpl, target);
    }

    private static boolean task32(Cpu cpu) {
        return (cpu.segmentAttributes[TR] & 8) != 0;
    }

    /** SS for a privilege from the 16- or 32-bit TSS. */
    static int taskStackSelector(Cpu cpu, int cpl) {
        int at = task32(cpu) ? 8 + 8 * cpl : 4 + 4 * cpl;
        checkTask(cpu, at + 1);
        return cpu.mmu.readSystem16(cpu.segmentBase[TR] + at);
    }

    /** ESP or SP for a privilege from the TSS. */
    static long taskStackPointer(Cpu cpu, int cpl) {
        if (task32(cpu)) {
            checkTask(cpu, 4 + 8 * cpl + 3);
            return cpu.mmu.readSystem32(cpu.segmentBase[TR] + 4 + 8 * cpl) & 0xffff_ffffL;
        }
        checkTask(cpu, 2 + 4 * cpl + 1);
        return cpu.mmu.readSystem16(cpu.segmentBase[TR] + 2 + 4 * cpl);
    }

    private static void checkTask(Cpu cpu, int last) {
        if (last > cpu.segmentLimit[TR]) {
            throw Segments.fault(cpu, Bits.TS, cpu.selector[TR]);
        }
    }
}
