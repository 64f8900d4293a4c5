package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.semantics.SseFloat.Format;
import org.alcazar.engines.x86.state.Cpu;

/** Packed SSE and SSE2 arithmetic, approximations and comparisons. */
public final class SsePacked {
    private static final long LOW32 = 0xffffffffL;

    private SsePacked() {}

    public static void addps(Cpu cpu, int dst, long lo, long hi) {
        singles(cpu, SseFloat.ADD, dst, lo, hi);
    }

    public static void addpd(Cpu cpu, int dst, long lo, long hi) {
        doubles(cpu, SseFloat.ADD, dst, lo, hi);
    }

    public static void subps(Cpu cpu, int dst, long lo, long hi) {
        singles(cpu, SseFloat.SUB, dst, lo, hi);
    }

    public static void subpd(Cpu cpu, int dst, long lo, long hi) {
        doubles(cpu, SseFloat.SUB, dst, lo, hi);
    }

    public static void mulps(Cpu cpu, int dst, long lo, long hi) {
        singles(cpu, SseFloat.MUL, dst, lo, hi);
    }

    public static void mulpd(Cpu cpu, int dst, long lo, long hi) {
        doubles(cpu, SseFloat.MUL, dst, lo, hi);
    }

    public static void divps(Cpu cpu, int dst, long lo, long hi) {
        singles(cpu, SseFloat.DIV, dst, lo, hi);
    }

    public static void divpd(Cpu cpu, int dst, long lo, long hi) {
        doubles(cpu, SseFloat.DIV, dst, lo, hi);
    }

    public static void minps(Cpu cpu, int dst, long lo, long hi) {
        singles(cpu, SseFloat.MIN, dst, lo, hi);
    }

    public static void minpd(Cpu cpu, int dst, long lo, long hi) {
        doubles(cpu, SseFloat.MIN, dst, lo, hi);
    }

    public static void maxps(Cpu cpu, int dst, long lo, long hi) {
        singles(cpu, SseFloat.MAX, dst, lo, hi);
    }

    public static void maxpd(Cpu cpu, int dst, long lo, long hi) {
        doubles(cpu, SseFloat.MAX, dst, lo, hi);
    }

    public static void sqrtps(Cpu cpu, int dst, long lo, long hi) {
        singles(cpu, SseFloat.SQRT, dst, lo, hi);
    }

    public static void sqrtpd(Cpu cpu, int dst, long lo, long hi) {
        doubles(cpu, SseFloat.SQRT, dst, lo, hi);
    }

    private static void singles(Cpu cpu, int op, int dst, long lo, long hi) {
        boolean root = op == SseFloat.SQRT;
        long a = root ? lo : cpu.xmm[2 * dst];
        long b = root ? hi : cpu.xmm[2 * dst + 1];
        if (FastFloat.isDefault(cpu.mxcsr)) {
            long r0 = pair(op, a, lo);
            long r1 = pair(op, b, hi);
            int state = pairState(op, a, lo, r0) | pairState(op, b, hi, r1);
            if (state >= 0) {
                cpu.mxcsr |= state;
                SseInteger.set(cpu, dst, r0, r1);
                return;
            }
        }
        FloatStatus s = SseFloat.status(cpu);
        long r0 = slowPair(op, a, lo, s);
        long r1 = slowPair(op, b, hi, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, r0, r1);
    }

    private static long pair(int op, long a, long b) {
        float r0 = FastFloat.compute(op, low(a), low(b));
        float r1 = FastFloat.compute(op, high(a), high(b));
        return Float.floatToRawIntBits(r0) & LOW32 | (long) Float.floatToRawIntBits(r1) << 32;
    }

    private static int pairState(int op, long a, long b, long r) {
        return FastFloat.state(op, low(a), low(b), low(r))
                | FastFloat.state(op, high(a), high(b), high(r));
    }

    private static long slowPair(int op, long a, long b, FloatStatus s) {
        long r0 = SseFloat.compute(op, Format.SINGLE, a & LOW32, b & LOW32, s);
        return r0 | SseFloat.compute(op, Format.SINGLE, a >>> 32, b >>> 32, s) << 32;
    }

    private static float low(long v) {
        return Float.intBitsToFloat((int) v);
    }

    private static float high(long v) {
        return Float.intBitsToFloat((int) (v >>> 32));
    }

    private static void doubles(Cpu cpu, int op, int dst, long lo, long hi) {
        boolean root = op == SseFloat.SQRT;
        long a = root ? lo : cpu.xmm[2 * dst];
        long b = root ? hi : cpu.xmm[2 * dst + 1];
        if (FastFloat.isDefault(cpu.mxcsr)) {
            double x0 = Double.longBitsToDouble(a);
            double y0 = Double.longBitsToDouble(lo);
            double x1 = Double.longBitsToDouble(b);
            double y1 = Double.longBitsToDouble(hi);
            double r0 = FastFloat.compute(op, x0, y0);
            double r1 = FastFloat.compute(op, x1, y1);
            int state = FastFloat.state(op, x0, y0, r0) | FastFloat.state(op, x1, y1, r1);
            if (state >= 0) {
                cpu.mxcsr |= state;
                SseInteger.set(
                        cpu, dst, Double.doubleToRawLongBits(r0), Double.doubleToRawLongBits(r1));
                return;
            }
        }
        FloatStatus s = SseFloat.status(cpu);
        long r0 = SseFloat.compute(op, Format.DOUBLE, a, lo, s);
        long r1 = SseFloat.compute(op, Format.DOUBLE, b, hi, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, r0, r1);
    }

    public static void rcpps(Cpu cpu, int dst, long lo, long hi) {
        SseInteger.set(cpu, dst, reciprocals(lo), reciprocals(hi));
    }

    private static long reciprocals(long v) {
        long low = SseScalar.reciprocal((int) v) & LOW32;
        return low | (long) SseScalar.reciprocal((int) (v >>> 32)) << 32;
    }

    public static void rsqrtps(Cpu cpu, int dst, long lo, long hi) {
        SseInteger.set(cpu, dst, reciprocalRoots(lo), reciprocalRoots(hi));
    }

    private static long reciprocalRoots(long v) {
        long low = SseScalar.reciprocalRoot((int) v) & LOW32;
        return low | (long) SseScalar.reciprocalRoot((int) (v >>> 32)) << 32;
    }

    public static void cmpps(Cpu cpu, int dst, long lo, long hi, int imm) {
        FloatStatus s = SseFloat.status(cpu);
        long r0 = comparePair(cpu.xmm[2 * dst], lo, imm & 7, s);
        long r1 = comparePair(cpu.xmm[2 * dst + 1], hi, imm & 7, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, r0, r1);
    }

    private static long comparePair(long a, long b, int predicate, FloatStatus s) {
        boolean low = SseFloat.holds(predicate, Format.SINGLE, a & LOW32, b & LOW32, s);
        boolean high = SseFloat.holds(predicate, Format.SINGLE, a >>> 32, b >>> 32, s);
        return (low ? LOW32 : 0) | (high ? LOW32 << 32 : 0);
    }

    public static void cmppd(Cpu cpu, int dst, long lo, long hi, int imm) {
        FloatStatus s = SseFloat.status(cpu);
        int predicate = imm & 7;
        boolean low = SseFloat.holds(predicate, Format.DOUBLE, cpu.xmm[2 * dst], lo, s);
        boolean high = SseFloat.holds(predicate, Format.DOUBLE, cpu.xmm[2 * dst + 1], hi, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, low ? -1 : 0, high ? -1 : 0);
    }
}
