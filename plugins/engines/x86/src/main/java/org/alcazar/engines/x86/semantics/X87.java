package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * The x87 register stack, status and exceptions (APM volume 1, chapter 6); what the groups of x87
 * instructions share.
 */
public final class X87 {
    /** Status word. */
    static final int SF = 1 << 6;

    static final int ES = 1 << 7;
    static final int C0 = 1 << 8;
    static final int C1 = 1 << 9;
    static final int C2 = 1 << 10;
    static final int C3 = 1 << 14;
    static final int B = 1 << 15;
    static final int CONDITIONS = C0 | C1 | C2 | C3;

    static final int EMPTY = 3;

    private X87() {}

    /**
     * Raises #MF if an unmasked x87 exception is pending: before every waiting x87 and every MMX
     * instruction. With CR0.NE clear the processor asserts FERR# instead and waits for an interrupt
     * unless IGNNE# is asserted (APM volume 2, 3.1.1).
     */
    public static void checkPending(Cpu cpu) {
        if ((cpu.fsw & ES) != 0) {
            report(cpu);
        }
    }

    private static void report(Cpu cpu) {
        if ((cpu.cr0 & Bits.CR0_NE) != 0) {
            throw cpu.fault(Bits.MF);
        }
        cpu.floatErrorTold = true;
        if (!cpu.interrupts.floatError(true)) {
            throw cpu.freeze();
        }
    }

    /** FERR# goes when the error does. */
    private static void withdraw(Cpu cpu) {
        if (cpu.floatErrorTold && (cpu.fsw & ES) == 0) {
            cpu.floatErrorTold = false;
            cpu.interrupts.floatError(false);
        }
    }

    /** Clears the exceptions and what sums them up. */
    static void clearExceptions(Cpu cpu) {
        cpu.fsw &= ~(FloatStatus.ALL | SF | ES | B);
        withdraw(cpu);
    }

    /**
     * Last-instruction pointer and opcode, for all but control instructions. To be called when
     * memory accesses are done.
     */
    static void pointers(Cpu cpu, Instruction insn) {
        long start = cpu.rip - insn.length;
        cpu.fop = (insn.opcode & 7) << 8 | insn.modrm & 0xff;
        if (cpu.code64()) {
            cpu.fip = start;
        } else {
            cpu.fip = start & 0xffffffffL | (long) cpu.selector[1] << 32;
        }
        if (insn.memory) {
            long offset = Operands.offset(cpu, insn);
            boolean wide = cpu.code64();
            cpu.fdp =
                    wide ? offset : offset & 0xffffffffL | (long) cpu.selector[insn.segment] << 32;
        }
    }

    static boolean isEmpty(Cpu cpu, int i) {
        return (cpu.ftw >> 2 * (cpu.fpTop + i & 7) & 3) == EMPTY;
    }

    static Float80 get(Cpu cpu, int i) {
        int n = cpu.fpTop + i & 7;
        return new Float80(cpu.fpSignificand[n], cpu.fpExponent[n]);
    }

    static void set(Cpu cpu, int i, Float80 v) {
        int n = cpu.fpTop + i & 7;
        cpu.fpSignificand[n] = v.significand();
        cpu.fpExponent[n] = v.signExponent();
        cpu.ftw &= ~(3 << 2 * n);
    }

    static void free(Cpu cpu, int i) {
        cpu.ftw |= 3 << 2 * (cpu.fpTop + i & 7);
    }

    static void pop(Cpu cpu) {
        free(cpu, 0);
        cpu.fpTop = cpu.fpTop + 1 & 7;
    }

    static void clearC1(Cpu cpu) {
        cpu.fsw &= ~C1;
    }

    /** Sets the condition codes; {@code codes} is a mask of C0, C1, C2 and C3. */
    static void conditions(Cpu cpu, int codes) {
        cpu.fsw = cpu.fsw & ~CONDITIONS | codes;
    }

    static FloatStatus status(Cpu cpu) {
        return FloatStatus.ofControlWord(cpu.fcw);
    }

    static FloatStatus fullStatus(Cpu cpu) {
        return FloatStatus.ofControlWordFull(cpu.fcw);
    }

    /**
     * Enters flags into the status word; C1 becomes the direction of rounding.
     *
     * @return whether there is a result: no exception that is found before computing is unmasked
     */
    static boolean finish(Cpu cpu, FloatStatus s) {
        int flags = s.flags;
        if (s.stops()) {
            flags &= FloatStatus.BEFORE;
        }
        int c1 = (flags & FloatStatus.PE) != 0 ? flags & FloatStatus.ROUNDED_UP : 0;
        cpu.fsw = cpu.fsw & ~C1 | flags & FloatStatus.ALL | c1;
        if ((flags & s.unmasked) != 0) {
            cpu.fsw |= ES | B;
        }
        return !s.stops();
    }

    /** Enters flags and, where there is a result, writes it to ST(i). */
    static boolean finish(Cpu cpu, FloatStatus s, int i, Float80 result) {
        boolean done = finish(cpu, s);
        if (done) {
            set(cpu, i, result);
        }
        return done;
    }

    /**
     * Stack underflow or overflow.
     *
     * @return whether the exception is masked, so that there is a default response
     */
    static boolean stackFault(Cpu cpu, boolean overflow) {
        cpu.fsw = cpu.fsw & ~C1 | FloatStatus.IE | SF | (overflow ? C1 : 0);
        if ((cpu.fcw & FloatStatus.IE) == 0) {
            cpu.fsw |= ES | B;
            return false;
        }
        return true;
    }

