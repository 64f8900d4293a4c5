package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** x87 instructions that push: loads, conversions from integer and BCD, constants. */
public final class X87Load {
    private X87Load() {}

    public static void fld32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4);
    }

    public static void fld64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8);
    }

    public static void fld80(Cpu cpu, Instruction insn) {
        Float80 v = X87.read80(cpu, insn);
        X87.pointers(cpu, insn);
        X87.push(cpu, v);
    }

    public static void fild16(Cpu cpu, Instruction insn) {
        Float80 v = Float80.ofLong(X87.readSigned(cpu, insn, 2));
        X87.pointers(cpu, insn);
        X87.push(cpu, v);
    }

    public static void fild32(Cpu cpu, Instruction insn) {
        Float80 v = Float80.ofLong(X87.readSigned(cpu, insn, 4));
        X87.pointers(cpu, insn);
        X87.push(cpu, v);
    }

    public static void fild64(Cpu cpu, Instruction insn) {
        Float80 v = Float80.ofLong(X87.readSigned(cpu, insn, 8));
        X87.pointers(cpu, insn);
        X87.push(cpu, v);
    }

    /** 18 decimal digits and a sign. */
    public static void fbld(Cpu cpu, Instruction insn) {
        Float80 packed = X87.read80(cpu, insn);
        X87.pointers(cpu, insn);
        X87.push(cpu, ofBcd(packed.significand(), packed.signExponent()));
    }

    private static Float80 ofBcd(long low, int high) {
        long v = (high >> 4 & 15) * 10 + (high & 15);
        for (int shift = 60; shift >= 0; shift -= 4) {
            v = v * 10 + (low >>> shift & 15);
        }
        Float80 magnitude = Float80.ofLong(v);
        return (high & 0x8000) != 0 ? magnitude.negate() : magnitude;
    }

    /** Pushes a copy of ST(i). */
    public static void fld(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        int i = insn.modrm & 7;
        if (X87.isEmpty(cpu, i)) {
            if (X87.stackFault(cpu, false)) {
                X87.pushOver(cpu, Float80.INDEFINITE);
            }
        } else {
            X87.push(cpu, X87.get(cpu, i));
        }
    }

    public static void fld1(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        X87.push(cpu, Float80.ONE);
    }

    public static void fldz(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        X87.push(cpu, Float80.ZERO);
    }

    // Constants are known to 128 bits and rounded as the control word says, without flags.

    public static void fldl2t(Cpu cpu, Instruction insn) {
        constant(cpu, insn, 1, 0xd49a784bcd1b8afeL, 0x492bf6ff4dafdb4cL);
    }

    public static void fldl2e(Cpu cpu, Instruction insn) {
        constant(cpu, insn, 0, 0xb8aa3b295c17f0bbL, 0xbe87fed0691d3e88L);
    }

    public static void fldpi(Cpu cpu, Instruction insn) {
        constant(cpu, insn, 1, 0xc90fdaa22168c234L, 0xc4c6628b80dc1cd1L);
    }

    public static void fldlg2(Cpu cpu, Instruction insn) {
        constant(cpu, insn, -2, 0x9a209a84fbcff798L, 0x8f8959ac0b7c9178L);
    }

    public static void fldln2(Cpu cpu, Instruction insn) {
        constant(cpu, insn, -1, 0xb17217f7d1cf79abL, 0xc9e3b39803f2f6afL);
    }

    private static void constant(Cpu cpu, Instruction insn, int exponent, long high, long low) {
        X87.pointers(cpu, insn);
        Unrounded u = new Unrounded();
        u.exponent = exponent;
        u.high = high;
        u.low = low;
        X87.push(cpu, Float80.rounded(u, X87.fullStatus(cpu)));
    }

    private static void real(Cpu cpu, Instruction insn, int bytes) {
        long bits = X87.read(cpu, insn, bytes);
        X87.pointers(cpu, insn);
        if (!X87.isEmpty(cpu, 7)) {
            X87.push(cpu, Float80.INDEFINITE);
            return;
        }
        FloatStatus s = X87.status(cpu);
        Float80 v = X87.ofBits(bits, bytes, s);
        if (v.isSignalling()) {
            s.raise(FloatStatus.IE);
            v = v.quiet();
        } else if (s.denormalOperand) {
            s.raise(FloatStatus.DE);
        }
        X87.finish(cpu, s);
        // An unmasked denormal operand is told of, but loaded.
        if ((s.flags & s.unmasked & FloatStatus.IE) == 0) {
            X87.pushOver(cpu, v);
        }
    }
}
