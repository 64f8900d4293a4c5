package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * Multiplication, division and the decimal adjustments (APM volume 3). Undefined flags follow the
 * result.
 */
public final class MulDiv {
    private static final long CF_ONLY = 1L << 63;

    private MulDiv() {}

    /** CF = OF = {@code wide}; the others by the low half. */
    private static void product(Cpu cpu, long low, boolean wide) {
        cpu.flagResult = low;
        cpu.flagAux = wide ? CF_ONLY : 0;
    }

    /** MUL. */
    public static void mul(Cpu cpu, Instruction insn) {
        int bytes = insn.row.operands().getFirst().bytes(insn);
        long b = Operands.readRm(cpu, insn, bytes);
        long a = Memory.trim(cpu.gpr[0], bytes);
        long low = a * b;
        if (bytes == 8) {
            long high = Math.unsignedMultiplyHigh(a, b);
            cpu.gpr[0] = low;
            cpu.gpr[2] = high;
            product(cpu, low, high != 0);
            return;
        }
        storeProduct(cpu, bytes, low);
        product(cpu, Memory.signed(low, bytes), low >>> 8 * bytes != 0);
    }

    /** IMUL with one operand. */
    public static void imul1(Cpu cpu, Instruction insn) {
        int bytes = insn.row.operands().getFirst().bytes(insn);
        long b = Memory.signed(Operands.readRm(cpu, insn, bytes), bytes);
        long a = Memory.signed(cpu.gpr[0], bytes);
        long low = a * b;
        if (bytes == 8) {
            long high = Math.multiplyHigh(a, b);
            cpu.gpr[0] = low;
            cpu.gpr[2] = high;
            product(cpu, low, high != low >> 63);
            return;
        }
        storeProduct(cpu, bytes, low);
        product(cpu, Memory.signed(low, bytes), Memory.signed(low, bytes) != low);
    }

    private static void storeProduct(Cpu cpu, int bytes, long product) {
        if (bytes == 1) {
            Memory.setLow(cpu, 0, 2, product);
        } else {
            Memory.setLow(cpu, 0, bytes, product);
            Memory.setLow(cpu, 2, bytes, product >>> 8 * bytes);
        }
    }

    /** IMUL with two operands, or three: the last two are the factors. */
    public static int imul16(Cpu cpu, int a, int b) {
        int r = (short) a * (short) b;
        product(cpu, (short) r, (short) r != r);
        return r;
    }

    public static int imul32(Cpu cpu, int a, int b) {
        long r = (long) a * b;
        product(cpu, r << 32 >> 32, (int) r != r);
        return (int) r;
    }

    public static long imul64(Cpu cpu, long a, long b) {
        long r = a * b;
        product(cpu, r, Math.multiplyHigh(a, b) != r >> 63);
        return r;
    }

    /** DIV: #DE when the divisor is 0 or the quotient does not fit. */
    public static void div(Cpu cpu, Instruction insn) {
        int bytes = insn.row.operands().getFirst().bytes(insn);
        long b = Operands.readRm(cpu, insn, bytes);
        if (bytes == 8) {
            div64(cpu, b);
            return;
        }
        long a = dividend(cpu, bytes);
        if (b == 0) {
            throw cpu.fault(Bits.DE);
        }
        long quotient = Long.divideUnsigned(a, b);
        if (quotient >>> 8 * bytes != 0) {
            throw cpu.fault(Bits.DE);
        }
        storeQuotient(cpu, bytes, quotient, Long.remainderUnsigned(a, b));
    }

    private static long dividend(Cpu cpu, int bytes) {
        return switch (bytes) {
            case 1 -> cpu.gpr[0] & 0xffff;
            case 2 -> (cpu.gpr[2] & 0xffff) << 16 | cpu.gpr[0] & 0xffff;
            default -> cpu.gpr[2] << 32 | cpu.gpr[0] & 0xffffffffL;
        };
    }

    private static void storeQuotient(Cpu cpu, int bytes, long quotient, long remainder) {
        if (bytes == 1) {
            Memory.setLow(cpu, 0, 2, quotient & 0xff | (remainder & 0xff) << 8);
        } else {
            Memory.setLow(cpu, 0, bytes, quotient);
            Memory.setLow(cpu, 2, bytes, remainder);
        }
    }

    private static void div64(Cpu cpu, long b) {
        long high = cpu.gpr[2];
        long low = cpu.gpr[0];
        if (Long.compareUnsigned(high, b) >= 0) {
            throw cpu.fault(Bits.DE);
        }
        if (high == 0) {
            cpu.gpr[0] = Long.divideUnsigned(low, b);
            cpu.gpr[2] = Long.remainderUnsigned(low, b);
        } else {
            divideWide(cpu, high, low, b);
        }
    }

    /** Bit by bit; {@code high} is less than {@code b}. Quotient to RAX, remainder to RDX. */
    private static void divideWide(Cpu cpu, long high, long low, long b) {
        long rest = high;
        long bits = low;
        for (int i = 0; i < 64; i++) {
            boolean overflow = rest < 0;
            rest = rest << 1 | bits >>> 63;
            bits <<= 1;
            if (overflow || Long.compareUnsigned(rest, b) >= 0) {
                rest -= b;
                bits |= 1;
            }
        }
        cpu.gpr[0] = bits;
        cpu.gpr[2] = rest;
    }

