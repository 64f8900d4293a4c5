package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.semantics.SseFloat.Format;
import org.alcazar.engines.x86.state.Cpu;

/** Scalar SSE and SSE2 arithmetic, approximations and comparisons. */
public final class SseScalar {
    private static final long LOW32 = 0xffffffffL;

    private SseScalar() {}

    public static void addss(Cpu cpu, int dst, int src) {
        single(cpu, SseFloat.ADD, dst, src);
    }

    public static void addsd(Cpu cpu, int dst, long src) {
        binary64(cpu, SseFloat.ADD, dst, src);
    }

    public static void subss(Cpu cpu, int dst, int src) {
        single(cpu, SseFloat.SUB, dst, src);
    }

    public static void subsd(Cpu cpu, int dst, long src) {
        binary64(cpu, SseFloat.SUB, dst, src);
    }

    public static void mulss(Cpu cpu, int dst, int src) {
        single(cpu, SseFloat.MUL, dst, src);
    }

    public static void mulsd(Cpu cpu, int dst, long src) {
        binary64(cpu, SseFloat.MUL, dst, src);
    }

    public static void divss(Cpu cpu, int dst, int src) {
        single(cpu, SseFloat.DIV, dst, src);
    }

    public static void divsd(Cpu cpu, int dst, long src) {
        binary64(cpu, SseFloat.DIV, dst, src);
    }

    public static void minss(Cpu cpu, int dst, int src) {
        single(cpu, SseFloat.MIN, dst, src);
    }

    public static void minsd(Cpu cpu, int dst, long src) {
        binary64(cpu, SseFloat.MIN, dst, src);
    }

    public static void maxss(Cpu cpu, int dst, int src) {
        single(cpu, SseFloat.MAX, dst, src);
    }

    public static void maxsd(Cpu cpu, int dst, long src) {
        binary64(cpu, SseFloat.MAX, dst, src);
    }

    public static void sqrtss(Cpu cpu, int dst, int src) {
        single(cpu, SseFloat.SQRT, dst, src);
    }

    public static void sqrtsd(Cpu cpu, int dst, long src) {
        binary64(cpu, SseFloat.SQRT, dst, src);
    }

