package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * Operands of instructions whose semantics take the instruction whole: effective addresses,
 * registers and memory by ModRM.
 */
public final class Operands {
    private Operands() {}

    /**
     * Effective address, truncated to the address size. RIP must be that of the next instruction.
     */
    public static long offset(Cpu cpu, Instruction instruction) {
        long at = instruction.displacement;
        int base = instruction.base;
        if (base >= 0) {
            at += base == Instruction.RIP_RELATIVE ? cpu.rip : cpu.gpr[base];
        }
        if (instruction.index >= 0) {
            at += cpu.gpr[instruction.index] << instruction.scale;
        }
        return truncate(at, instruction.addressSize);
    }

    /** Linear address of the memory operand, segment checks done. */
    public static long linear(Cpu cpu, Instruction instruction, int bytes, boolean write) {
        return Segments.linear(cpu, instruction.segment, offset(cpu, instruction), bytes, write);
    }

    /** The same for an operand that must be aligned, which is looked at before limits are. */
    public static long linearAligned(Cpu cpu, Instruction instruction, int bytes, boolean write) {
        long offset = offset(cpu, instruction);
        int segment = instruction.segment;
        boolean based = !cpu.code64() || segment >= X86.FS;
        if ((offset + (based ? cpu.segmentBase[segment] : 0) & 15) != 0) {
            throw cpu.generalProtection(0);
        }
        return Segments.linear(cpu, segment, offset, bytes, write);
    }

    /**
     * The same, {@code distance} bytes further: for operands of several parts. The offset wraps at
     * the address size.
     */
    public static long linear(
            Cpu cpu, Instruction instruction, long distance, int bytes, boolean write) {
        long offset = truncate(offset(cpu, instruction) + distance, instruction.addressSize);
        return Segments.linear(cpu, instruction.segment, offset, bytes, write);
    }

    /** The operand by ModRM.rm, zero-extended. */
    public static long readRm(Cpu cpu, Instruction instruction, int bytes) {
        return instruction.memory
                ? Memory.read(cpu, linear(cpu, instruction, bytes, false), bytes)
                : gpr(cpu, instruction, instruction.rm, bytes);
    }

    public static void writeRm(Cpu cpu, Instruction instruction, int bytes, long value) {
        if (instruction.memory) {
            Memory.write(cpu, linear(cpu, instruction, bytes, true), bytes, value);
        } else {
            setGpr(cpu, instruction, instruction.rm, bytes, value);
        }
    }

    /**
     * A general register, zero-extended. Without REX, byte registers 4 to 7 are AH, CH, DH and BH.
     */
    public static long gpr(Cpu cpu, Instruction instruction, int register, int bytes) {
        if (bytes == 1 && instruction.rex == 0 && register >= 4) {
            return cpu.gpr[register - 4] >>> 8 & 0xff;
        }
        return Memory.trim(cpu.gpr[register], bytes);
    }

    /** Writes a general register: 4 bytes clear the upper half, 1 and 2 leave the rest. */
    public static void setGpr(
            Cpu cpu, Instruction instruction, int register, int bytes, long value) {
        if (bytes == 1 && instruction.rex == 0 && register >= 4) {
            long old = cpu.gpr[register - 4];
            cpu.gpr[register - 4] = old & ~0xff00L | (value & 0xff) << 8;
        } else {
            Memory.setLow(cpu, register, bytes, value);
        }
    }

    static long truncate(long value, int bytes) {
        return switch (bytes) {
            case 2 -> value & 0xffff;
            case 4 -> value & 0xffff_ffffL;
            default -> value;
        };
    }
}
