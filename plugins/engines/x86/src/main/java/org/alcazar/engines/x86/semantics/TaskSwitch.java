package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.CS;
import static org.alcazar.engines.x86.api.X86.DS;
import static org.alcazar.engines.x86.api.X86.ES;
import static org.alcazar.engines.x86.api.X86.FS;
import static org.alcazar.engines.x86.api.X86.GS;
import static org.alcazar.engines.x86.api.X86.LDTR;
import static org.alcazar.engines.x86.api.X86.SS;
import static org.alcazar.engines.x86.api.X86.TR;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.Cpu;

/**
 * Hardware task switches in legacy protected mode, with 16- and 32-bit task-state segments (APM
 * volume 2, 12.3).
 */
final class TaskSwitch {
    private static final int JUMP = 0, CALL = 1, RETURN = 2;
    private static final int NONE = -1;
    private static final long NO_CODE = -1;
    private static final long TASK_TRAP = 1 << 15;

    private TaskSwitch() {}

    /** JMP or CALL to a TSS; the gate on the way was checked. */
    static void transfer(Cpu cpu, int selector, boolean call) {
        switchTo(cpu, selector, call ? CALL : JUMP, Bits.GP, NO_CODE);
    }

    /** An interrupt or exception through a task gate. */
    static void interrupt(Cpu cpu, int selector, boolean hasCode, int code) {
        switchTo(cpu, selector, CALL, Bits.GP, hasCode ? code & 0xffff_ffffL : NO_CODE);
    }

    /** IRET with NT set: back to the task in the link field. */
    static void back(Cpu cpu) {
        int link = cpu.mmu.readSystem16(cpu.segmentBase[TR]);
        switchTo(cpu, link, RETURN, Bits.TS, NO_CODE);
    }

    /**
     * Loads the new task, at first or after an exit in the middle of that. All of it can be done
     * again until it is complete.
     */
    static void resume(Cpu cpu) {
        load(cpu, cpu.task);
        if (cpu.taskCode != NO_CODE) {
            int size = (cpu.segmentAttributes[TR] & 8) != 0 ? 4 : 2;
            long sp = SystemStack.push(cpu, SystemStack.pointer(cpu), size, cpu.taskCode);
            SystemStack.setPointer(cpu, sp);
        }
        cpu.taskLoading = false;
        if (cpu.task[18] != 0) {
            Interrupts.trapNext(cpu, TASK_TRAP);
        }
    }

    private static void switchTo(Cpu cpu, int selector, int how, int vector, long code) {
        if (Segments.isNull(selector) || (selector & 4) != 0) {
            throw Segments.fault(cpu, vector, selector);
        }
        long descriptor = Segments.descriptor(cpu, selector, vector);
        int attributes = Segments.attributes(descriptor);
        int type = attributes & 0x1f & ~Segments.BUSY;
        boolean busy = (attributes & Segments.BUSY) != 0;
        if (type != Segments.TSS16 && type != Segments.TSS32 || busy != (how == RETURN)) {
            throw Segments.fault(cpu, vector, selector);
        }
        if ((attributes & Segments.PRESENT) == 0) {
            throw Segments.fault(cpu, Bits.NP, selector);
        }
        boolean wide = type == Segments.TSS32;
        if (Segments.limit(descriptor) < (wide ? 0x67 : 0x2b)) {
            throw Segments.fault(cpu, Bits.TS, selector);
        }
        long base = Segments.base(descriptor);
        long[] next = cpu.task;
        if (wide) {
            read32(cpu, base, next);
        } else {
            read16(cpu, base, next);
        }
        int old = cpu.selector[TR];
        probe(cpu, base, old, selector, how);
        save(cpu, how == RETURN);
        if (how != CALL) {
            setBusy(cpu, old, false);
        }
        if (how != RETURN) {
            setBusy(cpu, selector, true);
        }
        if (how == CALL) {
            cpu.mmu.writeSystem16(base, old);
            next[1] |= Bits.NT;
        }
        Segments.set(cpu, TR, selector, descriptor | (long) Segments.BUSY << 40);
        cpu.cr0 |= Bits.CR0_TS;
        cpu.nmiBlocked &= how != RETURN;
        cpu.accesses.clear();
        cpu.taskCode = code;
        cpu.taskRooted = !wide || (cpu.cr0 & Bits.CR0_PG) == 0;
        cpu.taskLoading = true;
        resume(cpu);
    }