    /** IDIV: truncates towards zero. */
    public static void idiv(Cpu cpu, Instruction insn) {
        int bytes = insn.row.operands().getFirst().bytes(insn);
        long b = Memory.signed(Operands.readRm(cpu, insn, bytes), bytes);
        if (b == 0) {
            throw cpu.fault(Bits.DE);
        }
        if (bytes == 8) {
            idiv64(cpu, b);
            return;
        }
        long a = bytes == 4 ? dividend(cpu, 4) : Memory.signed(dividend(cpu, bytes), 2 * bytes);
        if (a == Long.MIN_VALUE && b == -1) {
            throw cpu.fault(Bits.DE);
        }
        long quotient = a / b;
        if (Memory.signed(quotient, bytes) != quotient) {
            throw cpu.fault(Bits.DE);
        }
        storeQuotient(cpu, bytes, quotient, a % b);
    }

    private static void idiv64(Cpu cpu, long b) {
        long high = cpu.gpr[2];
        long low = cpu.gpr[0];
        if (high == low >> 63) {
            if (low == Long.MIN_VALUE && b == -1) {
                throw cpu.fault(Bits.DE);
            }
            cpu.gpr[0] = low / b;
            cpu.gpr[2] = low % b;
            return;
        }
        boolean negative = high < 0;
        if (negative) {
            low = -low;
            high = ~high + (low == 0 ? 1 : 0);
        }
        long divisor = Math.abs(b);
        if (Long.compareUnsigned(high, divisor) >= 0) {
            throw cpu.fault(Bits.DE);
        }
        long oldLow = cpu.gpr[0];
        long oldHigh = cpu.gpr[2];
        divideWide(cpu, high, low, divisor);
        boolean minus = negative != b < 0;
        long quotient = minus ? -cpu.gpr[0] : cpu.gpr[0];
        if (minus ? quotient > 0 : quotient < 0) {
            cpu.gpr[0] = oldLow;
            cpu.gpr[2] = oldHigh;
            throw cpu.fault(Bits.DE);
        }
        cpu.gpr[0] = quotient;
        cpu.gpr[2] = negative ? -cpu.gpr[2] : cpu.gpr[2];
    }

    private static void setAl(Cpu cpu, int al, boolean carry, boolean adjust) {
        Memory.setLow(cpu, 0, 1, al);
        cpu.flagResult = (byte) al;
        cpu.flagAux = (carry ? 3L << 62 : 0) | (adjust ? 8 : 0);
    }

    /** AAA. */
    public static void aaa(Cpu cpu, Instruction insn) {
        boolean adjust = (cpu.gpr[0] & 0xf) > 9 || cpu.adjust();
        long ax = cpu.gpr[0] + (adjust ? 0x106 : 0);
        Memory.setLow(cpu, 0, 2, ax & 0xff0f);
        setAl(cpu, (int) ax & 0xf, adjust, adjust);
    }

    /** AAS. */
    public static void aas(Cpu cpu, Instruction insn) {
        boolean adjust = (cpu.gpr[0] & 0xf) > 9 || cpu.adjust();
        long ax = cpu.gpr[0] - (adjust ? 0x106 : 0);
        Memory.setLow(cpu, 0, 2, ax & 0xff0f);
        setAl(cpu, (int) ax & 0xf, adjust, adjust);
    }

    /** AAM: #DE for base 0. */
    public static void aam(Cpu cpu, Instruction insn) {
        int base = (int) insn.immediate & 0xff;
        if (base == 0) {
            throw cpu.fault(Bits.DE);
        }
        int al = (int) cpu.gpr[0] & 0xff;
        Memory.setLow(cpu, 0, 2, (long) (al / base) << 8 | al % base);
        setAl(cpu, al % base, false, false);
    }

    /** AAD. */
    public static void aad(Cpu cpu, Instruction insn) {
        int ax = (int) cpu.gpr[0] & 0xffff;
        int al = ax + (ax >>> 8) * ((int) insn.immediate & 0xff) & 0xff;
        Memory.setLow(cpu, 0, 2, al);
        setAl(cpu, al, false, false);
    }

    /** DAA. */
    public static void daa(Cpu cpu, Instruction insn) {
        int al = (int) cpu.gpr[0] & 0xff;
        boolean adjust = (al & 0xf) > 9 || cpu.adjust();
        boolean carry = al > 0x99 || cpu.carry();
        setAl(cpu, al + (adjust ? 6 : 0) + (carry ? 0x60 : 0) & 0xff, carry, adjust);
    }

    /** DAS. */
    public static void das(Cpu cpu, Instruction insn) {
        int al = (int) cpu.gpr[0] & 0xff;
        boolean adjust = (al & 0xf) > 9 || cpu.adjust();
        boolean high = al > 0x99 || cpu.carry();
        boolean carry = high || adjust && al < 6;
        setAl(cpu, al - (adjust ? 6 : 0) - (high ? 0x60 : 0) & 0xff, carry, adjust);
    }
}
