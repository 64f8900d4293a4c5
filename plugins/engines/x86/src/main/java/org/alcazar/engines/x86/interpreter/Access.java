package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.mmu.Ram;
import org.alcazar.engines.x86.semantics.Segments;
import org.alcazar.engines.x86.state.CpuModel;

/**
 * The small steps that spun nodes are put together from: operands, addresses, checks. All of them
 * are meant to be inlined.
 */
final class Access {
    private Access() {}

    static void nothing() {}

    // ---- general registers

    static int get8(Core core, int r) {
        return (int) core.gpr[r] & 0xff;
    }

    /** AH, CH, DH, BH by 4 to 7. */
    static int get8H(Core core, int r) {
        return (int) core.gpr[r - 4] >>> 8 & 0xff;
    }

    static int get16(Core core, int r) {
        return (int) core.gpr[r] & 0xffff;
    }

    static int get32(Core core, int r) {
        return (int) core.gpr[r];
    }

    static long get64(Core core, int r) {
        return core.gpr[r];
    }

    static void set8(int v, Core core, int r) {
        core.gpr[r] = core.gpr[r] & ~0xffL | v & 0xff;
    }

    static void set8H(int v, Core core, int r) {
        core.gpr[r - 4] = core.gpr[r - 4] & ~0xff00L | (v & 0xff) << 8;
    }

    static void set16(int v, Core core, int r) {
        core.gpr[r] = core.gpr[r] & ~0xffffL | v & 0xffff;
    }

    static void set32(int v, Core core, int r) {
        core.gpr[r] = v & 0xffffffffL;
    }

    static void set64(long v, Core core, int r) {
        core.gpr[r] = v;
    }

    // ---- addresses: B base, I index, D displacement alone; 32 for address size 4; S with a
    // segment's base

    static long eaD(Core core, Op op) {
        return op.disp;
    }

    static long eaB(Core core, Op op) {
        return core.gpr[op.base] + op.disp;
    }

    static long eaBI(Core core, Op op) {
        return core.gpr[op.base] + (core.gpr[op.index] << op.scale) + op.disp;
    }

    static long eaI(Core core, Op op) {
        return (core.gpr[op.index] << op.scale) + op.disp;
    }

    static long eaB32(Core core, Op op) {
        return eaB(core, op) & 0xffffffffL;
    }

    static long eaBI32(Core core, Op op) {
        return eaBI(core, op) & 0xffffffffL;
    }

    static long eaI32(Core core, Op op) {
        return eaI(core, op) & 0xffffffffL;
    }

    static long eaDS(Core core, Op op) {
        return based(core, op, eaD(core, op));
    }

    static long eaBS(Core core, Op op) {
        return based(core, op, eaB(core, op));
    }

    static long eaBIS(Core core, Op op) {
        return based(core, op, eaBI(core, op));
    }

    static long eaIS(Core core, Op op) {
        return based(core, op, eaI(core, op));
    }

    static long eaB32S(Core core, Op op) {
        return eaB32(core, op) + core.segmentBase[op.segment];
    }

    static long eaBI32S(Core core, Op op) {
        return eaBI32(core, op) + core.segmentBase[op.segment];
    }

    static long eaI32S(Core core, Op op) {
        return eaI32(core, op) + core.segmentBase[op.segment];
    }

    private static long based(Core core, Op op, long offset) {
        boolean canonical = offset << 16 >> 16 == offset;
        return canonical
                ? offset + core.segmentBase[op.segment]
                : Segments.based(core, op.segment, offset);
    }

    /**
     * Any 64-bit address, for the nodes written by hand; ES, CS, SS and DS have base 0 here
     * whatever their registers say.
     */
    static long address(Core core, Op op) {
        long at = op.disp;
        if (op.base != Instruction.NO_REGISTER) {
            at += core.gpr[op.base];
        }
        if (op.index != Instruction.NO_REGISTER) {
            at += core.gpr[op.index] << op.scale;
        }
        return op.segment >= 4 ? based(core, op, at) : at;
    }

    // ---- memory

    static int load8(Core core, long la) {
        return core.mmu.read8(la);
    }

    static void store8(int v, Core core, long la) {
        core.mmu.write8(la, v);
    }

    /** First half of a read-modify-write; {@code hpa} is what {@link #begin} gave. */
    static int loadAt8(Core core, long la, long hpa) {
        return hpa >= 0 ? Ram.load8(hpa) : core.mmu.read8(la);
    }

    static void storeAt8(int v, Core core, long la, long hpa) {
        if (hpa >= 0) {
            Ram.store8(hpa, v);
        } else {
            core.mmu.write8(la, v);
        }
    }

    /** Whether a locked store took place. */
    static boolean swap8(int v, int old, Core core, long la) {
        return core.mmu.update(la, 1, old & 0xffL, v & 0xffL) == (old & 0xffL);
    }

    static int load16(Core core, long la) {
        return core.mmu.read16(la);
    }

    static void store16(int v, Core core, long la) {
        core.mmu.write16(la, v);
    }

    /** First half of a read-modify-write; {@code hpa} is what {@link #begin} gave. */
    static int loadAt16(Core core, long la, long hpa) {
        return hpa >= 0 ? Ram.load16(hpa) : core.mmu.read16(la);
    }

    static void storeAt16(int v, Core core, long la, long hpa) {
        if (hpa >= 0) {
            Ram.store16(hpa, v);
        } else {
            core.mmu.write16(la, v);
        }
    }

