package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.DS;
import static org.alcazar.engines.x86.api.X86.ES;
import static org.alcazar.engines.x86.api.X86.FS;
import static org.alcazar.engines.x86.api.X86.GS;
import static org.alcazar.engines.x86.api.X86.LDTR;
import static org.alcazar.engines.x86.api.X86.RAX;
import static org.alcazar.engines.x86.api.X86.RCX;
import static org.alcazar.engines.x86.api.X86.RDX;
import static org.alcazar.engines.x86.api.X86.SS;
import static org.alcazar.engines.x86.api.X86.TR;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;

import java.lang.invoke.VarHandle;

/**
 * System instructions (APM volume 3, chapter 4) and those of the general ones that touch segments,
 * caches or nothing.
 */
public final class SystemInstructions {
    /**
     * Model-specific registers 800h to 8FFh, whose writes order nothing (APM volume 2, 16.11.2).
     */
    private static final int X2APIC = 8;

    private SystemInstructions() {}

    private static void privileged(Cpu cpu) {
        if (cpu.cpl != 0) {
            throw cpu.generalProtection(0);
        }
    }

    /** #UD outside protected mode. */
    private static void protectedOnly(Cpu cpu) {
        if (!cpu.protectedMode() || cpu.virtual8086()) {
            throw cpu.undefinedOpcode();
        }
    }

    // ---- nothing, or nearly so

    public static void nop(Cpu cpu, Instruction instruction) {}

    public static void prefetch(Cpu cpu, Instruction instruction) {}

    public static void pause(Cpu cpu, Instruction instruction) {
        cpu.intercept(Intercept.PAUSE, 0, 0);
        cpu.pause();
    }

    public static void mfence(Cpu cpu, Instruction instruction) {
        VarHandle.fullFence();
    }

    /** All loads are in order anyway, see {@link org.alcazar.engines.x86.mmu.Ram}. */
    public static void lfence(Cpu cpu, Instruction instruction) {}

    /** As all stores are, those of MOVNT among them. */
    public static void sfence(Cpu cpu, Instruction instruction) {}

    public static void invd(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        cpu.intercept(Intercept.INVD, 0, 0);
        cpu.serialize();
    }

    public static void wbinvd(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        cpu.intercept(Intercept.INVD, 0, 0);
        cpu.serialize();
    }

    public static void ud(Cpu cpu, Instruction instruction) {
        throw cpu.undefinedOpcode();
    }

    /** An instruction of more than 15 bytes. */
    public static void tooLong(Cpu cpu, Instruction instruction) {
        throw cpu.generalProtection(0);
    }

    public static void hlt(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        cpu.intercept(Intercept.HLT, 0, 0);
        cpu.activity = X86.HALTED;
    }

    /**
     * A call of the VMM, its number in RAX; goes on behind the instruction when it has answered.
     * Nobody may want it: an undefined opcode, as where no VMM intercepts it.
     */
    public static void vmmcall(Cpu cpu, Instruction instruction) {
        if (cpu.proceed) {
            throw cpu.undefinedOpcode();
        }
        ExitFrame frame = cpu.block.frame();
        frame.value = cpu.code64() ? cpu.gpr[RAX] : cpu.gpr[RAX] & 0xffff_ffffL;
        frame.reply = ExitFrame.DONE;
        throw cpu.exit(Exit.CALL);
    }

    /** Intel's; not on AMD processors. */
    public static void vmcall(Cpu cpu, Instruction instruction) {
        throw cpu.undefinedOpcode();
    }

    public static void cpuid(Cpu cpu, Instruction instruction) {
        Cpuid.execute(cpu);
        cpu.serialize();
    }

    // ---- counters and model-specific registers

    private static void timeStamp(Cpu cpu) {
        if ((cpu.cr4 & Bits.CR4_TSD) != 0 && cpu.cpl != 0 && cpu.protectedMode()) {
            throw cpu.generalProtection(0);
        }
        cpu.intercept(Intercept.RDTSC, 0, 0);
        split(cpu, Msrs.timeStamp(cpu));
    }

    private static void split(Cpu cpu, long value) {
        cpu.gpr[RAX] = value & 0xffff_ffffL;
        cpu.gpr[RDX] = value >>> 32;
    }

