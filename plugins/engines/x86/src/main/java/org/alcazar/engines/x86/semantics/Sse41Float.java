package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.semantics.SseFloat.Format;
import org.alcazar.engines.x86.state.Cpu;

/** SSE4.1 on floating point: rounding to integers and dot products (APM volume 4). */
public final class Sse41Float {
    private static final long LOW32 = 0xffffffffL;

    /** Of the immediate of ROUND: rounding by MXCSR; inexact results raise nothing. */
    private static final int BY_MXCSR = 4, QUIET = 8;

    private Sse41Float() {}

    public static void roundps(Cpu cpu, int dst, long lo, long hi, int imm) {
        int flags = singleFlags(cpu, lo, imm) | singleFlags(cpu, lo >>> 32, imm);
        flags |= singleFlags(cpu, hi, imm) | singleFlags(cpu, hi >>> 32, imm);
        raise(cpu, flags);
        SseInteger.set(cpu, dst, pair(cpu, lo, imm), pair(cpu, hi, imm));
    }

    public static void roundpd(Cpu cpu, int dst, long lo, long hi, int imm) {
        raise(cpu, doubleFlags(cpu, lo, imm) | doubleFlags(cpu, hi, imm));
        SseInteger.set(cpu, dst, rounded(cpu, lo, imm), rounded(cpu, hi, imm));
    }

    public static void roundss(Cpu cpu, int dst, int v, int imm) {
        raise(cpu, singleFlags(cpu, v, imm));
        SseMemory.merge32(cpu, dst, rounded(cpu, v, imm));
    }

    public static void roundsd(Cpu cpu, int dst, long v, int imm) {
        raise(cpu, doubleFlags(cpu, v, imm));
        cpu.xmm[2 * dst] = rounded(cpu, v, imm);
    }

    private static void raise(Cpu cpu, int flags) {
        if (flags != 0) {
            FloatStatus s = SseFloat.status(cpu);
            s.raise(flags);
            SseFloat.finish(cpu, s);
        }
    }

    private static long pair(Cpu cpu, long v, int imm) {
        long low = rounded(cpu, (int) v, imm) & LOW32;
        return low | (long) rounded(cpu, (int) (v >>> 32), imm) << 32;
    }

    /** Denormals are inexact but raise no DE here. */
    private static int singleFlags(Cpu cpu, long v, int imm) {
        if (Format.SINGLE.isNan(v & LOW32)) {
            return Format.SINGLE.isSignalling(v & LOW32) ? FloatStatus.IE : 0;
        }
        float x = Float.intBitsToFloat((int) v);
        float r = Float.intBitsToFloat(rounded(cpu, (int) v, imm));
        return exact(cpu, x == r, Math.abs(x) < Float.MIN_NORMAL, imm) ? 0 : FloatStatus.PE;
    }

    private static int doubleFlags(Cpu cpu, long v, int imm) {
        if (Format.DOUBLE.isNan(v)) {
            return Format.DOUBLE.isSignalling(v) ? FloatStatus.IE : 0;
        }
        double x = Double.longBitsToDouble(v);
        double r = Double.longBitsToDouble(rounded(cpu, v, imm));
        return exact(cpu, x == r, Math.abs(x) < Double.MIN_NORMAL, imm) ? 0 : FloatStatus.PE;
    }

    private static boolean exact(Cpu cpu, boolean same, boolean denormal, int imm) {
        return same || (imm & QUIET) != 0 || denormal && denormalsAreZero(cpu);
    }

    private static boolean denormalsAreZero(Cpu cpu) {
        return (cpu.mxcsr & 1 << 6) != 0;
    }

    private static int rounded(Cpu cpu, int v, int imm) {
        if (Format.SINGLE.isNan(v & LOW32)) {
            return v | (int) Format.SINGLE.quiet();
        }
        float x = Float.intBitsToFloat(v);
        if (Math.abs(x) < Float.MIN_NORMAL && denormalsAreZero(cpu)) {
            return v & 1 << 31;
        }
        return Float.floatToRawIntBits((float) rounded(cpu, (double) x, imm));
    }

    private static long rounded(Cpu cpu, long v, int imm) {
        if (Format.DOUBLE.isNan(v)) {
            return v | Format.DOUBLE.quiet();
        }
        double x = Double.longBitsToDouble(v);
        if (Math.abs(x) < Double.MIN_NORMAL && denormalsAreZero(cpu)) {
            return v & 1L << 63;
        }
        return Double.doubleToRawLongBits(rounded(cpu, x, imm));
    }

    private static double rounded(Cpu cpu, double x, int imm) {
        int rounding = (imm & BY_MXCSR) != 0 ? cpu.mxcsr >> 13 & 3 : imm & 3;
        return switch (rounding) {
            case FloatStatus.NEAREST -> Math.rint(x);
            case FloatStatus.DOWN -> Math.floor(x);
            case FloatStatus.UP -> Math.ceil(x);
            default -> x < 0 ? Math.ceil(x) : Math.floor(x);
        };
    }

    // ---- dot products: products that the immediate leaves out are +0

