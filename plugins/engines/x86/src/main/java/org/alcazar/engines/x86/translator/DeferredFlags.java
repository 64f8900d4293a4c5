package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.semantics.Alu;
import org.alcazar.engines.x86.semantics.MulDiv;
import org.alcazar.engines.x86.semantics.Shift;
import org.alcazar.engines.x86.semantics.SseScalar;
import org.alcazar.engines.x86.state.Cpu;

/**
 * Status flags that translated code has not computed: which operation would, and its operands. A
 * kind is an operation and log2 of the operand size in bytes. Operands may have anything beyond
 * their size. Semantics computes the flags when somebody wants them; conditions that follow from
 * the operands directly are decided without. All methods are meant to be inlined, with the kind a
 * constant.
 */
final class DeferredFlags {
    /** The flags are in the {@code Cpu}. */
    static final int NONE = 0;

    static final int ADD = 4;

    /** CMP and NEG too: a is 0 for NEG. */
    static final int SUB = 8;

    /** AND, OR, XOR, TEST: a is the result. */
    static final int LOGIC = 12;

    /** b is CF, which stays. */
    static final int INC = 16;

    static final int DEC = 20;

    /** By a count b that is not 0. */
    static final int SHL = 24;

    static final int SHR = 28;
    static final int SAR = 32;
    static final int IMUL = 36;

    /** MUL: a and b are the product's halves. */
    static final int MUL = 40;

    /** With a carry c, 0 or 1. */
    static final int ADC = 44;

    static final int SBB = 48;

    /** COMISD and its relatives: a and b are doubles' bits, neither NaN nor denormal. */
    static final int FLOAT = 52;

    /** Of a kind, the part that is an operation and its size. */
    static final int FIRST = 255;

    /** In addition to an operation: CF and OF are those of a rotate after it. */
    static final int ROTATED = 256;

    /** With {@link #ROTATED}: ROR, not ROL. */
    static final int RIGHT = 512;

    /** With {@link #ROTATED}: where log2 of the operand size is in a kind. */
    static final int TURNED_SIZE = 10;

    private DeferredFlags() {}

    /**
     * Computes the flags into the core's state.
     *
     * @param turned result of the rotate
     */
    static void settle(Cpu cpu, int kind, long a, long b, long c, long turned) {
        int first = kind & FIRST;
        if (first >= ADC) {
            cpu.setCarry(c != 0);
        }
        switch (first & 3) {
            case 0 -> settle8(cpu, first & ~3, (int) a, (int) b);
            case 1 -> settle16(cpu, first & ~3, (int) a, (int) b);
            case 2 -> settle32(cpu, first & ~3, (int) a, (int) b);
            default -> settle64(cpu, first & ~3, a, b);
        }
        if ((kind & ROTATED) != 0) {
            boolean carry = turnedCarry(kind, turned);
            int top = top(kind);
            long other = (kind & RIGHT) != 0 ? turned >>> top - 1 : turned >>> top;
            cpu.setCarryOverflow(carry, carry != ((other & 1) != 0));
        }
    }

    /**
     * {@link #settle} for kinds that are not known before: a call, not a hundred times its size.
     */
    static void settleAny(Cpu cpu, int kind, long a, long b, long c, long turned) {
        settle(cpu, kind, a, b, c, turned);
    }

    /** The number of the highest bit of what was rotated. */
    static int top(int kind) {
        return (8 << (kind >> TURNED_SIZE)) - 1;
    }

    private static boolean turnedCarry(int kind, long turned) {
        return ((kind & RIGHT) != 0 ? turned >>> top(kind) & 1 : turned & 1) != 0;
    }

    private static void settle8(Cpu cpu, int op, int a, int b) {
        switch (op) {
            case ADD -> Alu.add8(cpu, a, b);
            case ADC -> Alu.adc8(cpu, a, b);
            case SBB -> Alu.sbb8(cpu, a, b);
            case SUB -> Alu.cmp8(cpu, a, b);
            case LOGIC -> Alu.test8(cpu, a, a);
            case INC -> {
                cpu.setCarry(b != 0);
                Alu.inc8(cpu, a);
            }
            case DEC -> {
                cpu.setCarry(b != 0);
                Alu.dec8(cpu, a);
            }
            case SHL -> Shift.shl8(cpu, a, b);
            case SHR -> Shift.shr8(cpu, a, b);
            case SAR -> Shift.sar8(cpu, a, b);
            default -> {}
        }
    }

