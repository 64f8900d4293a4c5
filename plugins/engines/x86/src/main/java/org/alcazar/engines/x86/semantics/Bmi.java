package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** BMI1 and BMI2 (APM volume 3). Of undefined flags, PF follows the result and AF is clear. */
public final class Bmi {
    /** CF without OF: carries out of the highest two bits. */
    private static final long CF_ONLY = 3L << 62;

    private Bmi() {}

    /** SF and ZF by the result, OF clear. */
    private static void flags(Cpu cpu, long result, boolean carry) {
        cpu.flagResult = result;
        cpu.flagAux = carry ? CF_ONLY : 0;
    }

    public static int andn32(Cpu cpu, int a, int b) {
        int r = ~a & b;
        flags(cpu, r, false);
        return r;
    }

    public static int blsr32(Cpu cpu, int v) {
        int r = v & v - 1;
        flags(cpu, r, v == 0);
        return r;
    }

    public static int blsmsk32(Cpu cpu, int v) {
        int r = v ^ v - 1;
        flags(cpu, r, v == 0);
        return r;
    }

    public static int blsi32(Cpu cpu, int v) {
        int r = v & -v;
        flags(cpu, r, v != 0);
        return r;
    }

    /** Control: the first bit in the low byte, how many in the next. */
    public static int bextr32(Cpu cpu, int v, int control) {
        int start = control & 0xff;
        int count = control >>> 8 & 0xff;
        int r = start >= 32 ? 0 : v >>> start;
        r = count >= 32 ? r : r & (1 << count) - 1;
        flags(cpu, r, false);
        return r;
    }

    public static int bzhi32(Cpu cpu, int v, int index) {
        int n = index & 0xff;
        int r = n >= 32 ? v : v & (1 << n) - 1;
        flags(cpu, r, n >= 32);
        return r;
    }

    public static int pext32(int v, int mask) {
        return Integer.compress(v, mask);
    }

    public static int pdep32(int v, int mask) {
        return Integer.expand(v, mask);
    }

    public static int shlx32(int v, int count) {
        return v << count;
    }

    public static int sarx32(int v, int count) {
        return v >> count;
    }

    public static int shrx32(int v, int count) {
        return v >>> count;
    }

    public static int rorx32(int v, int count) {
        return Integer.rotateRight(v, count);
    }

    public static long andn64(Cpu cpu, long a, long b) {
        long r = ~a & b;
        flags(cpu, r, false);
        return r;
    }

    public static long blsr64(Cpu cpu, long v) {
        long r = v & v - 1;
        flags(cpu, r, v == 0);
        return r;
    }

    public static long blsmsk64(Cpu cpu, long v) {
        long r = v ^ v - 1;
        flags(cpu, r, v == 0);
        return r;
    }

    public static long blsi64(Cpu cpu, long v) {
        long r = v & -v;
        flags(cpu, r, v != 0);
        return r;
    }

    /** Control: the first bit in the low byte, how many in the next. */
    public static long bextr64(Cpu cpu, long v, long control) {
        int start = (int) control & 0xff;
        int count = (int) control >>> 8 & 0xff;
        long r = start >= 64 ? 0 : v >>> start;
        r = count >= 64 ? r : r & (1L << count) - 1;
        flags(cpu, r, false);
        return r;
    }

    public static long bzhi64(Cpu cpu, long v, long index) {
        int n = (int) index & 0xff;
        long r = n >= 64 ? v : v & (1L << n) - 1;
        flags(cpu, r, n >= 64);
        return r;
    }

    public static long pext64(long v, long mask) {
        return Long.compress(v, mask);
    }

    public static long pdep64(long v, long mask) {
        return Long.expand(v, mask);
    }

    public static long shlx64(long v, long count) {
        return v << count;
    }

    public static long sarx64(long v, long count) {
        return v >> count;
    }

    public static long shrx64(long v, long count) {
        return v >>> count;
    }

    public static long rorx64(long v, int count) {
        return Long.rotateRight(v, count);
    }

    /** The high half goes to the first destination, which wins if both are the same. */
    public static void mulx(Cpu cpu, Instruction insn) {
        int bytes = insn.operandSize;
        long b = Operands.readRm(cpu, insn, bytes);
        long a = Memory.trim(cpu.gpr[2], bytes);
        long low = a * b;
        long high = bytes == 8 ? Math.unsignedMultiplyHigh(a, b) : low >>> 32;
        Memory.setLow(cpu, insn.vvvv, bytes, low);
        Memory.setLow(cpu, insn.reg, bytes, high);
    }
}
