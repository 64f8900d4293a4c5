package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.mmu.Locked;
import org.alcazar.engines.x86.state.Cpu;

/**
 * Two's-complement arithmetic and logic (APM volume 3). Status flags go to the lazy form that
 * {@link Cpu} describes: the result and the vector of carries (borrows) out of each bit.
 */
public final class Alu {
    private static final long TOP = 1L << 63;
    private static final long CARRIES = 3L << 62 | 8;

    private Alu() {}

    private static void carries8(Cpu cpu, int carries, int result) {
        cpu.flagResult = (byte) result;
        cpu.flagAux = (long) carries << 56 | carries & 8;
    }

    private static void carries16(Cpu cpu, int carries, int result) {
        cpu.flagResult = (short) result;
        cpu.flagAux = (long) carries << 48 | carries & 8;
    }

    private static void carries32(Cpu cpu, int carries, int result) {
        cpu.flagResult = result;
        cpu.flagAux = (long) carries << 32 | carries & 8;
    }

    private static void carries64(Cpu cpu, long carries, long result) {
        cpu.flagResult = result;
        cpu.flagAux = carries & CARRIES;
    }

    private static int carry(int a, int b, int r) {
        return a & b | (a | b) & ~r;
    }

    private static long carry(long a, long b, long r) {
        return a & b | (a | b) & ~r;
    }

    private static int borrow(int a, int b, int r) {
        return ~a & b | (~a | b) & r;
    }

    private static long borrow(long a, long b, long r) {
        return ~a & b | (~a | b) & r;
    }

    private static int in(Cpu cpu) {
        return (int) (cpu.flagAux >>> 63);
    }

    /** Flags of a logical operation: CF, OF and AF are clear. */
    private static void logic(Cpu cpu, long result) {
        cpu.flagResult = result;
        cpu.flagAux = 0;
    }

    public static int add8(Cpu cpu, int a, int b) {
        int r = a + b;
        carries8(cpu, carry(a, b, r), r);
        return r;
    }

    public static int add16(Cpu cpu, int a, int b) {
        int r = a + b;
        carries16(cpu, carry(a, b, r), r);
        return r;
    }

    public static int add32(Cpu cpu, int a, int b) {
        int r = a + b;
        carries32(cpu, carry(a, b, r), r);
        return r;
    }

    public static long add64(Cpu cpu, long a, long b) {
        long r = a + b;
        carries64(cpu, carry(a, b, r), r);
        return r;
    }

    public static int adc8(Cpu cpu, int a, int b) {
        int r = a + b + in(cpu);
        carries8(cpu, carry(a, b, r), r);
        return r;
    }

    public static int adc16(Cpu cpu, int a, int b) {
        int r = a + b + in(cpu);
        carries16(cpu, carry(a, b, r), r);
        return r;
    }

    public static int adc32(Cpu cpu, int a, int b) {
        int r = a + b + in(cpu);
        carries32(cpu, carry(a, b, r), r);
        return r;
    }

    public static long adc64(Cpu cpu, long a, long b) {
        long r = a + b + in(cpu);
        carries64(cpu, carry(a, b, r), r);
        return r;
    }

    /** Addition with carry that changes nothing but CF. */
    public static int adcx32(Cpu cpu, int a, int b) {
        long r = (a & 0xffffffffL) + (b & 0xffffffffL) + in(cpu);
        cpu.setCarry(r >>> 32 != 0);
        return (int) r;
    }

    public static long adcx64(Cpu cpu, long a, long b) {
        long r = a + b + in(cpu);
        cpu.setCarry((a & b | (a | b) & ~r) < 0);
        return r;
    }

    /** The same with OF for its carry. */
    public static int adox32(Cpu cpu, int a, int b) {
        long r = (a & 0xffffffffL) + (b & 0xffffffffL) + (cpu.overflow() ? 1 : 0);
        cpu.setCarryOverflow(cpu.carry(), r >>> 32 != 0);
        return (int) r;
    }

    public static long adox64(Cpu cpu, long a, long b) {
        long r = a + b + (cpu.overflow() ? 1 : 0);
        cpu.setCarryOverflow(cpu.carry(), (a & b | (a | b) & ~r) < 0);
        return r;
    }

    public static int sub8(Cpu cpu, int a, int b) {
        int r = a - b;
        carries8(cpu, borrow(a, b, r), r);
        return r;
    }

    public static int sub16(Cpu cpu, int a, int b) {
        int r = a - b;
        carries16(cpu, borrow(a, b, r), r);
        return r;
    }

    public static int sub32(Cpu cpu, int a, int b) {
        int r = a - b;
        carries32(cpu, borrow(a, b, r), r);
        return r;
    }

    public static long sub64(Cpu cpu, long a, long b) {
        long r = a - b;
        carries64(cpu, borrow(a, b, r), r);
        return r;
    }

    public static int sbb8(Cpu cpu, int a, int b) {
        int r = a - b - in(cpu);
        carries8(cpu, borrow(a, b, r), r);
        return r;
    }