    private static void settle16(Cpu cpu, int op, int a, int b) {
        switch (op) {
            case ADD -> Alu.add16(cpu, a, b);
            case ADC -> Alu.adc16(cpu, a, b);
            case SBB -> Alu.sbb16(cpu, a, b);
            case SUB -> Alu.cmp16(cpu, a, b);
            case LOGIC -> Alu.test16(cpu, a, a);
            case INC -> {
                cpu.setCarry(b != 0);
                Alu.inc16(cpu, a);
            }
            case DEC -> {
                cpu.setCarry(b != 0);
                Alu.dec16(cpu, a);
            }
            case SHL -> Shift.shl16(cpu, a, b);
            case SHR -> Shift.shr16(cpu, a, b);
            case SAR -> Shift.sar16(cpu, a, b);
            default -> {}
        }
    }

    private static void settle32(Cpu cpu, int op, int a, int b) {
        switch (op) {
            case ADD -> Alu.add32(cpu, a, b);
            case ADC -> Alu.adc32(cpu, a, b);
            case SBB -> Alu.sbb32(cpu, a, b);
            case SUB -> Alu.cmp32(cpu, a, b);
            case LOGIC -> Alu.test32(cpu, a, a);
            case INC -> {
                cpu.setCarry(b != 0);
                Alu.inc32(cpu, a);
            }
            case DEC -> {
                cpu.setCarry(b != 0);
                Alu.dec32(cpu, a);
            }
            case SHL -> Shift.shl32(cpu, a, b);
            case SHR -> Shift.shr32(cpu, a, b);
            case SAR -> Shift.sar32(cpu, a, b);
            case IMUL -> MulDiv.imul32(cpu, a, b);
            case MUL -> multiplied(cpu, a, b);
            default -> {}
        }
    }

    private static void settle64(Cpu cpu, int op, long a, long b) {
        switch (op) {
            case ADD -> Alu.add64(cpu, a, b);
            case ADC -> Alu.adc64(cpu, a, b);
            case SBB -> Alu.sbb64(cpu, a, b);
            case SUB -> Alu.cmp64(cpu, a, b);
            case LOGIC -> Alu.test64(cpu, a, a);
            case INC -> {
                cpu.setCarry(b != 0);
                Alu.inc64(cpu, a);
            }
            case DEC -> {
                cpu.setCarry(b != 0);
                Alu.dec64(cpu, a);
            }
            case SHL -> Shift.shl64(cpu, a, (int) b);
            case SHR -> Shift.shr64(cpu, a, (int) b);
            case SAR -> Shift.sar64(cpu, a, (int) b);
            case IMUL -> MulDiv.imul64(cpu, a, b);
            case MUL -> multiplied(cpu, a, b);
            case FLOAT -> SseScalar.ucomisd(cpu, a, b);
            default -> {}
        }
    }

    /** CF and OF say whether the high half is 0, the others are those of the low half. */
    private static void multiplied(Cpu cpu, long low, long high) {
        Alu.test64(cpu, low, low);
        cpu.setCarryOverflow(high != 0, high != 0);
    }

    /** An operand's value, sign-extended from its size. */
    static long signed(int kind, long v) {
        return switch (kind & 3) {
            case 0 -> (byte) v;
            case 1 -> (short) v;
            case 2 -> (int) v;
            default -> v;
        };
    }

    /** CF, for what takes it. Leaves the core's state alone, but for kinds that are rare here. */
    static boolean carry(Cpu cpu, int kind, long a, long b, long c, long turned) {
        if ((kind & ROTATED) != 0) {
            return turnedCarry(kind, turned);
        }
        return switch (kind & ~3) {
            case NONE -> cpu.carry();
            case ADD -> Long.compareUnsigned(signed(kind, a + b), signed(kind, a)) < 0;
            case SUB -> Long.compareUnsigned(signed(kind, a), signed(kind, b)) < 0;
            case ADC -> carryOut(signed(kind, a), signed(kind, b), signed(kind, a + b + c));
            case SBB -> carryOut(~signed(kind, a), signed(kind, b), ~signed(kind, a - b - c));
            case LOGIC -> false;
            case INC, DEC, MUL -> b != 0;
            default -> {
                settle(cpu, kind, a, b, c, turned);
                yield cpu.carry();
            }
        };
    }

    /** Out of the highest bit; of a subtraction, with what is subtracted from inverted. */
    private static boolean carryOut(long a, long b, long sum) {
        return (a & b | (a | b) & ~sum) < 0;
    }
}
