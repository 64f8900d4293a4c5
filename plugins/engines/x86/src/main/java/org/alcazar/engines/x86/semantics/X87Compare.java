package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** x87 comparisons and FXAM. */
public final class X87Compare {
    private static final int UNORDERED = X87.C0 | X87.C2 | X87.C3;

    private X87Compare() {}

    public static void fcom(Cpu cpu, Instruction insn) {
        stack(cpu, insn, false, 0);
    }

    public static void fcomp(Cpu cpu, Instruction insn) {
        stack(cpu, insn, false, 1);
    }

    public static void fcompp(Cpu cpu, Instruction insn) {
        stack(cpu, insn, false, 2);
    }

    public static void fucom(Cpu cpu, Instruction insn) {
        stack(cpu, insn, true, 0);
    }

    public static void fucomp(Cpu cpu, Instruction insn) {
        stack(cpu, insn, true, 1);
    }

    public static void fucompp(Cpu cpu, Instruction insn) {
        stack(cpu, insn, true, 2);
    }

    public static void fcom32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, 0);
    }

    public static void fcomp32(Cpu cpu, Instruction insn) {
        real(cpu, insn, 4, 1);
    }

    public static void fcom64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, 0);
    }

    public static void fcomp64(Cpu cpu, Instruction insn) {
        real(cpu, insn, 8, 1);
    }

    public static void ficom16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, 0);
    }

    public static void ficomp16(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 2, 1);
    }

    public static void ficom32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, 0);
    }

    public static void ficomp32(Cpu cpu, Instruction insn) {
        integer(cpu, insn, 4, 1);
    }

    public static void fcomi(Cpu cpu, Instruction insn) {
        flags(cpu, insn, false, 0);
    }

    public static void fcomip(Cpu cpu, Instruction insn) {
        flags(cpu, insn, false, 1);
    }

    public static void fucomi(Cpu cpu, Instruction insn) {
        flags(cpu, insn, true, 0);
    }

    public static void fucomip(Cpu cpu, Instruction insn) {
        flags(cpu, insn, true, 1);
    }

    public static void ftst(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        if (X87.isEmpty(cpu, 0)) {
            underflow(cpu, 0);
            return;
        }
        withTop(cpu, Float80.ZERO, X87.status(cpu), 0);
    }

    /** Class of ST(0) in C3, C2, C0; sign in C1. */
    public static void fxam(Cpu cpu, Instruction insn) {
        X87.pointers(cpu, insn);
        Float80 v = X87.get(cpu, 0);
        int codes = v.negative() ? X87.C1 : 0;
        if (X87.isEmpty(cpu, 0)) {
            codes |= X87.C3 | X87.C0;
        } else if (v.isUnsupported()) {
            codes |= 0;
        } else if (v.isNan()) {
            codes |= X87.C0;
        } else if (v.isInfinite()) {
            codes |= X87.C2 | X87.C0;
        } else if (v.isZero()) {
            codes |= X87.C3;
        } else if (v.isDenormal()) {
            codes |= X87.C3 | X87.C2;
        } else {
            codes |= X87.C2;
        }
        X87.conditions(cpu, codes);
    }

    private static void stack(Cpu cpu, Instruction insn, boolean quiet, int pops) {
        X87.pointers(cpu, insn);
        int i = pops == 2 ? 1 : insn.modrm & 7;
        if (X87.isEmpty(cpu, 0) || X87.isEmpty(cpu, i)) {
            underflow(cpu, pops);
            return;
        }
        FloatStatus s = X87.status(cpu);
        int order = compare(X87.get(cpu, 0), X87.get(cpu, i), quiet, s);
        conclude(cpu, s, order, pops);
    }

    private static void real(Cpu cpu, Instruction insn, int bytes, int pops) {
        long bits = X87.read(cpu, insn, bytes);
        X87.pointers(cpu, insn);
        if (X87.isEmpty(cpu, 0)) {
            underflow(cpu, pops);
            return;
        }
        FloatStatus s = X87.status(cpu);
        withTop(cpu, X87.ofBits(bits, bytes, s), s, pops);
    }

    private static void integer(Cpu cpu, Instruction insn, int bytes, int pops) {
        Float80 b = Float80.ofLong(X87.readSigned(cpu, insn, bytes));
        X87.pointers(cpu, insn);
        if (X87.isEmpty(cpu, 0)) {
            underflow(cpu, pops);
            return;
        }
        withTop(cpu, b, X87.status(cpu), pops);
    }

    private static void withTop(Cpu cpu, Float80 b, FloatStatus s, int pops) {
        conclude(cpu, s, compare(X87.get(cpu, 0), b, false, s), pops);
    }

    private static void underflow(Cpu cpu, int pops) {
        boolean masked = X87.stackFault(cpu, false);
        X87.conditions(cpu, UNORDERED);
        if (masked) {
            pop(cpu, pops);
        }
    }

    private static void conclude(Cpu cpu, FloatStatus s, int codes, int pops) {
        boolean done = X87.finish(cpu, s);
        X87.conditions(cpu, codes);
        if (done) {
            pop(cpu, pops);
        }
    }

    private static void pop(Cpu cpu, int pops) {
        for (int i = 0; i < pops; i++) {
            X87.pop(cpu);
        }
    }

    private static void flags(Cpu cpu, Instruction insn, boolean quiet, int pops) {
        X87.pointers(cpu, insn);
        int i = insn.modrm & 7;
        int codes = UNORDERED;
        boolean done;
        if (X87.isEmpty(cpu, 0) || X87.isEmpty(cpu, i)) {
            done = X87.stackFault(cpu, false);
        } else {
            FloatStatus s = X87.status(cpu);
            codes = compare(X87.get(cpu, 0), X87.get(cpu, i), quiet, s);
            // These leave C1 alone.
            int c1 = cpu.fsw & X87.C1;
            done = X87.finish(cpu, s);
            cpu.fsw |= c1;
        }
        int status = (codes & X87.C3) != 0 ? Bits.ZF : 0;
        status |= (codes & X87.C2) != 0 ? Bits.PF : 0;
        status |= (codes & X87.C0) != 0 ? Bits.CF : 0;
        cpu.setStatus(status);
        if (done) {
            pop(cpu, pops);
        }
    }

    /** C3, C2 and C0 of a comparison. */
    private static int compare(Float80 a, Float80 b, boolean quiet, FloatStatus s) {
        if (Float80.isSpecial(a, b)) {
            boolean calm = quiet && !a.isUnsupported() && !b.isUnsupported();
            if (!calm || a.isSignalling() || b.isSignalling()) {
                s.raise(FloatStatus.IE);
            }
            return UNORDERED;
        }
        if (a.isDenormal() || b.isDenormal() || s.denormalOperand) {
            s.raise(FloatStatus.DE);
        }
        int order = a.compareTo(b);
        return order == 0 ? X87.C3 : order < 0 ? X87.C0 : 0;
    }
}