    public static void rdtsc(Cpu cpu, Instruction instruction) {
        timeStamp(cpu);
    }

    public static void rdtscp(Cpu cpu, Instruction instruction) {
        timeStamp(cpu);
        cpu.gpr[RCX] = cpu.msr[X86.TSC_AUX] & 0xffff_ffffL;
    }

    public static void rdpid(Cpu cpu, Instruction instruction) {
        cpu.gpr[instruction.rm] = cpu.msr[X86.TSC_AUX] & 0xffff_ffffL;
    }

    /** Reads a performance counter by its number (APM volume 3, RDPMC). */
    public static void rdpmc(Cpu cpu, Instruction instruction) {
        int number = (int) cpu.gpr[RCX];
        if ((cpu.cr4 & Bits.CR4_PCE) == 0 && cpu.cpl != 0 || !cpu.counters.has(number)) {
            throw cpu.generalProtection(0);
        }
        split(cpu, cpu.counters.read(number));
    }

    public static void rdmsr(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        split(cpu, Msrs.read(cpu, (int) cpu.gpr[RCX]));
    }

    public static void wrmsr(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        long value = cpu.gpr[RAX] & 0xffff_ffffL | cpu.gpr[RDX] << 32;
        int number = (int) cpu.gpr[RCX];
        Msrs.write(cpu, number, value);
        if (number >>> 8 != X2APIC) {
            cpu.serialize();
        }
    }

    // ---- control and debug registers

    public static void movFromCr(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        cpu.intercept(Intercept.CR_READ, instruction.reg, 0);
        set(cpu, instruction, ControlRegisters.read(cpu, instruction.reg));
    }

    public static void movToCr(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        ControlRegisters.write(cpu, instruction.reg, get(cpu, instruction));
        if (instruction.reg != 8) {
            cpu.serialize();
        }
    }

    public static void movFromDr(Cpu cpu, Instruction instruction) {
        set(cpu, instruction, ControlRegisters.readDebug(cpu, instruction.reg));
    }

    public static void movToDr(Cpu cpu, Instruction instruction) {
        ControlRegisters.writeDebug(cpu, instruction.reg, get(cpu, instruction));
        cpu.serialize();
    }

    /** 64 bits in 64-bit mode, else 32, whatever the prefixes. */
    private static void set(Cpu cpu, Instruction instruction, long value) {
        cpu.gpr[instruction.rm] = instruction.mode == 64 ? value : value & 0xffff_ffffL;
    }

    private static long get(Cpu cpu, Instruction instruction) {
        long value = cpu.gpr[instruction.rm];
        return instruction.mode == 64 ? value : value & 0xffff_ffffL;
    }

    public static void clts(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        cpu.intercept(Intercept.CR_WRITE, 0, cpu.cr0 & ~Bits.CR0_TS);
        cpu.cr0 &= ~Bits.CR0_TS;
    }

    /**
     * Can set PE but not clear it. The operand is read before the VMM sees the exit, which tells
     * the new value.
     */
    public static void lmsw(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        long low = Operands.readRm(cpu, instruction, 2) & 15;
        ControlRegisters.writeCr0(cpu, cpu.cr0 & ~14L | low);
        cpu.serialize();
    }

    public static void smsw(Cpu cpu, Instruction instruction) {
        checkUmip(cpu);
        cpu.intercept(Intercept.CR_READ, 0, 0);
        int bytes = instruction.memory ? 2 : instruction.operandSize;
        Operands.writeRm(cpu, instruction, bytes, cpu.cr0);
    }

    private static void checkUmip(Cpu cpu) {
        if ((cpu.cr4 & Bits.CR4_UMIP) != 0 && cpu.cpl != 0) {
            throw cpu.generalProtection(0);
        }
    }

    public static void invlpg(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        boolean wide = cpu.code64();
        long la = Operands.offset(cpu, instruction);
        if (!wide || instruction.segment >= FS) {
            la += cpu.segmentBase[instruction.segment];
        }
        la = wide ? la : la & 0xffff_ffffL;
        cpu.intercept(Intercept.INVLPG, la, 0);
        cpu.mmu.invalidatePage(la);
        cpu.serialize();
    }

