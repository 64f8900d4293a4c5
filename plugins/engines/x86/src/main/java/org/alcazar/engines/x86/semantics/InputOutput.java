package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.RAX;
import static org.alcazar.engines.x86.api.X86.RDX;
import static org.alcazar.engines.x86.api.X86.TR;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.machine.Space;

/**
 * Ports: permission by IOPL and the TSS's bitmap (APM volume 2, 12.2.4), then the VMM if it
 * intercepts the port, else the bus.
 */
public final class InputOutput {
    private static final int BITMAP_BASE = 0x66;

    private InputOutput() {}

    public static void in(Cpu cpu, Instruction instruction) {
        int bytes = bytes(instruction);
        int port = port(cpu, instruction);
        check(cpu, port, bytes);
        Memory.setLow(cpu, RAX, bytes, read(cpu, port, bytes));
    }

    public static void out(Cpu cpu, Instruction instruction) {
        int bytes = bytes(instruction);
        int port = port(cpu, instruction);
        check(cpu, port, bytes);
        write(cpu, port, bytes, Memory.trim(cpu.gpr[RAX], bytes));
    }

    private static int bytes(Instruction instruction) {
        return (instruction.opcode & 1) == 0 ? 1 : Math.min(4, instruction.operandSize);
    }

    /** E4 to E7 name the port, EC to EF take DX. */
    private static int port(Cpu cpu, Instruction instruction) {
        return (instruction.opcode & 8) == 0
                ? (int) instruction.immediate & 0xff
                : (int) cpu.gpr[RDX] & 0xffff;
    }

    /** #GP(0) unless the program may use these ports. */
    static void check(Cpu cpu, int port, int bytes) {
        if (!cpu.protectedMode()) {
            return;
        }
        int iopl = (cpu.flags & Bits.IOPL) >> 12;
        if (cpu.cpl > iopl || cpu.virtual8086()) {
            checkBitmap(cpu, port, bytes);
        }
    }

    private static void checkBitmap(Cpu cpu, int port, int bytes) {
        boolean task32 = (cpu.segmentAttributes[TR] & 0x9d) == (Segments.PRESENT | Segments.TSS32);
        long limit = cpu.segmentLimit[TR];
        if (!task32 || limit < BITMAP_BASE + 1) {
            throw cpu.generalProtection(0);
        }
        long base = cpu.segmentBase[TR];
        int at = cpu.mmu.readSystem16(base + BITMAP_BASE) + (port >> 3);
        // Always two bytes, so that no access spans more: the bitmap ends with a byte of ones.
        if (at + 1 > limit) {
            throw cpu.generalProtection(0);
        }
        int bits = cpu.mmu.readSystem16(base + at) >> (port & 7);
        if ((bits & (1 << bytes) - 1) != 0) {
            throw cpu.generalProtection(0);
        }
    }

    /** Reads a port that may be used; zero-extended. */
    static long read(Cpu cpu, int port, int bytes) {
        long value =
                cpu.block.ports.contains(port)
                        ? cpu.access(Space.PORT, port, bytes, false, 0)
                        : cpu.readPort(port, bytes);
        cpu.breakpoints.port(port, bytes);
        return value;
    }

    static void write(Cpu cpu, int port, int bytes, long value) {
        if (cpu.block.ports.contains(port)) {
            cpu.access(Space.PORT, port, bytes, true, value);
        } else {
            cpu.writePort(port, bytes, value);
        }
        cpu.breakpoints.port(port, bytes);
    }
}
