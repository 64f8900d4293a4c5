package org.alcazar.engines.x86.state;

import static org.alcazar.engines.x86.api.X86.ATTRIBUTES;
import static org.alcazar.engines.x86.api.X86.BASE;
import static org.alcazar.engines.x86.api.X86.FPR0;
import static org.alcazar.engines.x86.api.X86.LIMIT;
import static org.alcazar.engines.x86.api.X86.SELECTOR;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.ControlBlock;

/** Register groups of {@link X86#ARCHITECTURE} between a core and its control block. */
public final class GroupExchange {
    private static final int SEGMENTS = 8;

    private GroupExchange() {}

    /**
     * Copies the groups of {@code mask} that are not valid yet from the core and marks them valid.
     */
    public static void fetch(Cpu cpu, ControlBlock block, long mask) {
        long wanted = mask & ~block.valid & block.architecture().allGroups();
        for (int id = 0; wanted >>> id != 0; id++) {
            if ((wanted >>> id & 1) != 0) {
                fetch(cpu, id, block.group(id));
            }
        }
        block.valid |= wanted;
    }

    private static void fetch(Cpu cpu, int id, long[] to) {
        switch (id) {
            case X86.GENERAL -> {
                System.arraycopy(cpu.gpr, 0, to, 0, 16);
                to[X86.RIP] = cpu.rip;
                to[X86.RFLAGS] = cpu.rflags();
            }
            case X86.SEGMENTS -> fetchSegments(cpu, to);
            case X86.CONTROL -> fetchControl(cpu, to);
            case X86.MSRS -> {
                cpu.counters.settle(cpu.retired);
                System.arraycopy(cpu.msr, 0, to, 0, to.length);
            }
            case X86.FPU -> fetchFpu(cpu, to);
            case X86.VECTOR -> System.arraycopy(cpu.xmm, 0, to, 0, 32);
            case X86.EVENTS -> {
                to[X86.PENDING_EVENT] = cpu.pendingEvent;
                to[X86.SHADOW] = cpu.shadow;
                to[X86.NMI_BLOCKED] = cpu.nmiBlocked ? 1 : 0;
                to[X86.ACTIVITY] = cpu.activity;
            }
            case X86.EXTENDED -> System.arraycopy(cpu.extended, 0, to, 0, to.length);
            default -> throw new IllegalArgumentException("register group " + id);
        }
    }

    private static void fetchSegments(Cpu cpu, long[] to) {
        for (int s = 0; s < SEGMENTS; s++) {
            to[4 * s + SELECTOR] = cpu.selector[s] & 0xffff;
            to[4 * s + BASE] = cpu.segmentBase[s];
            to[4 * s + LIMIT] = cpu.segmentLimit[s];
            to[4 * s + ATTRIBUTES] = cpu.segmentAttributes[s];
        }
        to[X86.GDTR_BASE] = cpu.gdtrBase;
        to[X86.GDTR_LIMIT] = cpu.gdtrLimit;
        to[X86.IDTR_BASE] = cpu.idtrBase;
        to[X86.IDTR_LIMIT] = cpu.idtrLimit;
    }

    private static void fetchControl(Cpu cpu, long[] to) {
        to[X86.CR0] = cpu.cr0;
        to[X86.CR2] = cpu.cr2;
        to[X86.CR3] = cpu.cr3;
        to[X86.CR4] = cpu.cr4;
        to[X86.CR8] = cpu.interrupts.taskPriority();
        to[X86.EFER] = cpu.efer;
        to[X86.XCR0] = cpu.xcr0;
        System.arraycopy(cpu.dr, 0, to, X86.DR0, 4);
        to[X86.DR6] = cpu.dr[6];
        to[X86.DR7] = cpu.dr[7];
    }

    private static void fetchFpu(Cpu cpu, long[] to) {
        to[X86.FCW] = cpu.fcw;
        to[X86.FSW] = cpu.fsw & ~0x3800 | cpu.fpTop << 11;
        to[X86.FTW] = cpu.ftw;
        to[X86.FOP] = cpu.fop;
        to[X86.FIP] = cpu.fip;
        to[X86.FDP] = cpu.fdp;
        to[X86.MXCSR] = cpu.mxcsr & 0xffffffffL;
        for (int i = 0; i < 8; i++) {
            to[FPR0 + 2 * i] = cpu.fpSignificand[i];
            to[FPR0 + 2 * i + 1] = cpu.fpExponent[i];
        }
    }

    /**
     * Takes the dirty groups from the block.
     *
     * @return the mask of those taken
     */
    public static long load(Cpu cpu, ControlBlock block) {
        long dirty = block.dirty & block.architecture().allGroups();
        block.dirty = 0;
        cpu.counters.settle(cpu.retired);
        for (int id = 0; dirty >>> id != 0; id++) {
            if ((dirty >>> id & 1) != 0) {
                load(cpu, id, block.group(id));
            }
        }
        if ((dirty & (1L << X86.GENERAL | 1L << X86.SEGMENTS | 1L << X86.CONTROL)) != 0) {
            findPrivilege(cpu);
        }
        if ((dirty & ~(1L << X86.FPU | 1L << X86.VECTOR)) != 0) {
            cpu.counters.loaded();
        }
        return dirty;
    }