    /**
     * Raises what the writes to the old task's state, to the busy bits and to the link would raise,
     * before the first of them: an exit in their midst would start the switch anew and find the new
     * task busy.
     */
    private static void probe(Cpu cpu, long base, int old, int selector, int how) {
        boolean wide = (cpu.segmentAttributes[TR] & 8) != 0;
        cpu.mmu.probeWriteSystem(cpu.segmentBase[TR] + (wide ? 0x20 : 0x0e), wide ? 0x40 : 0x1c);
        if (how != RETURN) {
            cpu.mmu.probeWriteSystem(Segments.descriptorAt(cpu, selector, 8) + 5, 1);
        }
        long at = Segments.descriptorAt(cpu, old, 8);
        if (how != CALL && at != NONE) {
            cpu.mmu.probeWriteSystem(at + 5, 1);
        }
        if (how == CALL) {
            cpu.mmu.probeWriteSystem(base, 2);
        }
    }

    private static void setBusy(Cpu cpu, int selector, boolean busy) {
        long at = Segments.descriptorAt(cpu, selector, 8);
        if (at != NONE) {
            cpu.mmu.locked.changeSystem8(
                    at + 5, busy ? 0 : Segments.BUSY, busy ? Segments.BUSY : 0);
        }
    }

    /** Fills {@link Cpu#task}. */
    private static void read32(Cpu cpu, long base, long[] out) {
        for (int i = 0; i < 10; i++) {
            out[i] = cpu.mmu.readSystem32(base + 0x20 + 4 * i) & 0xffff_ffffL;
        }
        for (int i = 0; i < 7; i++) {
            out[10 + i] = cpu.mmu.readSystem16(base + 0x48 + 4 * i);
        }
        out[17] = cpu.mmu.readSystem32(base + 0x1c) & 0xffff_ffffL;
        out[18] = cpu.mmu.readSystem16(base + 0x64) & 1;
    }

    private static void read16(Cpu cpu, long base, long[] out) {
        for (int i = 0; i < 10; i++) {
            out[i] = cpu.mmu.readSystem16(base + 0x0e + 2 * i);
        }
        for (int i = 2; i < 10; i++) {
            out[i] |= 0xffff_0000L;
        }
        for (int i = 0; i < 4; i++) {
            out[10 + i] = cpu.mmu.readSystem16(base + 0x22 + 2 * i);
        }
        out[14] = 0;
        out[15] = 0;
        out[16] = cpu.mmu.readSystem16(base + 0x2a);
        out[17] = 0;
        out[18] = 0;
    }

    private static void save(Cpu cpu, boolean leaves) {
        long base = cpu.segmentBase[TR];
        long flags = cpu.rflags() & (leaves ? ~(long) Bits.NT : -1L);
        boolean wide = (cpu.segmentAttributes[TR] & 8) != 0;
        if (wide) {
            cpu.mmu.writeSystem32(base + 0x20, (int) cpu.rip);
            cpu.mmu.writeSystem32(base + 0x24, (int) flags);
            for (int i = 0; i < 8; i++) {
                cpu.mmu.writeSystem32(base + 0x28 + 4 * i, (int) cpu.gpr[i]);
            }
            for (int i = 0; i < 6; i++) {
                cpu.mmu.writeSystem16(base + 0x48 + 4 * i, cpu.selector[i]);
            }
            return;
        }
        cpu.mmu.writeSystem16(base + 0x0e, (int) cpu.rip);
        cpu.mmu.writeSystem16(base + 0x10, (int) flags);
        for (int i = 0; i < 8; i++) {
            cpu.mmu.writeSystem16(base + 0x12 + 2 * i, (int) cpu.gpr[i]);
        }
        for (int i = 0; i < 4; i++) {
            cpu.mmu.writeSystem16(base + 0x22 + 2 * i, cpu.selector[i]);
        }
    }

