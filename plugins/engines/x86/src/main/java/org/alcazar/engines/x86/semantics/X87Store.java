package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** x87 instructions that store ST(0), with conversion. */
public final class X87Store {
    private static final long BCD_LIMIT = 1_000_000_000_000_000_000L;

    private X87Store() {}

    public static void fst32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, false);
    }

    public static void fstp32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, true);
    }

    public static void fst64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, false);
    }

    public static void fstp64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, true);
    }

    public static void fist16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, false, false);
    }

    public static void fistp16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, true, false);
    }

    public static void fist32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, false, false);
    }

    public static void fistp32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, true, false);
    }

    public static void fistp64(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 8, true, false);
    }

    public static void fisttp16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, true, true);
    }

    public static void fisttp32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, true, true);
    }

    public static void fisttp64(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 8, true, true);
    }

    /** Stores the register's bits; no conversion, so only a stack fault can happen. */
    public static void fstp80(Cpu cpu, Instruction insn) {
        long la = X87.probe(cpu, insn, 10);
        X87.pointers(cpu, insn);
        Float80 v = X87.get(cpu, 0);
        if (X87.isEmpty(cpu, 0)) {
            if (!X87.stackFault(cpu, false)) {
                return;
            }
            v = Float80.INDEFINITE;
        } else {
            X87.clearC1(cpu);
        }
        cpu.mmu.write64(la, v.significand());
        cpu.mmu.write16(la + 8, v.signExponent());
        X87.pop(cpu);
    }

    public static void fst(Cpu cpu, Instruction insn) {
        copy(cpu, insn, false);
    }

    public static void fstp(Cpu cpu, Instruction insn) {
        copy(cpu, insn, true);
    }

    private static void copy(Cpu cpu, Instruction insn, boolean pop) {
        X87.pointers(cpu, insn);
        Float80 v = X87.get(cpu, 0);
        boolean missing = X87.isEmpty(cpu, 0);
        if (missing && insn.opcode == 0xd9) {
            // The alias of FSTP at D9 does not look at the tag: an empty register is popped, not
            // copied.
            X87.clearC1(cpu);
            X87.pop(cpu);
            return;
        }
        if (missing) {
            if (!X87.stackFault(cpu, false)) {
                return;
            }
            v = Float80.INDEFINITE;
        } else {
            X87.clearC1(cpu);
        }
        X87.set(cpu, insn.modrm & 7, v);
        if (pop) {
            X87.pop(cpu);
        }
    }

    private static void real(Cpu cpu, Instruction insn, int bytes, boolean pop) {
        long la = X87.probe(cpu, insn, bytes);
        X87.pointers(cpu, insn);
        FloatStatus s = X87.fullStatus(cpu);
        Float80 v = Float80.INDEFINITE;
        if (!X87.isEmpty(cpu, 0)) {
            v = X87.get(cpu, 0);
        } else if (!X87.stackFault(cpu, false)) {
            return;
        }
        long bits = bytes == 4 ? v.toFloat(s) : v.toDouble(s);
        if (!X87.isEmpty(cpu, 0)) {
            boolean outOfRange = (s.flags & s.unmasked & (FloatStatus.OE | FloatStatus.UE)) != 0;
            if (outOfRange) {
                // Nothing is stored, so nothing is said about its precision.
                s.flags &= ~FloatStatus.PE;
            }
            if (!X87.finish(cpu, s) || outOfRange) {
                return;
            }
        }
        X87.write(cpu, la, bytes, bits);
        if (pop) {
            X87.pop(cpu);
        }
    }

    private static void integer(
            Cpu cpu, Instruction insn, int bytes, boolean pop, boolean truncate) {
        long la = X87.probe(cpu, insn, bytes);
        X87.pointers(cpu, insn);
        long v = -1L << 8 * bytes - 1;
        if (X87.isEmpty(cpu, 0)) {
            if (!X87.stackFault(cpu, false)) {
                return;
            }
        } else {
            FloatStatus s = X87.fullStatus(cpu);
            s = truncate ? s.withRounding(FloatStatus.TO_ZERO) : s;
            v = X87.get(cpu, 0).toInteger(8 * bytes, s);
            if (!X87.finish(cpu, s)) {
                return;
            }
        }
        X87.write(cpu, la, bytes, v);
        if (pop) {
            X87.pop(cpu);
        }
    }

    /** To 18 packed decimal digits. */
    public static void fbstp(Cpu cpu, Instruction insn) {
        long la = X87.probe(cpu, insn, 10);
        X87.pointers(cpu, insn);
        long low = 3L << 62;
        int high = 0xffff;
        if (X87.isEmpty(cpu, 0)) {
            if (!X87.stackFault(cpu, false)) {
                return;
            }
        } else {
            FloatStatus s = X87.fullStatus(cpu);
            FloatStatus rounding = s.withRounding(s.rounding);
            Float80 top = X87.get(cpu, 0);
            long v = Math.abs(top.toInteger(64, rounding));
            // The magnitude of the smallest integer, which stands for all that does not fit, is
            // negative here.
            if (v < 0 || v >= BCD_LIMIT) {
                s.raise(FloatStatus.IE);
            } else {
                s = rounding;
                high = top.negative() ? 0x8000 : 0;
                low = digits(v % 10_000_000_000_000_000L);
                high |= (int) digits(v / 10_000_000_000_000_000L);
            }
            if (!X87.finish(cpu, s)) {
                return;
            }
        }
        cpu.mmu.write64(la, low);
        cpu.mmu.write16(la + 8, high);
        X87.pop(cpu);
    }

    private static long digits(long v) {
        long packed = 0;
        long rest = v;
        for (int shift = 0; rest != 0; shift += 4) {
            packed |= rest % 10 << shift;
            rest /= 10;
        }
        return packed;
    }
}
