package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.semantics.Segments;
import org.alcazar.engines.x86.semantics.Stack;
import org.alcazar.engines.x86.state.Cpu;

/**
 * What must hold at the entry of regions that have such instructions, else they are interpreted;
 * and what segments and flags say where it depends on them.
 */
final class Guards {
    private static final int INEXACT = 1 << 5;
    private static final int INEXACT_MASK = 1 << 12;
    private static final int ROUNDING = 3 << 13;

    private Guards() {}

    /** SSE instructions raise nothing by their nature (APM volume 1, 4.12). */
    static boolean sse(Cpu cpu) {
        return (cpu.cr0 & (Bits.CR0_EM | Bits.CR0_TS)) == 0 && (cpu.cr4 & Bits.CR4_OSFXSR) != 0;
    }

    /**
     * Rounding is to the nearest, and inexact results are no news: not an exception, and MXCSR has
     * told of one already. Nothing in a region ends this. Other control bits don't matter to {@link
     * Ordinary} operations.
     */
    static boolean lazy(Cpu cpu) {
        return (cpu.mxcsr & (ROUNDING | INEXACT_MASK | INEXACT)) == (INEXACT_MASK | INEXACT);
    }

    /**
     * Linear address of an access outside 64-bit mode.
     *
     * @return -1 if it would fault
     */
    static long address(long offset, Cpu cpu, int segment, int bytes, boolean write) {
        return Segments.find(cpu, segment, offset, bytes, write);
    }

    /** As much of an offset in the stack as the stack pointer has, outside 64-bit mode. */
    static long top(long offset, Cpu cpu) {
        return offset & (Stack.width(cpu) == 4 ? 0xffff_ffffL : 0xffff);
    }

    /** RSP when its part in use becomes {@code top}. */
    static long pointer(long top, long old, Cpu cpu) {
        return Stack.width(cpu) == 4 ? top & 0xffff_ffffL : old & ~0xffffL | top & 0xffff;
    }

    /** How far a string instruction moves on. */
    static long step(Cpu cpu, int bytes) {
        return (cpu.flags & Bits.DF) != 0 ? -bytes : bytes;
    }

    /** Whether an address is beyond the limit of the code segment. */
    static boolean beyond(long rip, Cpu cpu) {
        return rip > cpu.segmentLimit[X86.CS];
    }

    /** Nor do x87 and MMX instructions. */
    static boolean x87(Cpu cpu) {
        return (cpu.cr0 & (Bits.CR0_EM | Bits.CR0_TS)) == 0;
    }
}
