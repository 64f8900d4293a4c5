package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/** Bit tests, scans and counts (APM volume 3). */
public final class BitOps {
    private static final int TEST = 0;
    private static final int SET = 1;
    private static final int RESET = 2;
    private static final int COMPLEMENT = 3;

    private BitOps() {}

    public static void bt(Cpu cpu, Instruction insn) {
        bit(cpu, insn, TEST);
    }

    public static void bts(Cpu cpu, Instruction insn) {
        bit(cpu, insn, SET);
    }

    public static void btr(Cpu cpu, Instruction insn) {
        bit(cpu, insn, RESET);
    }

    public static void btc(Cpu cpu, Instruction insn) {
        bit(cpu, insn, COMPLEMENT);
    }

    /**
     * A register as the bit's number reaches over a memory operand: a bit string with signed
     * offsets.
     */
    private static void bit(Cpu cpu, Instruction insn, int operation) {
        int bytes = insn.operandSize;
        boolean immediate = (insn.opcode & 0xff) == 0xba;
        long offset = immediate ? insn.immediate : Operands.gpr(cpu, insn, insn.reg, bytes);
        int bit = (int) offset & 8 * bytes - 1;
        if (!insn.memory) {
            long old = Operands.readRm(cpu, insn, bytes);
            if (operation != TEST) {
                Operands.writeRm(cpu, insn, bytes, change(old, bit, operation));
            }
            cpu.setCarry((old >>> bit & 1) != 0);
            return;
        }
        long at = at(cpu, insn, immediate ? 0 : Memory.signed(offset, bytes), operation != TEST);
        long old =
                operation == TEST
                        ? Memory.read(cpu, at, bytes)
                        : modify(cpu, insn, at, bit, operation);
        cpu.setCarry((old >>> bit & 1) != 0);
    }

    /** Linear address of the operand that holds a bit. */
    private static long at(Cpu cpu, Instruction insn, long bit, boolean write) {
        int bytes = insn.operandSize;
        int shift = bytes == 8 ? 6 : bytes == 4 ? 5 : 4;
        long offset = Operands.offset(cpu, insn) + (bit >> shift) * bytes;
        return Segments.linear(
                cpu, insn.segment, Memory.trim(offset, insn.addressSize), bytes, write);
    }

    private static long modify(Cpu cpu, Instruction insn, long at, int bit, int operation) {
        int bytes = insn.operandSize;
        cpu.mmu.probeWrite(at, bytes);
        long seen = Memory.read(cpu, at, bytes);
        if (!insn.lock) {
            Memory.write(cpu, at, bytes, change(seen, bit, operation));
            return seen;
        }
        long old;
        do {
            old = seen;
            seen = cpu.mmu.update(at, bytes, old, change(old, bit, operation));
        } while (seen != old);
        return old;
    }

    private static long change(long value, int bit, int operation) {
        return switch (operation) {
            case SET -> value | 1L << bit;
            case RESET -> value & ~(1L << bit);
            default -> value ^ 1L << bit;
        };
    }

    /**
     * BT, BTS, BTR, BTC with the bit inside the operand: registers, or an immediate as the bit's
     * number.
     */
    public static void btIn16(Cpu cpu, int v, int bit) {
        cpu.setCarry((v >>> (bit & 15) & 1) != 0);
    }

    public static int btsIn16(Cpu cpu, int v, int bit) {
        btIn16(cpu, v, bit);
        return v | 1 << (bit & 15);
    }

    public static int btrIn16(Cpu cpu, int v, int bit) {
        btIn16(cpu, v, bit);
        return v & ~(1 << (bit & 15));
    }

    public static int btcIn16(Cpu cpu, int v, int bit) {
        btIn16(cpu, v, bit);
        return v ^ 1 << (bit & 15);
    }

    /** BSF: a source of 0 leaves the destination as it was. */
    public static int bsf16(Cpu cpu, int old, int source) {
        int v = source & 0xffff;
        zeroFlag(cpu, v == 0);
        return v == 0 ? old : Integer.numberOfTrailingZeros(v);
    }

    public static int bsr16(Cpu cpu, int old, int source) {
        int v = source & 0xffff;
        zeroFlag(cpu, v == 0);
        return v == 0 ? old : 31 - Integer.numberOfLeadingZeros(v);
    }

    public static int tzcnt16(Cpu cpu, int source) {
        int v = source & 0xffff;
        int r = v == 0 ? 16 : Integer.numberOfTrailingZeros(v);
        counted(cpu, r, v == 0);
        return r;
    }

    public static int lzcnt16(Cpu cpu, int source) {
        int v = source & 0xffff;
        int r = Integer.numberOfLeadingZeros(v) - 16;
        counted(cpu, r, v == 0);
        return r;
    }

    public static int popcnt16(Cpu cpu, int source) {
        int v = source & 0xffff;
        cpu.flagResult = v == 0 ? 0 : 1;
        // Only ZF may be set: the parity of the result's low byte, 0 or 1, is turned odd.
        cpu.flagAux = v == 0 ? 1 << 8 : 0;
        return Integer.bitCount(v);
    }