    private static void single(Cpu cpu, int op, int dst, int src) {
        int a = (int) cpu.xmm[2 * dst];
        float x = Float.intBitsToFloat(a);
        float y = Float.intBitsToFloat(src);
        // A root has one operand; the other must not matter.
        float first = op == SseFloat.SQRT ? y : x;
        float r = FastFloat.compute(op, first, y);
        int state = FastFloat.state(op, first, y, r);
        if (state >= 0 && FastFloat.isDefault(cpu.mxcsr)) {
            cpu.mxcsr |= state;
            SseMemory.merge32(cpu, dst, Float.floatToRawIntBits(r));
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        long result = SseFloat.compute(op, Format.SINGLE, a & LOW32, src & LOW32, s);
        SseFloat.finish(cpu, s);
        SseMemory.merge32(cpu, dst, (int) result);
    }

    private static void binary64(Cpu cpu, int op, int dst, long src) {
        long a = cpu.xmm[2 * dst];
        double x = Double.longBitsToDouble(a);
        double y = Double.longBitsToDouble(src);
        double first = op == SseFloat.SQRT ? y : x;
        double r = FastFloat.compute(op, first, y);
        int state = FastFloat.state(op, first, y, r);
        if (state >= 0 && FastFloat.isDefault(cpu.mxcsr)) {
            cpu.mxcsr |= state;
            cpu.xmm[2 * dst] = Double.doubleToRawLongBits(r);
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        long result = SseFloat.compute(op, Format.DOUBLE, a, src, s);
        SseFloat.finish(cpu, s);
        cpu.xmm[2 * dst] = result;
    }

    public static void rcpss(Cpu cpu, int dst, int src) {
        SseMemory.merge32(cpu, dst, reciprocal(src));
    }

    public static void rsqrtss(Cpu cpu, int dst, int src) {
        SseMemory.merge32(cpu, dst, reciprocalRoot(src));
    }

    /**
     * 1 / v, to single precision; the manual asks for 12 bits. Denormal operands and results count
     * as zero; no exceptions.
     */
    static int reciprocal(int v) {
        int sign = v & 1 << 31;
        int magnitude = v ^ sign;
        if (magnitude > 0x7f800000) {
            return v | 1 << 22;
        }
        if (magnitude < 0x00800000) {
            return sign | 0x7f800000;
        }
        float r = 1 / Float.intBitsToFloat(magnitude);
        return r < Float.MIN_NORMAL ? sign : sign | Float.floatToRawIntBits(r);
    }

    /** 1 / √v; as {@link #reciprocal}. */
    static int reciprocalRoot(int v) {
        int sign = v & 1 << 31;
        int magnitude = v ^ sign;
        if (magnitude > 0x7f800000) {
            return v | 1 << 22;
        }
        if (magnitude < 0x00800000) {
            return sign | 0x7f800000;
        }
        if (sign != 0) {
            return 0xffc00000;
        }
        return Float.floatToRawIntBits((float) (1 / Math.sqrt(Float.intBitsToFloat(v))));
    }

    public static void cmpss(Cpu cpu, int dst, int src, int imm) {
        int a = (int) cpu.xmm[2 * dst];
        FloatStatus s = SseFloat.status(cpu);
        boolean holds = SseFloat.holds(imm & 7, Format.SINGLE, a & LOW32, src & LOW32, s);
        SseFloat.finish(cpu, s);
        SseMemory.merge32(cpu, dst, holds ? -1 : 0);
    }

    public static void cmpsd(Cpu cpu, int dst, long src, int imm) {
        FloatStatus s = SseFloat.status(cpu);
        boolean holds = SseFloat.holds(imm & 7, Format.DOUBLE, cpu.xmm[2 * dst], src, s);
        SseFloat.finish(cpu, s);
        cpu.xmm[2 * dst] = holds ? -1 : 0;
    }

    public static void comiss(Cpu cpu, int a, int b) {
        compareSingle(cpu, a, b, false);
    }

    public static void ucomiss(Cpu cpu, int a, int b) {
        compareSingle(cpu, a, b, true);
    }

    public static void comisd(Cpu cpu, long a, long b) {
        compareDouble(cpu, a, b, false);
    }

    public static void ucomisd(Cpu cpu, long a, long b) {
        compareDouble(cpu, a, b, true);
    }

    private static void compareSingle(Cpu cpu, int a, int b, boolean quiet) {
        float x = Float.intBitsToFloat(a);
        float y = Float.intBitsToFloat(b);
        if (FastFloat.isComparable(x) && FastFloat.isComparable(y)) {
            setFlags(cpu, x < y ? -1 : x > y ? 1 : 0);
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        int order = SseFloat.compare(Format.SINGLE, a & LOW32, b & LOW32, quiet, s);
        SseFloat.finish(cpu, s);
        setFlags(cpu, order);
    }

    private static void compareDouble(Cpu cpu, long a, long b, boolean quiet) {
        double x = Double.longBitsToDouble(a);
        double y = Double.longBitsToDouble(b);
        if (FastFloat.isComparable(x) && FastFloat.isComparable(y)) {
            setFlags(cpu, x < y ? -1 : x > y ? 1 : 0);
            return;
        }
        FloatStatus s = SseFloat.status(cpu);
        int order = SseFloat.compare(Format.DOUBLE, a, b, quiet, s);
        SseFloat.finish(cpu, s);
        setFlags(cpu, order);
    }

    private static void setFlags(Cpu cpu, int order) {
        if (order == SseFloat.UNORDERED) {
            cpu.setStatus(Bits.ZF | Bits.PF | Bits.CF);
        } else {
            cpu.setStatus(order == 0 ? Bits.ZF : order < 0 ? Bits.CF : 0);
        }
    }
}
