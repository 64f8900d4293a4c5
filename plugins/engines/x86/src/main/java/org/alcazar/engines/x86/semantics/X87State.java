package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;

/**
 * The x87 environment and whole state in memory (APM volume 2, 11.4.3): 14 or 28 bytes, with
 * registers 94 or 108.
 */
public final class X87State {
    private X87State() {}

    public static void fnstenv(Cpu cpu, Instruction insn) {
        long la = Operands.linear(cpu, insn, wide(insn) ? 28 : 14, true);
        cpu.mmu.probeWrite(la, wide(insn) ? 28 : 14);
        storeEnvironment(cpu, insn, la);
        cpu.fcw |= FloatStatus.ALL;
        X87.updateSummary(cpu);
    }

    public static void fldenv(Cpu cpu, Instruction insn) {
        long la = Operands.linear(cpu, insn, wide(insn) ? 28 : 14, false);
        loadEnvironment(cpu, insn, la);
    }

    public static void fnsave(Cpu cpu, Instruction insn) {
        int environment = wide(insn) ? 28 : 14;
        long la = Operands.linear(cpu, insn, environment + 80, true);
        cpu.mmu.probeWrite(la, environment + 80);
        storeEnvironment(cpu, insn, la);
        for (int i = 0; i < 8; i++) {
            Float80 v = X87.get(cpu, i);
            long at = la + environment + 10 * i;
            cpu.mmu.write64(at, v.significand());
            cpu.mmu.write16(at + 8, v.signExponent());
        }
        X87.reset(cpu);
    }

    public static void frstor(Cpu cpu, Instruction insn) {
        int environment = wide(insn) ? 28 : 14;
        long la = Operands.linear(cpu, insn, environment + 80, false);
        long[] significands = new long[8];
        int[] exponents = new int[8];
        for (int i = 0; i < 8; i++) {
            long at = la + environment + 10 * i;
            significands[i] = cpu.mmu.read64(at);
            exponents[i] = cpu.mmu.read16(at + 8);
        }
        loadEnvironment(cpu, insn, la);
        for (int i = 0; i < 8; i++) {
            int n = cpu.fpTop + i & 7;
            cpu.fpSignificand[n] = significands[i];
            cpu.fpExponent[n] = exponents[i];
        }
    }

    private static boolean wide(Instruction insn) {
        return insn.operandSize != 2;
    }

    private static boolean realForm(Cpu cpu) {
        return !cpu.protectedMode() || cpu.virtual8086();
    }

    /** Address in the form of real mode: selector and offset as one. */
    private static long joined(long pointer) {
        return (pointer & 0xffffffffL) + ((pointer >>> 32 & 0xffff) << 4);
    }

    private static void storeEnvironment(Cpu cpu, Instruction insn, long la) {
        long ip = cpu.fip;
        long dp = cpu.fdp;
        int ipHigh = (int) (ip >>> 32) & 0xffff;
        int dpHigh = (int) (dp >>> 32) & 0xffff;
        if (realForm(cpu)) {
            ip = joined(ip);
            dp = joined(dp);
            ipHigh = (int) (ip >>> 16) << 12 | cpu.fop & 0x7ff;
            dpHigh = (int) (dp >>> 16) << 12;
        }
        if (!wide(insn)) {
            int[] words = {
                cpu.fcw, X87.statusWord(cpu), X87.tagWord(cpu), (int) ip, ipHigh, (int) dp, dpHigh
            };
            for (int i = 0; i < 7; i++) {
                cpu.mmu.write16(la + 2 * i, words[i]);
            }
            return;
        }
        int top = 0xffff0000;
        cpu.mmu.write32(la, cpu.fcw | top);
        cpu.mmu.write32(la + 4, X87.statusWord(cpu) | top);
        cpu.mmu.write32(la + 8, X87.tagWord(cpu) | top);
        boolean real = realForm(cpu);
        cpu.mmu.write32(la + 12, real ? (int) ip & 0xffff | top : (int) ip);
        cpu.mmu.write32(la + 16, real ? ipHigh : ipHigh | (cpu.fop & 0x7ff) << 16);
        cpu.mmu.write32(la + 20, real ? (int) dp & 0xffff | top : (int) dp);
        cpu.mmu.write32(la + 24, real ? dpHigh : dpHigh | top);
    }

    private static void loadEnvironment(Cpu cpu, Instruction insn, long la) {
        int step = wide(insn) ? 4 : 2;
        int[] fields = new int[7];
        for (int i = 0; i < 7; i++) {
            fields[i] = step == 4 ? cpu.mmu.read32(la + 4 * i) : cpu.mmu.read16(la + 2 * i);
        }
        int tags = fields[2] & 0xffff;
        cpu.ftw = 0;
        for (int n = 0; n < 8; n++) {
            if ((tags >> 2 * n & 3) == X87.EMPTY) {
                cpu.ftw |= X87.EMPTY << 2 * n;
            }
        }
        cpu.fcw = fields[0] & 0x1f3f | 0x40;
        X87.setStatusWord(cpu, fields[1]);
        long mask = step == 4 ? 0xffffffffL : 0xffff;
        if (realForm(cpu)) {
            cpu.fip = fields[3] & 0xffff | (fields[4] & 0xffff000L & mask) << 4;
            cpu.fdp = fields[5] & 0xffff | (fields[6] & 0xffff000L & mask) << 4;
            cpu.fop = fields[4] & 0x7ff;
        } else {
            cpu.fip = fields[3] & mask | (fields[4] & 0xffffL) << 32;
            cpu.fdp = fields[5] & mask | (fields[6] & 0xffffL) << 32;
            cpu.fop = step == 4 ? fields[4] >>> 16 & 0x7ff : 0;
        }
    }

    /** Whether FXSAVE and its relatives may run: #NM by CR0.TS or CR0.EM. */
    static void checkAvailable(Cpu cpu) {
        if ((cpu.cr0 & (Bits.CR0_TS | Bits.CR0_EM)) != 0) {
            throw cpu.fault(Bits.NM);
        }
    }
}