    /** Types: 0 one page of a context, 1 a context, 2 all with globals, 3 all but globals. */
    public static void invpcid(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        int bytes = instruction.mode == 64 ? 8 : 4;
        long type = Memory.trim(cpu.gpr[instruction.reg], bytes);
        long at = Operands.linear(cpu, instruction, 16, false);
        long context = cpu.mmu.read64(at);
        long la = cpu.mmu.read64(at + 8);
        boolean one = type <= 1 && type >= 0;
        boolean contexts = (cpu.cr4 & Bits.CR4_PCIDE) != 0;
        if (type < 0
                || type > 3
                || context >>> 12 != 0
                || one && context != 0 && !contexts
                || type == 0 && !Segments.canonical(cpu, la)) {
            throw cpu.generalProtection(0);
        }
        cpu.block.frame().size = (int) context;
        cpu.intercept(Intercept.INVPCID, la, type);
        switch ((int) type) {
            case 0 -> cpu.mmu.invalidatePage(la, (int) context);
            case 1 -> cpu.mmu.flushContext((int) context);
            case 2 -> cpu.mmu.flush(true);
            default -> cpu.mmu.flush(false);
        }
        cpu.serialize();
    }

    /** #UD but at CPL 0, where others are #GP. */
    public static void clac(Cpu cpu, Instruction instruction) {
        setAlignmentFlag(cpu, 0);
    }

    /** As {@link #clac}. */
    public static void stac(Cpu cpu, Instruction instruction) {
        setAlignmentFlag(cpu, Bits.AC);
    }

    private static void setAlignmentFlag(Cpu cpu, int value) {
        if (cpu.cpl != 0) {
            throw cpu.undefinedOpcode();
        }
        cpu.flags = cpu.flags & ~Bits.AC | value;
        cpu.mmu.modeChanged();
    }

    // ---- descriptor-table registers

    public static void lgdt(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        cpu.intercept(Intercept.TABLE_REGISTERS, 0, 0);
        int limit = cpu.mmu.read16(Operands.linear(cpu, instruction, 2, false));
        cpu.gdtrBase = tableBase(cpu, instruction);
        cpu.gdtrLimit = limit;
        cpu.serialize();
    }

    public static void lidt(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        cpu.intercept(Intercept.TABLE_REGISTERS, 0, 0);
        int limit = cpu.mmu.read16(Operands.linear(cpu, instruction, 2, false));
        cpu.idtrBase = tableBase(cpu, instruction);
        cpu.idtrLimit = limit;
        cpu.serialize();
    }

    private static long tableBase(Cpu cpu, Instruction instruction) {
        boolean wide = instruction.mode == 64;
        int bytes = wide ? 8 : 4;
        long base = Memory.read(cpu, Operands.linear(cpu, instruction, 2, bytes, false), bytes);
        if (wide) {
            if (!Segments.canonical(cpu, base)) {
                throw cpu.generalProtection(0);
            }
            return base;
        }
        return instruction.operandSize == 2 ? base & 0xff_ffff : base;
    }

    public static void sgdt(Cpu cpu, Instruction instruction) {
        storeTable(cpu, instruction, cpu.gdtrLimit, cpu.gdtrBase);
    }

    public static void sidt(Cpu cpu, Instruction instruction) {
        storeTable(cpu, instruction, cpu.idtrLimit, cpu.idtrBase);
    }

    private static void storeTable(Cpu cpu, Instruction instruction, int limit, long base) {
        checkUmip(cpu);
        cpu.intercept(Intercept.TABLE_REGISTERS, 0, 0);
        int bytes = instruction.mode == 64 ? 8 : 4;
        long second = Operands.linear(cpu, instruction, 2, bytes, true);
        long first = Operands.linear(cpu, instruction, 2, true);
        cpu.mmu.probeWrite(second, bytes);
        cpu.mmu.write16(first, limit);
        Memory.write(cpu, second, bytes, base);
    }

    public static void lldt(Cpu cpu, Instruction instruction) {
        protectedOnly(cpu);
        privileged(cpu);
        cpu.intercept(Intercept.TABLE_REGISTERS, 0, 0);
        Segments.loadLocalTable(cpu, (int) Operands.readRm(cpu, instruction, 2));
        cpu.serialize();
    }

