package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.Cpu;

import java.util.Locale;

/** What of a core's state translated code can change, memory aside. */
final class Snapshot {
    private static final String[] GENERAL = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15"
    };

    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};

    private final long[] gpr = new long[16];
    private final long[] xmm = new long[32];
    private final long[] fpSignificand = new long[8];
    private final int[] fpExponent = new int[8];
    private long rip;
    private long flagResult;
    private long flagAux;
    private int flags;
    private long rflags;
    private int fcw;
    private int fsw;
    private int fpTop;
    private int ftw;
    private int fop;
    private long fip;
    private long fdp;
    private int mxcsr;
    private long retired;
    private long random;

    private int cpl;
    private int shadow;
    private long pendingEvent;
    private final int[] selector = new int[SEGMENTS.length];
    private final int[] attributes = new int[SEGMENTS.length];
    private final long[] base = new long[SEGMENTS.length];
    private final long[] segmentEnd = new long[SEGMENTS.length];

    /** Of GS after SWAPGS. */
    private long otherBase;

    private final StringBuilder text = new StringBuilder();

    void take(Cpu cpu) {
        System.arraycopy(cpu.gpr, 0, gpr, 0, gpr.length);
        System.arraycopy(cpu.xmm, 0, xmm, 0, xmm.length);
        System.arraycopy(cpu.fpSignificand, 0, fpSignificand, 0, fpSignificand.length);
        System.arraycopy(cpu.fpExponent, 0, fpExponent, 0, fpExponent.length);
        rip = cpu.rip;
        flagResult = cpu.flagResult;
        flagAux = cpu.flagAux;
        flags = cpu.flags;
        rflags = cpu.rflags();
        fcw = cpu.fcw;
        fsw = cpu.fsw;
        fpTop = cpu.fpTop;
        ftw = cpu.ftw;
        fop = cpu.fop;
        fip = cpu.fip;
        fdp = cpu.fdp;
        mxcsr = cpu.mxcsr;
        retired = cpu.retired;
        random = cpu.extended[X86.RANDOM];
        cpl = cpu.cpl;
        shadow = cpu.shadow;
        pendingEvent = cpu.pendingEvent;
        System.arraycopy(cpu.selector, 0, selector, 0, selector.length);
        System.arraycopy(cpu.segmentAttributes, 0, attributes, 0, attributes.length);
        System.arraycopy(cpu.segmentBase, 0, base, 0, base.length);
        System.arraycopy(cpu.segmentLimit, 0, segmentEnd, 0, segmentEnd.length);
        otherBase = cpu.msr[X86.KERNEL_GS_BASE];
    }

    void putBack(Cpu cpu) {
        System.arraycopy(gpr, 0, cpu.gpr, 0, gpr.length);
        System.arraycopy(xmm, 0, cpu.xmm, 0, xmm.length);
        System.arraycopy(fpSignificand, 0, cpu.fpSignificand, 0, fpSignificand.length);
        System.arraycopy(fpExponent, 0, cpu.fpExponent, 0, fpExponent.length);
        cpu.rip = rip;
        cpu.flagResult = flagResult;
        cpu.flagAux = flagAux;
        cpu.flags = flags;
        cpu.fcw = fcw;
        cpu.fsw = fsw;
        cpu.fpTop = fpTop;
        cpu.ftw = ftw;
        cpu.fop = fop;
        cpu.fip = fip;
        cpu.fdp = fdp;
        cpu.mxcsr = mxcsr;
        cpu.retired = retired;
        cpu.extended[X86.RANDOM] = random;
        cpu.cpl = cpl;
        cpu.shadow = shadow;
        cpu.pendingEvent = pendingEvent;
        System.arraycopy(selector, 0, cpu.selector, 0, selector.length);
        System.arraycopy(attributes, 0, cpu.segmentAttributes, 0, attributes.length);
        System.arraycopy(base, 0, cpu.segmentBase, 0, base.length);
        System.arraycopy(segmentEnd, 0, cpu.segmentLimit, 0, segmentEnd.length);
        cpu.msr[X86.KERNEL_GS_BASE] = otherBase;
        cpu.mmu.modeChanged();
    }

    long retired() {
        return retired;
    }

    /** Lines for what is not the same, this one's value first; empty if all is. */
    String differences(Snapshot other) {
        text.setLength(0);
        for (int i = 0; i < 16; i++) {
            check(GENERAL[i], gpr[i], other.gpr[i]);
        }
        check("rip", rip, other.rip);
        check("rflags", rflags, other.rflags);
        check("instructions", retired, other.retired);
        check("random numbers", random, other.random);
        check("cpl", cpl, other.cpl);
        check("interrupt shadow", shadow, other.shadow);
        check("pending event", pendingEvent, other.pendingEvent);
        for (int i = 0; i < SEGMENTS.length; i++) {
            check(SEGMENTS[i], selector[i], other.selector[i]);
            check(SEGMENTS[i] + ".attributes", attributes[i], other.attributes[i]);
            check(SEGMENTS[i] + ".base", base[i], other.base[i]);
            check(SEGMENTS[i] + ".limit", segmentEnd[i], other.segmentEnd[i]);
        }
        check("KernelGSBase", otherBase, other.otherBase);
        for (int i = 0; i < 32; i++) {
            if (xmm[i] != other.xmm[i]) {
                check("xmm" + i / 2 + (i % 2 == 0 ? ".low" : ".high"), xmm[i], other.xmm[i]);
            }
        }
        check("mxcsr", mxcsr, other.mxcsr);
        check("fcw", fcw, other.fcw);
        check("fsw", fsw, other.fsw);
        check("fsw.top", fpTop, other.fpTop);
        check("ftw", ftw, other.ftw);
        check("fop", fop, other.fop);
        check("fip", fip, other.fip);
        check("fdp", fdp, other.fdp);
        for (int i = 0; i < 8; i++) {
            if (fpSignificand[i] != other.fpSignificand[i]
                    || fpExponent[i] != other.fpExponent[i]) {
                check("fpr" + i + ".significand", fpSignificand[i], other.fpSignificand[i]);
                check("fpr" + i + ".exponent", fpExponent[i], other.fpExponent[i]);
            }
        }
        return text.isEmpty() ? "" : text.toString();
    }

    private void check(String what, long mine, long theirs) {
        if (mine != theirs) {
            text.append(String.format(Locale.ROOT, "  %s %x, but %x%n", what, mine, theirs));
        }
    }

    /** All of it as lines for people. */
    @Override
    public String toString() {
        StringBuilder s = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            s.append(i % 4 == 0 ? "  " : " ");
            s.append(String.format(Locale.ROOT, "%3s=%016x", GENERAL[i], gpr[i]));
            s.append(i % 4 == 3 ? "\n" : "");
        }
        s.append(
                String.format(
                        Locale.ROOT,
                        "  rip=%x rflags=%x mxcsr=%x fcw=%x fsw=%x top=%x ftw=%x%n",
                        rip,
                        rflags,
                        mxcsr,
                        fcw,
                        fsw,
                        fpTop,
                        ftw));
        for (int i = 0; i < 16; i++) {
            if ((xmm[2 * i] | xmm[2 * i + 1]) != 0) {
                String form = "  xmm%d=%016x_%016x%n";
                s.append(String.format(Locale.ROOT, form, i, xmm[2 * i + 1], xmm[2 * i]));
            }
        }
        return s.toString();
    }
}