    public static void dppd(Cpu cpu, int dst, long lo, long hi, int imm) {
        if (FastFloat.isDefault(cpu.mxcsr) && fastDoubles(cpu, dst, lo, hi, imm)) {
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        long t0 = product(Format.DOUBLE, cpu.xmm[2 * dst], lo, imm & 0x10, s);
        long t1 = product(Format.DOUBLE, cpu.xmm[2 * dst + 1], hi, imm & 0x20, s);
        SseFloat.finish(cpu, s);
        long sum = SseFloat.compute(SseFloat.ADD, Format.DOUBLE, t0, t1, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, (imm & 1) != 0 ? sum : 0, (imm & 2) != 0 ? sum : 0);
    }

    /** Whether all goes without special numbers. */
    private static boolean fastDoubles(Cpu cpu, int dst, long lo, long hi, int imm) {
        double a = (imm & 0x10) != 0 ? Double.longBitsToDouble(cpu.xmm[2 * dst]) : 0;
        double b = (imm & 0x20) != 0 ? Double.longBitsToDouble(cpu.xmm[2 * dst + 1]) : 0;
        double c = (imm & 0x10) != 0 ? Double.longBitsToDouble(lo) : 0;
        double d = (imm & 0x20) != 0 ? Double.longBitsToDouble(hi) : 0;
        double r = a * c + b * d;
        int state =
                FastFloat.state(SseFloat.MUL, a, c, a * c)
                        | FastFloat.state(SseFloat.MUL, b, d, b * d)
                        | FastFloat.state(SseFloat.ADD, a * c, b * d, r);
        if (state < 0) {
            return false;
        }
        cpu.mxcsr |= state;
        long sum = Double.doubleToRawLongBits(r);
        SseInteger.set(cpu, dst, (imm & 1) != 0 ? sum : 0, (imm & 2) != 0 ? sum : 0);
        return true;
    }

    public static void dpps(Cpu cpu, int dst, long lo, long hi, int imm) {
        long a = cpu.xmm[2 * dst];
        long b = cpu.xmm[2 * dst + 1];
        if (FastFloat.isDefault(cpu.mxcsr) && fastSingles(cpu, dst, a, b, lo, hi, imm)) {
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        long t0 = product(Format.SINGLE, a & LOW32, lo & LOW32, imm & 0x10, s);
        long t1 = product(Format.SINGLE, a >>> 32, lo >>> 32, imm & 0x20, s);
        long t2 = product(Format.SINGLE, b & LOW32, hi & LOW32, imm & 0x40, s);
        long t3 = product(Format.SINGLE, b >>> 32, hi >>> 32, imm & 0x80, s);
        SseFloat.finish(cpu, s);
        long low = SseFloat.compute(SseFloat.ADD, Format.SINGLE, t0, t1, s);
        long high = SseFloat.compute(SseFloat.ADD, Format.SINGLE, t2, t3, s);
        SseFloat.finish(cpu, s);
        long sum = SseFloat.compute(SseFloat.ADD, Format.SINGLE, low, high, s);
        SseFloat.finish(cpu, s);
        spread(cpu, dst, sum, imm);
    }

    private static void spread(Cpu cpu, int dst, long sum, int imm) {
        long first = ((imm & 1) != 0 ? sum : 0) | ((imm & 2) != 0 ? sum << 32 : 0);
        SseInteger.set(
                cpu, dst, first, ((imm & 4) != 0 ? sum : 0) | ((imm & 8) != 0 ? sum << 32 : 0));
    }

    /** Whether all goes without special numbers. */
    private static boolean fastSingles(
            Cpu cpu, int dst, long a, long b, long lo, long hi, int imm) {
        float x0 = factor(a, imm & 0x10);
        float x1 = factor(a >>> 32, imm & 0x20);
        float x2 = factor(b, imm & 0x40);
        float x3 = factor(b >>> 32, imm & 0x80);
        float y0 = factor(lo, imm & 0x10);
        float y1 = factor(lo >>> 32, imm & 0x20);
        float y2 = factor(hi, imm & 0x40);
        float y3 = factor(hi >>> 32, imm & 0x80);
        float low = x0 * y0 + x1 * y1;
        float high = x2 * y2 + x3 * y3;
        int state =
                FastFloat.state(SseFloat.MUL, x0, y0, x0 * y0)
                        | FastFloat.state(SseFloat.MUL, x1, y1, x1 * y1)
                        | FastFloat.state(SseFloat.MUL, x2, y2, x2 * y2)
                        | FastFloat.state(SseFloat.MUL, x3, y3, x3 * y3)
                        | FastFloat.state(SseFloat.ADD, x0 * y0, x1 * y1, low)
                        | FastFloat.state(SseFloat.ADD, x2 * y2, x3 * y3, high)
                        | FastFloat.state(SseFloat.ADD, low, high, low + high);
        if (state < 0) {
            return false;
        }
        cpu.mxcsr |= state;
        spread(cpu, dst, Float.floatToRawIntBits(low + high) & LOW32, imm);
        return true;
    }

    private static float factor(long v, int selected) {
        return selected == 0 ? 0 : Float.intBitsToFloat((int) v);
    }

    private static long product(Format f, long a, long b, int selected, FloatStatus s) {
        return selected == 0 ? 0 : SseFloat.compute(SseFloat.MUL, f, a, b, s);
    }
}
