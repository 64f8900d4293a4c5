package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** CLFLUSH, CLFLUSHOPT, CLWB and CLZERO (APM volume 3). Caches are always coherent. */
public final class CacheLines {
    private static final int LINE = 64;

    private CacheLines() {}

    /** The address is translated for its faults; devices see nothing. */
    public static void flush(Cpu cpu, Instruction insn) {
        cpu.mmu.probeRead(linear(cpu, insn));
    }

    /** Code that can't be read can be flushed (APM volume 3, CLFLUSH). */
    private static long linear(Cpu cpu, Instruction insn) {
        if (insn.segment != X86.CS || cpu.code64()) {
            return Operands.linear(cpu, insn, 1, false);
        }
        long offset = Operands.offset(cpu, insn);
        if (offset > cpu.segmentLimit[X86.CS]) {
            throw cpu.generalProtection(0);
        }
        return offset + cpu.segmentBase[X86.CS] & 0xffff_ffffL;
    }

    /** Zeros to the line that rAX points into. */
    public static void clzero(Cpu cpu, Instruction insn) {
        long offset = Operands.truncate(cpu.gpr[0], insn.addressSize) & -LINE;
        int segment = insn.segmentOverride >= 0 ? insn.segmentOverride : 3;
        long la = Segments.linear(cpu, segment, offset, LINE, true);
        cpu.mmu.probeWrite(la, 1);
        for (int i = 0; i < LINE; i += 8) {
            cpu.mmu.write64(la + i, 0);
        }
    }
}