    public static int sbb16(Cpu cpu, int a, int b) {
        int r = a - b - in(cpu);
        carries16(cpu, borrow(a, b, r), r);
        return r;
    }

    public static int sbb32(Cpu cpu, int a, int b) {
        int r = a - b - in(cpu);
        carries32(cpu, borrow(a, b, r), r);
        return r;
    }

    public static long sbb64(Cpu cpu, long a, long b) {
        long r = a - b - in(cpu);
        carries64(cpu, borrow(a, b, r), r);
        return r;
    }

    public static void cmp8(Cpu cpu, int a, int b) {
        int r = a - b;
        carries8(cpu, borrow(a, b, r), r);
    }

    public static void cmp16(Cpu cpu, int a, int b) {
        int r = a - b;
        carries16(cpu, borrow(a, b, r), r);
    }

    public static void cmp32(Cpu cpu, int a, int b) {
        int r = a - b;
        carries32(cpu, borrow(a, b, r), r);
    }

    public static void cmp64(Cpu cpu, long a, long b) {
        long r = a - b;
        carries64(cpu, borrow(a, b, r), r);
    }

    public static int and8(Cpu cpu, int a, int b) {
        int r = a & b;
        logic(cpu, (byte) r);
        return r;
    }

    public static int and16(Cpu cpu, int a, int b) {
        int r = a & b;
        logic(cpu, (short) r);
        return r;
    }

    public static int and32(Cpu cpu, int a, int b) {
        int r = a & b;
        logic(cpu, r);
        return r;
    }

    public static long and64(Cpu cpu, long a, long b) {
        long r = a & b;
        logic(cpu, r);
        return r;
    }

    public static int or8(Cpu cpu, int a, int b) {
        int r = a | b;
        logic(cpu, (byte) r);
        return r;
    }

    public static int or16(Cpu cpu, int a, int b) {
        int r = a | b;
        logic(cpu, (short) r);
        return r;
    }

    public static int or32(Cpu cpu, int a, int b) {
        int r = a | b;
        logic(cpu, r);
        return r;
    }

    public static long or64(Cpu cpu, long a, long b) {
        long r = a | b;
        logic(cpu, r);
        return r;
    }

    public static int xor8(Cpu cpu, int a, int b) {
        int r = a ^ b;
        logic(cpu, (byte) r);
        return r;
    }

    public static int xor16(Cpu cpu, int a, int b) {
        int r = a ^ b;
        logic(cpu, (short) r);
        return r;
    }

    public static int xor32(Cpu cpu, int a, int b) {
        int r = a ^ b;
        logic(cpu, r);
        return r;
    }

    public static long xor64(Cpu cpu, long a, long b) {
        long r = a ^ b;
        logic(cpu, r);
        return r;
    }

    public static void test8(Cpu cpu, int a, int b) {
        int r = a & b;
        logic(cpu, (byte) r);
    }

    public static void test16(Cpu cpu, int a, int b) {
        int r = a & b;
        logic(cpu, (short) r);
    }

    public static void test32(Cpu cpu, int a, int b) {
        int r = a & b;
        logic(cpu, r);
    }

    public static void test64(Cpu cpu, long a, long b) {
        long r = a & b;
        logic(cpu, r);
    }

    /**
     * Flags of INC and DEC: all but CF, which stays. {@code top} has the carries (borrows) of the
     * two highest bits in bits 63 and 62.
     */
    private static void keepCarry(Cpu cpu, long top, int low, long result) {
        long cf = cpu.flagAux & TOP;
        long of = (top ^ top << 1) & TOP;
        cpu.flagResult = result;
        cpu.flagAux = cf | (cf ^ of) >>> 1 | low & 8;
    }

    public static int inc8(Cpu cpu, int a) {
        int r = a + 1;
        int v = carry(a, 1, r);
        keepCarry(cpu, (long) v << 56, v, (byte) r);
        return r;
    }

    public static int inc16(Cpu cpu, int a) {
        int r = a + 1;
        int v = carry(a, 1, r);
        keepCarry(cpu, (long) v << 48, v, (short) r);
        return r;
    }

    public static int inc32(Cpu cpu, int a) {
        int r = a + 1;
        int v = carry(a, 1, r);
        keepCarry(cpu, (long) v << 32, v, r);
        return r;
    }

    public static long inc64(Cpu cpu, long a) {
        long r = a + 1;
        long v = carry(a, 1L, r);
        keepCarry(cpu, v, (int) v, r);
        return r;
    }

    public static int dec8(Cpu cpu, int a) {
        int r = a - 1;
        int v = borrow(a, 1, r);
        keepCarry(cpu, (long) v << 56, v, (byte) r);
        return r;
    }

    public static int dec16(Cpu cpu, int a) {
        int r = a - 1;
        int v = borrow(a, 1, r);
        keepCarry(cpu, (long) v << 48, v, (short) r);
        return r;
    }

    public static int dec32(Cpu cpu, int a) {
        int r = a - 1;
        int v = borrow(a, 1, r);
        keepCarry(cpu, (long) v << 32, v, r);
        return r;
    }