    public static void ltr(Cpu cpu, Instruction instruction) {
        protectedOnly(cpu);
        privileged(cpu);
        cpu.intercept(Intercept.TABLE_REGISTERS, 0, 0);
        Segments.loadTask(cpu, (int) Operands.readRm(cpu, instruction, 2));
        cpu.serialize();
    }

    public static void sldt(Cpu cpu, Instruction instruction) {
        storeSelector(cpu, instruction, LDTR);
    }

    public static void str(Cpu cpu, Instruction instruction) {
        storeSelector(cpu, instruction, TR);
    }

    private static void storeSelector(Cpu cpu, Instruction instruction, int segment) {
        protectedOnly(cpu);
        checkUmip(cpu);
        cpu.intercept(Intercept.TABLE_REGISTERS, 0, 0);
        int bytes = instruction.memory ? 2 : instruction.operandSize;
        Operands.writeRm(cpu, instruction, bytes, cpu.selector[segment]);
    }

    // ---- looking at descriptors

    public static void lar(Cpu cpu, Instruction instruction) {
        protectedOnly(cpu);
        int selector = (int) Operands.readRm(cpu, instruction, 2);
        long descriptor = visible(cpu, selector, cpu.longMode() ? 0x1a04 : 0x1a3e);
        if (descriptor != INVISIBLE) {
            long rights = descriptor >>> 32 & 0x00ff_ff00;
            Operands.setGpr(cpu, instruction, instruction.reg, instruction.operandSize, rights);
        }
        cpu.setZero(descriptor != INVISIBLE);
    }

    public static void lsl(Cpu cpu, Instruction instruction) {
        protectedOnly(cpu);
        int selector = (int) Operands.readRm(cpu, instruction, 2);
        long descriptor = visible(cpu, selector, cpu.longMode() ? 0xa04 : 0xa0e);
        if (descriptor != INVISIBLE) {
            long limit = Segments.limit(descriptor);
            Operands.setGpr(cpu, instruction, instruction.reg, instruction.operandSize, limit);
        }
        cpu.setZero(descriptor != INVISIBLE);
    }

    private static final long INVISIBLE = 0;

    /**
     * The descriptor of a selector if the program may see it, else {@link #INVISIBLE}.
     *
     * @param systemTypes mask of the system types that count
     */
    private static long visible(Cpu cpu, int selector, int systemTypes) {
        long at = Segments.isNull(selector) ? -1 : Segments.descriptorAt(cpu, selector, 8);
        if (at == -1) {
            return INVISIBLE;
        }
        long descriptor = cpu.mmu.readSystem64(at);
        int attributes = Segments.attributes(descriptor);
        boolean system = (attributes & Segments.NON_SYSTEM) == 0;
        if (system && (systemTypes >> (attributes & 15) & 1) == 0) {
            return INVISIBLE;
        }
        boolean conforming = Segments.isCode(attributes) && (attributes & Segments.CONFORMING) != 0;
        int dpl = Segments.dpl(attributes);
        boolean seen = conforming || dpl >= cpu.cpl && dpl >= (selector & 3);
        return seen ? descriptor : INVISIBLE;
    }

    public static void verr(Cpu cpu, Instruction instruction) {
        protectedOnly(cpu);
        long found = visible(cpu, (int) Operands.readRm(cpu, instruction, 2), 0);
        int attributes = Segments.attributes(found);
        boolean executeOnly = (attributes & (Segments.CODE | Segments.READABLE)) == Segments.CODE;
        cpu.setZero(found != INVISIBLE && !executeOnly);
    }

    public static void verw(Cpu cpu, Instruction instruction) {
        protectedOnly(cpu);
        long found = visible(cpu, (int) Operands.readRm(cpu, instruction, 2), 0);
        cpu.setZero(found != INVISIBLE && Segments.isWritableData(Segments.attributes(found)));
    }

    public static void arpl(Cpu cpu, Instruction instruction) {
        protectedOnly(cpu);
        long value = Operands.readRm(cpu, instruction, 2);
        long rpl = cpu.gpr[instruction.reg] & 3;
        boolean adjust = (value & 3) < rpl;
        if (adjust) {
            Operands.writeRm(cpu, instruction, 2, value & ~3L | rpl);
        }
        cpu.setZero(adjust);
    }

