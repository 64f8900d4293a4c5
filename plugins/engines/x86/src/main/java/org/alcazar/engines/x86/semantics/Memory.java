package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.state.Cpu;

/**
 * Memory and register access by a size that is known at run time only, for the rare instructions.
 * Values are zero-extended.
 */
final class Memory {
    private Memory() {}

    static long trim(long value, int bytes) {
        return switch (bytes) {
            case 1 -> value & 0xff;
            case 2 -> value & 0xffff;
            case 4 -> value & 0xffffffffL;
            default -> value;
        };
    }

    static long signed(long value, int bytes) {
        return switch (bytes) {
            case 1 -> (byte) value;
            case 2 -> (short) value;
            case 4 -> (int) value;
            default -> value;
        };
    }

    static long read(Cpu cpu, long linear, int bytes) {
        return switch (bytes) {
            case 1 -> cpu.mmu.read8(linear);
            case 2 -> cpu.mmu.read16(linear);
            case 4 -> cpu.mmu.read32(linear) & 0xffffffffL;
            default -> cpu.mmu.read64(linear);
        };
    }

    static void write(Cpu cpu, long linear, int bytes, long value) {
        switch (bytes) {
            case 1 -> cpu.mmu.write8(linear, (int) value);
            case 2 -> cpu.mmu.write16(linear, (int) value);
            case 4 -> cpu.mmu.write32(linear, (int) value);
            default -> cpu.mmu.write64(linear, value);
        }
    }

    /**
     * Writes the low part of a register by its number; 4 bytes clear the upper half. Byte registers
     * are the low ones.
     */
    static void setLow(Cpu cpu, int register, int bytes, long value) {
        long old = cpu.gpr[register];
        cpu.gpr[register] =
                switch (bytes) {
                    case 1 -> old & ~0xffL | value & 0xff;
                    case 2 -> old & ~0xffffL | value & 0xffff;
                    case 4 -> value & 0xffffffffL;
                    default -> value;
                };
    }
}
