package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * SSE4A: bit fields of the low half (APM volume 4). Fields that reach beyond bit 63 are undefined;
 * they end there. The high half of the result is undefined too.
 */
public final class Sse4a {
    private Sse4a() {}

    public static void extrqI(Cpu cpu, Instruction insn) {
        extract(cpu, insn.rm, (int) insn.immediate, (int) insn.immediate2);
    }

    public static void extrq(Cpu cpu, int dst, long lo, long hi) {
        extract(cpu, dst, (int) lo, (int) (lo >>> 8));
    }

    public static void insertqI(Cpu cpu, Instruction insn) {
        long v = cpu.xmm[2 * insn.rm];
        insert(cpu, insn.reg, v, (int) insn.immediate, (int) insn.immediate2);
    }

    public static void insertq(Cpu cpu, int dst, long lo, long hi) {
        insert(cpu, dst, lo, (int) hi, (int) (hi >>> 8));
    }

    /** Ones for a length, of which 0 means 64. */
    private static long field(int length) {
        return -1L >>> (64 - (length & 63) & 63);
    }

    private static void extract(Cpu cpu, int dst, int length, int index) {
        SseInteger.set(cpu, dst, cpu.xmm[2 * dst] >>> (index & 63) & field(length), 0);
    }

    private static void insert(Cpu cpu, int dst, long v, int length, int index) {
        long field = field(length) << (index & 63);
        long low = cpu.xmm[2 * dst] & ~field | v << (index & 63) & field;
        SseInteger.set(cpu, dst, low, 0);
    }
}