    // ---- segment registers

    public static void movFromSegment(Cpu cpu, Instruction instruction) {
        int bytes = instruction.memory ? 2 : instruction.operandSize;
        Operands.writeRm(cpu, instruction, bytes, cpu.selector[instruction.reg]);
    }

    /** MOV SS holds off interrupts until the next instruction is done. */
    public static void movToSegment(Cpu cpu, Instruction instruction) {
        int selector = (int) Operands.readRm(cpu, instruction, 2);
        Segments.load(cpu, instruction.reg, selector);
        if (instruction.reg == SS) {
            cpu.shadow = 2;
        }
    }

    private static void loadPointer(Cpu cpu, Instruction instruction, int segment) {
        int size = FarTransfers.pointerSize(instruction);
        long offset = Memory.read(cpu, Operands.linear(cpu, instruction, size, false), size);
        int selector = cpu.mmu.read16(Operands.linear(cpu, instruction, size, 2, false));
        Segments.load(cpu, segment, selector);
        Operands.setGpr(cpu, instruction, instruction.reg, size, offset);
    }

    public static void les(Cpu cpu, Instruction instruction) {
        loadPointer(cpu, instruction, ES);
    }

    public static void lds(Cpu cpu, Instruction instruction) {
        loadPointer(cpu, instruction, DS);
    }

    public static void lss(Cpu cpu, Instruction instruction) {
        loadPointer(cpu, instruction, SS);
        cpu.shadow = 2;
    }

    public static void lfs(Cpu cpu, Instruction instruction) {
        loadPointer(cpu, instruction, FS);
    }

    public static void lgs(Cpu cpu, Instruction instruction) {
        loadPointer(cpu, instruction, GS);
    }

    public static void swapgs(Cpu cpu, Instruction instruction) {
        privileged(cpu);
        long base = cpu.segmentBase[GS];
        cpu.segmentBase[GS] = cpu.msr[X86.KERNEL_GS_BASE];
        cpu.msr[X86.KERNEL_GS_BASE] = base;
    }

    public static void rdfsbase(Cpu cpu, Instruction instruction) {
        readBase(cpu, instruction, FS);
    }

    public static void rdgsbase(Cpu cpu, Instruction instruction) {
        readBase(cpu, instruction, GS);
    }

    public static void wrfsbase(Cpu cpu, Instruction instruction) {
        writeBase(cpu, instruction, FS);
    }

    public static void wrgsbase(Cpu cpu, Instruction instruction) {
        writeBase(cpu, instruction, GS);
    }

    private static void checkFsGsBase(Cpu cpu) {
        if ((cpu.cr4 & Bits.CR4_FSGSBASE) == 0 || !cpu.code64()) {
            throw cpu.undefinedOpcode();
        }
    }

    private static void readBase(Cpu cpu, Instruction instruction, int segment) {
        checkFsGsBase(cpu);
        int bytes = Math.max(4, instruction.operandSize);
        Operands.setGpr(cpu, instruction, instruction.rm, bytes, cpu.segmentBase[segment]);
    }

    private static void writeBase(Cpu cpu, Instruction instruction, int segment) {
        checkFsGsBase(cpu);
        int bytes = Math.max(4, instruction.operandSize);
        long base = Operands.gpr(cpu, instruction, instruction.rm, bytes);
        if (!Segments.canonical(cpu, base)) {
            throw cpu.generalProtection(0);
        }
        cpu.segmentBase[segment] = base;
    }

    /** #BR unless the register lies between the two bounds in memory, signed. */
    public static void bound(Cpu cpu, Instruction instruction) {
        int size = instruction.operandSize;
        long lower = Memory.read(cpu, Operands.linear(cpu, instruction, size, false), size);
        long upper = Memory.read(cpu, Operands.linear(cpu, instruction, size, size, false), size);
        long index = Memory.signed(cpu.gpr[instruction.reg], size);
        if (index < Memory.signed(lower, size) || index > Memory.signed(upper, size)) {
            throw cpu.fault(Bits.BR);
        }
    }
}