    /**
     * Whether ST(0) is there; if not, the stack fault is raised and its masked response, a NaN in
     * ST(0), given.
     */
    static boolean needTop(Cpu cpu) {
        if (!isEmpty(cpu, 0)) {
            return true;
        }
        if (stackFault(cpu, false)) {
            set(cpu, 0, Float80.INDEFINITE);
        }
        return false;
    }

    /** Pushes; an occupied ST(7) is a stack overflow. */
    static void push(Cpu cpu, Float80 v) {
        if (isEmpty(cpu, 7)) {
            clearC1(cpu);
            pushOver(cpu, v);
        } else if (stackFault(cpu, true)) {
            pushOver(cpu, Float80.INDEFINITE);
        }
    }

    /** Pushes without a look at the tag. */
    static void pushOver(Cpu cpu, Float80 v) {
        cpu.fpTop = cpu.fpTop - 1 & 7;
        set(cpu, 0, v);
    }

    /** Status word with TOP in it. */
    static int statusWord(Cpu cpu) {
        return cpu.fsw & ~(7 << 11) | cpu.fpTop << 11;
    }

    /**
     * Takes TOP and the rest from a status word; ES and B follow from the exceptions and the
     * control word.
     */
    static void setStatusWord(Cpu cpu, int word) {
        cpu.fpTop = word >> 11 & 7;
        cpu.fsw = word & ~(7 << 11 | ES | B) & 0xffff;
        updateSummary(cpu);
    }

    /** ES and B anew, after a change of the control word or the exception flags. */
    static void updateSummary(Cpu cpu) {
        if ((cpu.fsw & ~cpu.fcw & FloatStatus.ALL) != 0) {
            cpu.fsw |= ES | B;
        } else {
            cpu.fsw &= ~(ES | B);
            withdraw(cpu);
        }
    }

    static void reset(Cpu cpu) {
        cpu.fcw = 0x37f;
        cpu.fsw = 0;
        cpu.fpTop = 0;
        cpu.ftw = 0xffff;
        cpu.fop = 0;
        cpu.fip = 0;
        cpu.fdp = 0;
        withdraw(cpu);
    }

    /**
     * The tag word as FSTENV shows it: 2 bits a register, found from the contents of those that are
     * not empty.
     */
    static int tagWord(Cpu cpu) {
        int tags = 0;
        for (int n = 0; n < 8; n++) {
            tags |= tag(cpu, n) << 2 * n;
        }
        return tags;
    }

    private static int tag(Cpu cpu, int n) {
        if ((cpu.ftw >> 2 * n & 3) == EMPTY) {
            return EMPTY;
        }
        int exp = cpu.fpExponent[n] & 0x7fff;
        if (exp == 0) {
            return cpu.fpSignificand[n] == 0 ? 1 : 2;
        }
        return exp == 0x7fff || cpu.fpSignificand[n] >= 0 ? 2 : 0;
    }

    /** Memory operand of an x87 instruction, zero-extended. */
    static long read(Cpu cpu, Instruction insn, int bytes) {
        long la = Operands.linear(cpu, insn, bytes, false);
        return switch (bytes) {
            case 2 -> cpu.mmu.read16(la);
            case 4 -> cpu.mmu.read32(la) & 0xffffffffL;
            default -> cpu.mmu.read64(la);
        };
    }

    /** Memory operand, sign-extended. */
    static long readSigned(Cpu cpu, Instruction insn, int bytes) {
        int shift = 64 - 8 * bytes;
        return read(cpu, insn, bytes) << shift >> shift;
    }

    static Float80 read80(Cpu cpu, Instruction insn) {
        // Two accesses: faults of the first eight bytes come before limits of the last two.
        long significand = cpu.mmu.read64(Operands.linear(cpu, insn, 8, false));
        int exponent = cpu.mmu.read16(Operands.linear(cpu, insn, 8, 2, false));
        return new Float80(significand, exponent);
    }

    /** Raises what a write of the memory operand would raise; returns its linear address. */
    static long probe(Cpu cpu, Instruction insn, int bytes) {
        int first = Math.min(8, bytes);
        long la = Operands.linear(cpu, insn, first, true);
        cpu.mmu.probeWrite(la, first);
        if (bytes > first) {
            cpu.mmu.probeWrite(
                    Operands.linear(cpu, insn, first, bytes - first, true), bytes - first);
        }
        return la;
    }

    static void write(Cpu cpu, long la, int bytes, long v) {
        switch (bytes) {
            case 2 -> cpu.mmu.write16(la, (int) v);
            case 4 -> cpu.mmu.write32(la, (int) v);
            default -> cpu.mmu.write64(la, v);
        }
    }

    /** Float80 of a binary32 or binary64 memory operand; the status learns of denormals. */
    static Float80 ofBits(long bits, int bytes, FloatStatus s) {
        if (bytes == 4) {
            int b = (int) bits;
            s.denormalOperand = (b & 0x7f800000) == 0 && b << 1 != 0;
            return Float80.ofFloat(b);
        }
        s.denormalOperand = (bits & 0x7ffL << 52) == 0 && bits << 1 != 0;
        return Float80.ofDouble(bits);
    }
}
