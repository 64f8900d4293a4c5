package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.semantics.SseFloat.Format;
import org.alcazar.engines.x86.state.Cpu;

/** SSE3: duplicating moves and arithmetic across neighbouring lanes (APM volume 4). */
public final class Sse3 {
    private static final long LOW32 = 0xffffffffL;

    private Sse3() {}

    /** Even lanes, each twice. */
    public static void movsldup(Cpu cpu, int dst, long lo, long hi) {
        SseInteger.set(cpu, dst, lo & LOW32 | lo << 32, hi & LOW32 | hi << 32);
    }

    /** Odd lanes, each twice. */
    public static void movshdup(Cpu cpu, int dst, long lo, long hi) {
        SseInteger.set(cpu, dst, lo >>> 32 | lo & ~LOW32, hi >>> 32 | hi & ~LOW32);
    }

    public static void movddup(Cpu cpu, int dst, long v) {
        SseInteger.set(cpu, dst, v, v);
    }

    public static void haddpd(Cpu cpu, int dst, long lo, long hi) {
        int n = 2 * dst;
        doubles(cpu, SseFloat.ADD, SseFloat.ADD, dst, cpu.xmm[n], cpu.xmm[n + 1], lo, hi);
    }

    public static void hsubpd(Cpu cpu, int dst, long lo, long hi) {
        int n = 2 * dst;
        doubles(cpu, SseFloat.SUB, SseFloat.SUB, dst, cpu.xmm[n], cpu.xmm[n + 1], lo, hi);
    }

    public static void addsubpd(Cpu cpu, int dst, long lo, long hi) {
        int n = 2 * dst;
        doubles(cpu, SseFloat.SUB, SseFloat.ADD, dst, cpu.xmm[n], lo, cpu.xmm[n + 1], hi);
    }

    public static void haddps(Cpu cpu, int dst, long lo, long hi) {
        horizontal(cpu, SseFloat.ADD, dst, lo, hi);
    }

    public static void hsubps(Cpu cpu, int dst, long lo, long hi) {
        horizontal(cpu, SseFloat.SUB, dst, lo, hi);
    }

    public static void addsubps(Cpu cpu, int dst, long lo, long hi) {
        int n = 2 * dst;
        singles(cpu, SseFloat.SUB, SseFloat.ADD, dst, cpu.xmm[n], lo, cpu.xmm[n + 1], hi);
    }

    private static void horizontal(Cpu cpu, int op, int dst, long lo, long hi) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        singles(cpu, op, op, dst, even(a, b), odd(a, b), even(lo, hi), odd(lo, hi));
    }

    private static long even(long lo, long hi) {
        return lo & LOW32 | hi << 32;
    }

    private static long odd(long lo, long hi) {
        return lo >>> 32 | hi & ~LOW32;
    }

    /** The low half becomes a {@code op0} b, the high one c {@code op1} d. */
    private static void doubles(
            Cpu cpu, int op0, int op1, int dst, long a, long b, long c, long d) {
        if (FastFloat.isDefault(cpu.mxcsr)) {
            double x0 = Double.longBitsToDouble(a);
            double y0 = Double.longBitsToDouble(b);
            double x1 = Double.longBitsToDouble(c);
            double y1 = Double.longBitsToDouble(d);
            double r0 = FastFloat.compute(op0, x0, y0);
            double r1 = FastFloat.compute(op1, x1, y1);
            int state = FastFloat.state(op0, x0, y0, r0) | FastFloat.state(op1, x1, y1, r1);
            if (state >= 0) {
                cpu.mxcsr |= state;
                long low = Double.doubleToRawLongBits(r0);
                SseInteger.set(cpu, dst, low, Double.doubleToRawLongBits(r1));
                return;
            }
        }
        FloatStatus s = SseFloat.status(cpu);
        long r0 = SseFloat.compute(op0, Format.DOUBLE, a, b, s);
        long r1 = SseFloat.compute(op1, Format.DOUBLE, c, d, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, r0, r1);
    }

    /** The low half becomes a op b, the high one c op d, with {@code op0} in even lanes. */
    private static void singles(
            Cpu cpu, int op0, int op1, int dst, long a, long b, long c, long d) {
        if (FastFloat.isDefault(cpu.mxcsr)) {
            float r0 = FastFloat.compute(op0, low(a), low(b));
            float r1 = FastFloat.compute(op1, high(a), high(b));
            float r2 = FastFloat.compute(op0, low(c), low(d));
            float r3 = FastFloat.compute(op1, high(c), high(d));
            int state =
                    FastFloat.state(op0, low(a), low(b), r0)
                            | FastFloat.state(op1, high(a), high(b), r1)
                            | FastFloat.state(op0, low(c), low(d), r2)
                            | FastFloat.state(op1, high(c), high(d), r3);
            if (state >= 0) {
                cpu.mxcsr |= state;
                SseInteger.set(cpu, dst, pair(r0, r1), pair(r2, r3));
                return;
            }
        }
        FloatStatus s = SseFloat.status(cpu);
        long lo = slowPair(op0, op1, a, b, s);
        long hi = slowPair(op0, op1, c, d, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, lo, hi);
    }

    private static long slowPair(int op0, int op1, long a, long b, FloatStatus s) {
        long r0 = SseFloat.compute(op0, Format.SINGLE, a & LOW32, b & LOW32, s);
        return r0 | SseFloat.compute(op1, Format.SINGLE, a >>> 32, b >>> 32, s) << 32;
    }

    private static long pair(float low, float high) {
        return Float.floatToRawIntBits(low) & LOW32 | (long) Float.floatToRawIntBits(high) << 32;
    }

    private static float low(long v) {
        return Float.intBitsToFloat((int) v);
    }

    private static float high(long v) {
        return Float.intBitsToFloat((int) (v >>> 32));
    }
}