    public static long dec64(Cpu cpu, long a) {
        long r = a - 1;
        long v = borrow(a, 1L, r);
        keepCarry(cpu, v, (int) v, r);
        return r;
    }

    public static int neg8(Cpu cpu, int a) {
        return sub8(cpu, 0, a);
    }

    public static int neg16(Cpu cpu, int a) {
        return sub16(cpu, 0, a);
    }

    public static int neg32(Cpu cpu, int a) {
        return sub32(cpu, 0, a);
    }

    public static long neg64(Cpu cpu, long a) {
        return sub64(cpu, 0L, a);
    }

    public static int not8(int a) {
        return ~a;
    }

    public static int not16(int a) {
        return ~a;
    }

    public static int not32(int a) {
        return ~a;
    }

    public static long not64(long a) {
        return ~a;
    }

    /** Compares as CMP of {@code bytes} bytes does. */
    static void compare(Cpu cpu, int bytes, long a, long b) {
        switch (bytes) {
            case 1 -> cmp8(cpu, (int) a & 0xff, (int) b & 0xff);
            case 2 -> cmp16(cpu, (int) a & 0xffff, (int) b & 0xffff);
            case 4 -> cmp32(cpu, (int) a, (int) b);
            default -> cmp64(cpu, a, b);
        }
    }

    private static long add(Cpu cpu, int bytes, long a, long b) {
        return switch (bytes) {
            case 1 -> add8(cpu, (int) a & 0xff, (int) b & 0xff);
            case 2 -> add16(cpu, (int) a & 0xffff, (int) b & 0xffff);
            case 4 -> add32(cpu, (int) a, (int) b);
            default -> add64(cpu, a, b);
        };
    }

    /** XADD. */
    public static void xadd(Cpu cpu, Instruction insn) {
        int bytes = insn.row.operands().getFirst().bytes(insn);
        long addend = Operands.gpr(cpu, insn, insn.reg, bytes);
        if (!insn.memory) {
            long old = Operands.readRm(cpu, insn, bytes);
            long sum = add(cpu, bytes, old, addend);
            Operands.setGpr(cpu, insn, insn.reg, bytes, old);
            Operands.writeRm(cpu, insn, bytes, sum);
            return;
        }
        long at = Operands.linear(cpu, insn, bytes, true);
        cpu.mmu.probeWrite(at, bytes);
        long old;
        long seen = Memory.read(cpu, at, bytes);
        do {
            old = seen;
            seen = cpu.mmu.update(at, bytes, old, Memory.trim(old + addend, bytes));
        } while (seen != old);
        add(cpu, bytes, old, addend);
        Operands.setGpr(cpu, insn, insn.reg, bytes, old);
    }

    /** CMPXCHG: memory is written even when the comparison fails. */
    public static void cmpxchg(Cpu cpu, Instruction insn) {
        int bytes = insn.row.operands().getFirst().bytes(insn);
        long expected = Memory.trim(cpu.gpr[0], bytes);
        long value = Operands.gpr(cpu, insn, insn.reg, bytes);
        long old;
        if (insn.memory) {
            long at = Operands.linear(cpu, insn, bytes, true);
            cpu.mmu.probeWrite(at, bytes);
            old = cpu.mmu.compareAndExchange(at, bytes, expected, value);
        } else {
            old = Operands.readRm(cpu, insn, bytes);
            if (old == expected) {
                Operands.writeRm(cpu, insn, bytes, value);
            }
        }
        compare(cpu, bytes, expected, old);
        if (old != expected) {
            Memory.setLow(cpu, 0, bytes, old);
        }
    }

    /** CMPXCHG8B and CMPXCHG16B. */
    public static void cmpxchg8b(Cpu cpu, Instruction insn) {
        if (insn.operandSize == 8) {
            cmpxchg16b(cpu, insn);
            return;
        }
        long at = Operands.linear(cpu, insn, 8, true);
        cpu.mmu.probeWrite(at, 8);
        long expected = cpu.gpr[2] << 32 | cpu.gpr[0] & 0xffffffffL;
        long value = cpu.gpr[1] << 32 | cpu.gpr[3] & 0xffffffffL;
        long old = cpu.mmu.compareAndExchange(at, 8, expected, value);
        cpu.setZero(old == expected);
        if (old != expected) {
            cpu.gpr[0] = old & 0xffffffffL;
            cpu.gpr[2] = old >>> 32;
        }
    }

    /** CMPXCHG16B. */
    public static void cmpxchg16b(Cpu cpu, Instruction insn) {
        long at = Operands.linearAligned(cpu, insn, 16, true);
        Locked memory = cpu.mmu.locked;
        boolean same =
                insn.lock
                        ? memory.exchange16(at, cpu.gpr[0], cpu.gpr[2], cpu.gpr[3], cpu.gpr[1])
                        : memory.plain16(at, cpu.gpr[0], cpu.gpr[2], cpu.gpr[3], cpu.gpr[1]);
        cpu.setZero(same);
        if (!same) {
            cpu.gpr[0] = memory.low;
            cpu.gpr[2] = memory.high;
        }
    }
}