    private static void load(Cpu cpu, int id, long[] from) {
        switch (id) {
            case X86.GENERAL -> {
                System.arraycopy(from, 0, cpu.gpr, 0, 16);
                cpu.rip = from[X86.RIP];
                cpu.setRflags(from[X86.RFLAGS]);
            }
            case X86.SEGMENTS -> loadSegments(cpu, from);
            case X86.CONTROL -> loadControl(cpu, from);
            case X86.MSRS -> {
                System.arraycopy(from, 0, cpu.msr, 0, from.length);
                tell(cpu);
            }
            case X86.FPU -> loadFpu(cpu, from);
            case X86.VECTOR -> System.arraycopy(from, 0, cpu.xmm, 0, 32);
            case X86.EVENTS -> {
                cpu.pendingEvent = from[X86.PENDING_EVENT];
                cpu.shadow = (int) from[X86.SHADOW];
                cpu.nmiBlocked = from[X86.NMI_BLOCKED] != 0;
                // A wait for a write ends for any reason, and what it watched is not saved.
                int activity = (int) from[X86.ACTIVITY];
                cpu.activity = activity == X86.MONITORING ? X86.ACTIVE : activity;
            }
            case X86.EXTENDED -> System.arraycopy(from, 0, cpu.extended, 0, from.length);
            default -> throw new IllegalArgumentException("register group " + id);
        }
    }

    /** Tells the interrupt controller what it depends on. */
    public static void tell(Cpu cpu) {
        cpu.interrupts.coreRegister(X86.APIC_BASE, cpu.msr[X86.APIC_BASE]);
        cpu.interrupts.coreRegister(X86.TSC_OFFSET, cpu.msr[X86.TSC_OFFSET]);
    }

    private static void loadSegments(Cpu cpu, long[] from) {
        for (int s = 0; s < SEGMENTS; s++) {
            cpu.selector[s] = (int) from[4 * s + SELECTOR] & 0xffff;
            cpu.segmentBase[s] = from[4 * s + BASE];
            cpu.segmentLimit[s] = from[4 * s + LIMIT] & 0xffffffffL;
            cpu.segmentAttributes[s] = (int) from[4 * s + ATTRIBUTES];
        }
        cpu.gdtrBase = from[X86.GDTR_BASE];
        cpu.gdtrLimit = (int) from[X86.GDTR_LIMIT] & 0xffff;
        cpu.idtrBase = from[X86.IDTR_BASE];
        cpu.idtrLimit = (int) from[X86.IDTR_LIMIT] & 0xffff;
    }

    private static void loadControl(Cpu cpu, long[] from) {
        cpu.cr0 = from[X86.CR0];
        cpu.cr2 = from[X86.CR2];
        cpu.cr3 = from[X86.CR3];
        cpu.cr4 = from[X86.CR4];
        cpu.interrupts.taskPriority((int) from[X86.CR8] & 15);
        cpu.efer = from[X86.EFER];
        cpu.xcr0 = from[X86.XCR0];
        System.arraycopy(from, X86.DR0, cpu.dr, 0, 4);
        cpu.dr[6] = from[X86.DR6];
        cpu.dr[7] = from[X86.DR7];
    }

    private static void loadFpu(Cpu cpu, long[] from) {
        // It may have been told on another core; telling once more that it is gone does no harm.
        cpu.floatErrorTold = true;
        cpu.fcw = (int) from[X86.FCW] & 0xffff;
        cpu.fsw = (int) from[X86.FSW] & 0xffff & ~0x3800;
        cpu.fpTop = (int) from[X86.FSW] >> 11 & 7;
        cpu.ftw = (int) from[X86.FTW] & 0xffff;
        cpu.fop = (int) from[X86.FOP];
        cpu.fip = from[X86.FIP];
        cpu.fdp = from[X86.FDP];
        cpu.mxcsr = (int) from[X86.MXCSR];
        for (int i = 0; i < 8; i++) {
            cpu.fpSignificand[i] = from[FPR0 + 2 * i];
            cpu.fpExponent[i] = (int) from[FPR0 + 2 * i + 1] & 0xffff;
        }
    }

    /** CPL is the DPL of SS, but for real mode (0) and virtual-8086 mode (3). */
    private static void findPrivilege(Cpu cpu) {
        if (!cpu.protectedMode()) {
            cpu.cpl = 0;
        } else if (cpu.virtual8086()) {
            cpu.cpl = 3;
        } else {
            cpu.cpl = cpu.segmentAttributes[X86.SS] >> 5 & 3;
        }
    }
}
