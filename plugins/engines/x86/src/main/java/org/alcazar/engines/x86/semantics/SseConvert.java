package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.semantics.SseFloat.Format;
import org.alcazar.engines.x86.state.Cpu;

/** SSE and SSE2 conversions between integers, binary32 and binary64. */
public final class SseConvert {
    private static final long LOW32 = 0xffffffffL;

    private SseConvert() {}

    public static void cvtsi2ss32(Cpu cpu, int dst, int v) {
        cvtsi2ss64(cpu, dst, v);
    }

    public static void cvtsi2ss64(Cpu cpu, int dst, long v) {
        float r = v;
        if ((long) r == v && v != Long.MAX_VALUE) {
            SseMemory.merge32(cpu, dst, Float.floatToRawIntBits(r));
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        int bits = (int) SseFloat.ofInteger(Format.SINGLE, v, s);
        SseFloat.finish(cpu, s);
        SseMemory.merge32(cpu, dst, bits);
    }

    public static void cvtsi2sd32(Cpu cpu, int dst, int v) {
        cpu.xmm[2 * dst] = Double.doubleToRawLongBits(v);
    }

    public static void cvtsi2sd64(Cpu cpu, int dst, long v) {
        double r = v;
        if ((long) r == v && v != Long.MAX_VALUE) {
            cpu.xmm[2 * dst] = Double.doubleToRawLongBits(r);
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        long bits = SseFloat.ofInteger(Format.DOUBLE, v, s);
        SseFloat.finish(cpu, s);
        cpu.xmm[2 * dst] = bits;
    }

    public static int cvtss2si32(Cpu cpu, int v) {
        float x = Float.intBitsToFloat(v);
        int r = (int) x;
        return r == x && r != Integer.MAX_VALUE
                ? r
                : (int) integer(cpu, Format.SINGLE, v & LOW32, 32, false);
    }

    public static long cvtss2si64(Cpu cpu, int v) {
        float x = Float.intBitsToFloat(v);
        long r = (long) x;
        return r == x && r != Long.MAX_VALUE
                ? r
                : integer(cpu, Format.SINGLE, v & LOW32, 64, false);
    }

    public static int cvtsd2si32(Cpu cpu, long v) {
        double x = Double.longBitsToDouble(v);
        int r = (int) x;
        return r == x ? r : (int) integer(cpu, Format.DOUBLE, v, 32, false);
    }

    public static long cvtsd2si64(Cpu cpu, long v) {
        double x = Double.longBitsToDouble(v);
        long r = (long) x;
        return r == x && r != Long.MAX_VALUE ? r : integer(cpu, Format.DOUBLE, v, 64, false);
    }

    public static int cvttss2si32(Cpu cpu, int v) {
        float x = Float.intBitsToFloat(v);
        int r = (int) x;
        return r == x && r != Integer.MAX_VALUE
                ? r
                : (int) integer(cpu, Format.SINGLE, v & LOW32, 32, true);
    }

    public static long cvttss2si64(Cpu cpu, int v) {
        float x = Float.intBitsToFloat(v);
        long r = (long) x;
        return r == x && r != Long.MAX_VALUE ? r : integer(cpu, Format.SINGLE, v & LOW32, 64, true);
    }

    public static int cvttsd2si32(Cpu cpu, long v) {
        double x = Double.longBitsToDouble(v);
        int r = (int) x;
        return r == x ? r : (int) integer(cpu, Format.DOUBLE, v, 32, true);
    }

    public static long cvttsd2si64(Cpu cpu, long v) {
        double x = Double.longBitsToDouble(v);
        long r = (long) x;
        return r == x && r != Long.MAX_VALUE ? r : integer(cpu, Format.DOUBLE, v, 64, true);
    }

    private static long integer(Cpu cpu, Format f, long v, int bits, boolean truncate) {
        FloatStatus s = SseFloat.status(cpu);
        long r = SseFloat.toInteger(f, v, bits, truncate, s);
        SseFloat.finish(cpu, s);
        return r;
    }

    public static void cvtss2sd(Cpu cpu, int dst, int v) {
        float x = Float.intBitsToFloat(v);
        if (FastFloat.isComparable(x)) {
            cpu.xmm[2 * dst] = Double.doubleToRawLongBits(x);
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        long r = SseFloat.convert(Format.SINGLE, Format.DOUBLE, v & LOW32, s);
        SseFloat.finish(cpu, s);
        cpu.xmm[2 * dst] = r;
    }

    public static void cvtsd2ss(Cpu cpu, int dst, long v) {
        double x = Double.longBitsToDouble(v);
        float r = (float) x;
        if (FastFloat.isDefault(cpu.mxcsr) && FastFloat.isSafe(r) && (r != 0 || x == 0)) {
            cpu.mxcsr |= r == x ? 0 : FloatStatus.PE;
            SseMemory.merge32(cpu, dst, Float.floatToRawIntBits(r));
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        int bits = (int) SseFloat.convert(Format.DOUBLE, Format.SINGLE, v, s);
        SseFloat.finish(cpu, s);
        SseMemory.merge32(cpu, dst, bits);
    }

    public static void cvtps2pd(Cpu cpu, int dst, long v) {
        FloatStatus s = SseFloat.status(cpu);
        long r0 = SseFloat.convert(Format.SINGLE, Format.DOUBLE, v & LOW32, s);
        long r1 = SseFloat.convert(Format.SINGLE, Format.DOUBLE, v >>> 32, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, r0, r1);
    }

    public static void cvtpd2ps(Cpu cpu, int dst, long lo, long hi) {
        FloatStatus s = SseFloat.status(cpu);
        long r0 = SseFloat.convert(Format.DOUBLE, Format.SINGLE, lo, s);
        long r1 = SseFloat.convert(Format.DOUBLE, Format.SINGLE, hi, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, r0 | r1 << 32, 0);
    }

    public static void cvtdq2ps(Cpu cpu, int dst, long lo, long hi) {
        FloatStatus s = SseFloat.status(cpu);
        long r0 = toSingles(lo, s);
        long r1 = toSingles(hi, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, r0, r1);
    }

    private static long toSingles(long v, FloatStatus s) {
        return toSingle((int) v, s) | toSingle((int) (v >> 32), s) << 32;
    }

    private static long toSingle(int v, FloatStatus s) {
        float r = v;
        return (int) r == v && v != Integer.MAX_VALUE
                ? Float.floatToRawIntBits(r) & LOW32
                : SseFloat.ofInteger(Format.SINGLE, v, s);
    }

    public static void cvtps2dq(Cpu cpu, int dst, long lo, long hi) {
        fromSingles(cpu, dst, lo, hi, false);
    }

    public static void cvttps2dq(Cpu cpu, int dst, long lo, long hi) {
        fromSingles(cpu, dst, lo, hi, true);
    }

    private static void fromSingles(Cpu cpu, int dst, long lo, long hi, boolean truncate) {
        FloatStatus s = SseFloat.status(cpu);
        long r0 = fromSingles(lo, truncate, s);
        long r1 = fromSingles(hi, truncate, s);
        SseFloat.finish(cpu, s);
        SseInteger.set(cpu, dst, r0, r1);
    }

    private static long fromSingles(long v, boolean truncate, FloatStatus s) {
        return fromSingle((int) v, truncate, s) | fromSingle((int) (v >>> 32), truncate, s) << 32;
    }

    private static long fromSingle(int v, boolean truncate, FloatStatus s) {
        float x = Float.intBitsToFloat(v);
        boolean simple = truncate || s.rounding == FloatStatus.NEAREST;
        if (simple && Math.abs(x) < 0x1p31f && FastFloat.isComparable(x)) {
            int r = truncate ? (int) x : (int) Math.rint(x);
            s.raise(r == x ? 0 : FloatStatus.PE);
            return r & LOW32;
        }
        return SseFloat.toInteger(Format.SINGLE, v & LOW32, 32, truncate, s) & LOW32;
    }

    public static void cvtdq2pd(Cpu cpu, int dst, long v) {
        SseInteger.set(
                cpu,
                dst,
                Double.doubleToRawLongBits((int) v),
                Double.doubleToRawLongBits((int) (v >> 32)));
    }

    public static void cvtpd2dq(Cpu cpu, int dst, long lo, long hi) {
        SseInteger.set(cpu, dst, cvtpd2pi(cpu, lo, hi), 0);
    }

    public static void cvttpd2dq(Cpu cpu, int dst, long lo, long hi) {
        SseInteger.set(cpu, dst, cvttpd2pi(cpu, lo, hi), 0);
    }

    public static void cvtpi2ps(Cpu cpu, int dst, long v) {
        FloatStatus s = SseFloat.status(cpu);
        long r = toSingles(v, s);
        SseFloat.finish(cpu, s);
        cpu.xmm[2 * dst] = r;
    }

    public static void cvtpi2pd(Cpu cpu, int dst, long v) {
        cvtdq2pd(cpu, dst, v);
    }

    public static long cvtps2pi(Cpu cpu, long v) {
        return toPair(cpu, v, false);
    }

    public static long cvttps2pi(Cpu cpu, long v) {
        return toPair(cpu, v, true);
    }

    private static long toPair(Cpu cpu, long v, boolean truncate) {
        FloatStatus s = SseFloat.status(cpu);
        long r = fromSingles(v, truncate, s);
        SseFloat.finish(cpu, s);
        return r;
    }

    public static long cvtpd2pi(Cpu cpu, long lo, long hi) {
        return toPair(cpu, lo, hi, false);
    }

    public static long cvttpd2pi(Cpu cpu, long lo, long hi) {
        return toPair(cpu, lo, hi, true);
    }

    private static long toPair(Cpu cpu, long lo, long hi, boolean truncate) {
        FloatStatus s = SseFloat.status(cpu);
        long r0 = SseFloat.toInteger(Format.DOUBLE, lo, 32, truncate, s);
        long r1 = SseFloat.toInteger(Format.DOUBLE, hi, 32, truncate, s);
        SseFloat.finish(cpu, s);
        return r0 & LOW32 | r1 << 32;
    }
}