    /** Whether a locked store took place. */
    static boolean swap16(int v, int old, Core core, long la) {
        return core.mmu.update(la, 2, old & 0xffffL, v & 0xffffL) == (old & 0xffffL);
    }

    static int load32(Core core, long la) {
        return core.mmu.read32(la);
    }

    static void store32(int v, Core core, long la) {
        core.mmu.write32(la, v);
    }

    /** First half of a read-modify-write; {@code hpa} is what {@link #begin} gave. */
    static int loadAt32(Core core, long la, long hpa) {
        return hpa >= 0 ? Ram.load32(hpa) : core.mmu.read32(la);
    }

    static void storeAt32(int v, Core core, long la, long hpa) {
        if (hpa >= 0) {
            Ram.store32(hpa, v);
        } else {
            core.mmu.write32(la, v);
        }
    }

    /** Whether a locked store took place. */
    static boolean swap32(int v, int old, Core core, long la) {
        return core.mmu.update(la, 4, old & 0xffffffffL, v & 0xffffffffL) == (old & 0xffffffffL);
    }

    static long load64(Core core, long la) {
        return core.mmu.read64(la);
    }

    static void store64(long v, Core core, long la) {
        core.mmu.write64(la, v);
    }

    /** First half of a read-modify-write; {@code hpa} is what {@link #begin} gave. */
    static long loadAt64(Core core, long la, long hpa) {
        return hpa >= 0 ? Ram.load64(hpa) : core.mmu.read64(la);
    }

    static void storeAt64(long v, Core core, long la, long hpa) {
        if (hpa >= 0) {
            Ram.store64(hpa, v);
        } else {
            core.mmu.write64(la, v);
        }
    }

    /** Whether a locked store took place. */
    static boolean swap64(long v, long old, Core core, long la) {
        return core.mmu.update(la, 8, old, v) == old;
    }

    /**
     * Host address for a read-modify-write, or -1 for the way through the mmu, with faults raised
     * already.
     */
    static long begin(Core core, long la, int bytes) {
        long hpa = core.mmu.directAligned(la, bytes);
        if (hpa < 0) {
            core.mmu.probeWrite(la, bytes);
        }
        return hpa;
    }

    /** The first half of 128 bits, which may reach over the edge of canonical addresses. */
    static long load64Low(Core core, long la) {
        if ((la & 0xfff) > 0xff0) {
            edge(core, la);
        }
        return core.mmu.read64(la);
    }

    private static void edge(Core core, long la) {
        if (core.longMode() && !Segments.canonical(core, la + 15)) {
            core.mmu.nonCanonical = true;
            core.mmu.nonCanonicalAt = la;
            throw core.generalProtection(0);
        }
    }

    /** The second half of 128 bits. */
    static long load64High(Core core, long la) {
        return core.mmu.read64(la + 8);
    }

    static void aligned(Core core, long la) {
        if ((la & 15) != 0) {
            throw core.generalProtection(0);
        }
    }

    /** For operands of arithmetic: MXCSR.MM leaves alignment to #AC (APM volume 1, 4.3.2). */
    static void alignedOperand(Core core, long la) {
        if ((la & 15) != 0) {
            if ((core.mxcsr & CpuModel.MXCSR_MM) == 0) {
                throw core.generalProtection(0);
            }
            core.mmu.checkAlignment(la, 16);
        }
    }

    // ---- vectors

    static long xmmLow(Core core, int r) {
        return core.xmm[2 * r];
    }

    static long xmmHigh(Core core, int r) {
        return core.xmm[2 * r + 1];
    }

    static void setXmm(long low, long high, Core core, int r) {
        core.xmm[2 * r] = low;
        core.xmm[2 * r + 1] = high;
    }

    static long mmx(Core core, int r) {
        return core.fpSignificand[r & 7];
    }

    static void setMmx(long v, Core core, int r) {
        core.fpSignificand[r & 7] = v;
        core.fpExponent[r & 7] = 0xffff;
    }

    // ---- checks before the instruction

    /** VEX and EVEX prefixes are #UD in real and virtual-8086 mode (APM volume 3, 1.2.7). */
    static void notReal(Core core) {
        if (!core.protectedMode() || core.virtual8086()) {
            throw core.undefinedOpcode();
        }
    }

    static void sse(Core core) {
        if ((core.cr0 & (Bits.CR0_EM | Bits.CR0_TS)) != 0 || (core.cr4 & Bits.CR4_OSFXSR) == 0) {
            refuseSse(core);
        }
    }

    private static void refuseSse(Core core) {
        if ((core.cr0 & Bits.CR0_EM) != 0 || (core.cr4 & Bits.CR4_OSFXSR) == 0) {
            throw core.undefinedOpcode();
        }
        throw core.fault(Bits.NM);
    }

    static void x87(Core core) {
        if ((core.cr0 & (Bits.CR0_EM | Bits.CR0_TS)) != 0) {
            throw core.fault(Bits.NM);
        }
    }

    static void mmxUsable(Core core) {
        if ((core.cr0 & Bits.CR0_EM) != 0) {
            throw core.undefinedOpcode();
        }
        if ((core.cr0 & Bits.CR0_TS) != 0) {
            throw core.fault(Bits.NM);
        }
    }

    /** What every MMX instruction does to the x87 state: all registers valid, TOP 0. */
    static void enterMmx(Core core) {
        core.fpTop = 0;
        core.ftw = 0;
    }
}