    /**
     * BT, BTS, BTR, BTC with the bit inside the operand: registers, or an immediate as the bit's
     * number.
     */
    public static void btIn32(Cpu cpu, int v, int bit) {
        cpu.setCarry((v >>> (bit & 31) & 1) != 0);
    }

    public static int btsIn32(Cpu cpu, int v, int bit) {
        btIn32(cpu, v, bit);
        return v | 1 << (bit & 31);
    }

    public static int btrIn32(Cpu cpu, int v, int bit) {
        btIn32(cpu, v, bit);
        return v & ~(1 << (bit & 31));
    }

    public static int btcIn32(Cpu cpu, int v, int bit) {
        btIn32(cpu, v, bit);
        return v ^ 1 << (bit & 31);
    }

    /** A source of 0 leaves all 64 bits of the destination alone. */
    public static long bsf32(Cpu cpu, long old, int source) {
        int v = source;
        zeroFlag(cpu, v == 0);
        return v == 0 ? old : Integer.numberOfTrailingZeros(v);
    }

    /** Like {@link #bsf32}. */
    public static long bsr32(Cpu cpu, long old, int source) {
        int v = source;
        zeroFlag(cpu, v == 0);
        return v == 0 ? old : 31 - Integer.numberOfLeadingZeros(v);
    }

    public static int tzcnt32(Cpu cpu, int source) {
        int v = source;
        int r = v == 0 ? 32 : Integer.numberOfTrailingZeros(v);
        counted(cpu, r, v == 0);
        return r;
    }

    public static int lzcnt32(Cpu cpu, int source) {
        int v = source;
        int r = Integer.numberOfLeadingZeros(v);
        counted(cpu, r, v == 0);
        return r;
    }

    public static int popcnt32(Cpu cpu, int source) {
        int v = source;
        cpu.flagResult = v == 0 ? 0 : 1;
        // Only ZF may be set: the parity of the result's low byte, 0 or 1, is turned odd.
        cpu.flagAux = v == 0 ? 1 << 8 : 0;
        return Integer.bitCount(v);
    }

    /**
     * BT, BTS, BTR, BTC with the bit inside the operand: registers, or an immediate as the bit's
     * number.
     */
    public static void btIn64(Cpu cpu, long v, long bit) {
        cpu.setCarry((v >>> ((int) bit & 63) & 1) != 0);
    }

    public static long btsIn64(Cpu cpu, long v, long bit) {
        btIn64(cpu, v, bit);
        return v | 1L << ((int) bit & 63);
    }

    public static long btrIn64(Cpu cpu, long v, long bit) {
        btIn64(cpu, v, bit);
        return v & ~(1L << ((int) bit & 63));
    }

    public static long btcIn64(Cpu cpu, long v, long bit) {
        btIn64(cpu, v, bit);
        return v ^ 1L << ((int) bit & 63);
    }

    /** BSF: a source of 0 leaves the destination as it was. */
    public static long bsf64(Cpu cpu, long old, long source) {
        long v = source;
        zeroFlag(cpu, v == 0);
        return v == 0 ? old : Long.numberOfTrailingZeros(v);
    }

    public static long bsr64(Cpu cpu, long old, long source) {
        long v = source;
        zeroFlag(cpu, v == 0);
        return v == 0 ? old : 63 - Long.numberOfLeadingZeros(v);
    }

    public static long tzcnt64(Cpu cpu, long source) {
        long v = source;
        long r = v == 0 ? 64 : Long.numberOfTrailingZeros(v);
        counted(cpu, r, v == 0);
        return r;
    }

    public static long lzcnt64(Cpu cpu, long source) {
        long v = source;
        long r = Long.numberOfLeadingZeros(v);
        counted(cpu, r, v == 0);
        return r;
    }

    public static long popcnt64(Cpu cpu, long source) {
        long v = source;
        cpu.flagResult = v == 0 ? 0 : 1;
        // Only ZF may be set: the parity of the result's low byte, 0 or 1, is turned odd.
        cpu.flagAux = v == 0 ? 1 << 8 : 0;
        return Long.bitCount(v);
    }

    /** BSWAP of a word is undefined; it gives 0, as processors do. */
    public static int bswap16(int v) {
        return 0;
    }

    public static int bswap32(int v) {
        return Integer.reverseBytes(v);
    }

    public static long bswap64(long v) {
        return Long.reverseBytes(v);
    }

    /** CRC-32C without inversions, of one byte. */
    public static int crc32b32(int crc, int v) {
        return Crc32c.update8(crc, v);
    }

    public static long crc32b64(long crc, int v) {
        return Crc32c.update8((int) crc, v) & 0xffffffffL;
    }

    public static int crc32v16(int crc, int v) {
        return Crc32c.update16(crc, v);
    }

    public static int crc32v32(int crc, int v) {
        return Crc32c.update32(crc, v);
    }

    public static long crc32q(long crc, long v) {
        return Crc32c.update64((int) crc, v) & 0xffffffffL;
    }

    private static void zeroFlag(Cpu cpu, boolean zero) {
        cpu.flagResult = zero ? 0 : 1;
        cpu.flagAux = 0;
    }

    /** CF by the source, ZF by the result. */
    private static void counted(Cpu cpu, long result, boolean none) {
        cpu.flagResult = result;
        cpu.flagAux = none ? 3L << 62 : 0;
    }
}