    /** From here on faults belong to the new task. */
    private static void load(Cpu cpu, long[] next) {
        // Once: what exits in the midst of this have found since must not be flushed again.
        if (!cpu.taskRooted) {
            if ((cpu.cr4 & Bits.CR4_PAE) != 0 && !cpu.mmu.loadPointers(next[17])) {
                throw cpu.fault(Bits.TS, 0);
            }
            cpu.cr3 = next[17];
            cpu.mmu.taskRootChanged();
            cpu.taskRooted = true;
        }
        cpu.taskSwitched = true;
        cpu.rip = next[0];
        cpu.setRflags(next[1] & 0x3f_7fd7L);
        for (int i = 0; i < 8; i++) {
            cpu.gpr[i] = next[2 + i];
        }
        for (int i = 0; i < 6; i++) {
            cpu.selector[i] = (int) next[10 + i];
            cpu.segmentAttributes[i] = 0;
        }
        cpu.selector[LDTR] = (int) next[16];
        cpu.segmentAttributes[LDTR] = 0;
        cpu.dr[7] &= ~0x55L;
        int cs = (int) next[11];
        cpu.cpl = cpu.virtual8086() ? 3 : cs & 3;
        cpu.mmu.modeChanged();
        loadTable(cpu, (int) next[16]);
        if (cpu.virtual8086()) {
            for (int i = 0; i < 6; i++) {
                Segments.setReal(cpu, i, (int) next[10 + i]);
            }
        } else {
            loadSegments(cpu, next, cs);
        }
        if (cpu.rip > cpu.segmentLimit[CS]) {
            throw cpu.generalProtection(0);
        }
        cpu.taskSwitched = false;
    }

    private static void loadTable(Cpu cpu, int selector) {
        if (Segments.isNull(selector)) {
            return;
        }
        long descriptor = (selector & 4) != 0 ? 0 : Segments.descriptor(cpu, selector, Bits.TS);
        int attributes = Segments.attributes(descriptor);
        if ((attributes & 0x1f) != Segments.LDT || (attributes & Segments.PRESENT) == 0) {
            throw Segments.fault(cpu, Bits.TS, selector);
        }
        Segments.set(cpu, LDTR, selector, descriptor);
    }

    private static void loadSegments(Cpu cpu, long[] next, int cs) {
        if (Segments.isNull(cs)) {
            throw Segments.fault(cpu, Bits.TS, cs);
        }
        long code = Segments.descriptor(cpu, cs, Bits.TS);
        int attributes = Segments.attributes(code);
        boolean conforming = (attributes & Segments.CONFORMING) != 0;
        int dpl = Segments.dpl(attributes);
        if (!Segments.isCode(attributes) || (conforming ? dpl > cpu.cpl : dpl != cpu.cpl)) {
            throw Segments.fault(cpu, Bits.TS, cs);
        }
        code = Segments.accept(cpu, cs, code);
        int ss = (int) next[12];
        long stack = Segments.stackDescriptor(cpu, ss, cpu.cpl, Bits.TS, Bits.SS);
        Segments.set(cpu, SS, ss, stack);
        Segments.setCode(cpu, cs, code, cpu.cpl);
        Segments.loadData(cpu, ES, (int) next[10], Bits.TS);
        Segments.loadData(cpu, DS, (int) next[13], Bits.TS);
        Segments.loadData(cpu, FS, (int) next[14], Bits.TS);
        Segments.loadData(cpu, GS, (int) next[15], Bits.TS);
    }
}
