package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Row;

import java.util.ArrayList;
import java.util.List;

/**
 * What differs between the processor's outcome and the engine's, as far as the manual defines it.
 */
final class Comparison {
    /** Transcendental results may be off by this many units in the last place. */
    private static final int UNITS = 2;

    /** Relative error of an estimate: 1.5 * 2^-12 on either side (APM volume 4, RCPPS). */
    private static final double ESTIMATE = 3.0 / 4096;

    private static final int C1 = 1 << 9;

    private static final int ES = 1 << 7;

    /** Where Linux's part of the address space starts. */
    private static final long USER_END = 0x7fff_ffff_f000L;

    private static final int SIGALRM = 14;

    private static final String[] REGISTERS = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15"
    };

    private static final String[] SELECTORS = {"cs", "ss", "ds", "es", "fs", "gs"};

    /** Exceptions that have an error code. */
    private static final int WITH_CODE = 1 << 8 | 0x1f << 10 | 1 << 17;

    private final Decoder decoder = new Decoder();
    private final StringBuilder out = new StringBuilder();

    static boolean transcendental(Row row) {
        return row.semantics().startsWith("X87Transcendental.");
    }

    static boolean estimate(Row row) {
        return row.mnemonic().matches("v?(rcp|rsqrt)[ps]s");
    }

    static boolean approximate(Row row) {
        return transcendental(row) || estimate(row);
    }

    /**
     * Whether it loads or stores an image of the unit, of which each processor touches another byte
     * first.
     */
    static boolean image(Row row) {
        return row.semantics().startsWith("X87State.") || row.semantics().startsWith("FxSave.fx");
    }

    /**
     * Whether it reads two operands in memory: where both fault, Zen 3 tells of the second and Zen
     * 5 of the first.
     */
    private static boolean twoReads(Row row) {
        return row.semantics().startsWith("Strings.cmps");
    }

    /** #SS, #GP, #PF or #AC. */
    private static boolean memoryFault(int trap) {
        return trap == Bits.SS || trap == Bits.GP || trap == Bits.PFV || trap == Bits.ACV;
    }

    /** Decodes a case's code. */
    List<Instruction> instructions(State in) {
        byte[] code = in.code();
        List<Instruction> all = new ArrayList<>();
        int at = 0;
        while (at < code.length) {
            Instruction insn = new Instruction();
            int length = decoder.decode(code, at, code.length - at, in.mode(), insn);
            if (length <= 0) {
                break;
            }
            all.add(insn);
            at += length;
        }
        return all;
    }

    /** Empty if nothing differs. */
    String differences(State in, State expected, State actual) {
        out.setLength(0);
        if (expected.i32(Layout.SIGNAL) == SIGALRM
                && actual.i32(Layout.TRAP) == Interpreter.HANGS) {
            return "";
        }
        List<Instruction> code = instructions(in);
        exception(code, expected, actual);
        check("rip", expected.i64(Layout.RIP), actual.i64(Layout.RIP));
        long ignored = Bits.RF | undefined(code, in);
        check(
                "rflags",
                expected.i64(Layout.OUT_RFLAGS) & ~ignored,
                actual.i64(Layout.OUT_RFLAGS) & ~ignored);
        // PUSHA, POPA and ENTER that fault half-way leave what they have done.
        boolean partial =
                actual.i32(Layout.TRAP) != Bits.GP
                        && code.stream()
                                .anyMatch(
                                        i -> i.row.semantics().matches("Stack.(pusha|popa|enter)"));
        for (int r = 0; r < 16 && !partial; r++) {
            // Interrupts leave an undefined upper half of RSP in 16- and 32-bit code.
            boolean half =
                    r == X86.RSP
                            && (in.compat() || expected.u16(Layout.OUT_CS) != Descriptor.USER_CS);
            long shown = half ? 0xffff_ffffL : -1;
            check(REGISTERS[r], expected.gpr(r) & shown, actual.gpr(r) & shown);
        }
        for (int s = 0; s < SELECTORS.length; s++) {
            int field = Layout.OUT_CS + 2 * s;
            check(SELECTORS[s], selector(expected.u16(field)), selector(actual.u16(field)));
        }
        check("fsbase", expected.i64(Layout.OUT_FS_BASE), actual.i64(Layout.OUT_FS_BASE));
        check("gsbase", expected.i64(Layout.OUT_FS_BASE + 8), actual.i64(Layout.OUT_FS_BASE + 8));
        floats(code, expected, actual);
        if (!partial) {
            memory(code, expected, actual);
        }
        return out.toString();
    }

    /** The processor has returned from its signal's handler since, which clears null selectors. */
    private static int selector(int value) {
        return value < 4 ? 0 : value;
    }

    private void check(String what, long expected, long actual) {
        if (expected != actual) {
            out.append(String.format(" %s %x, processor %x;", what, actual, expected));
        }
    }

    private void exception(List<Instruction> code, State expected, State actual) {
        int trap = actual.i32(Layout.TRAP);
        if (code.stream().anyMatch(i -> twoReads(i.row))
                && memoryFault(trap)
                && memoryFault(expected.i32(Layout.TRAP))) {
            return;
        }
        check("exception", expected.i32(Layout.TRAP), trap);
        if (trap != expected.i32(Layout.TRAP)) {
            return;
        }
        if (trap < 32 && (WITH_CODE >> trap & 1) != 0) {
            // For addresses in its half the kernel hides whether they are mapped.
            boolean kernels = Long.compareUnsigned(expected.i64(Layout.CR2), USER_END) >= 0;
            long hidden = trap == Bits.PFV && kernels ? 1 : 0;
            check(
                    "error code",
                    expected.i64(Layout.ERROR) & ~hidden,
                    actual.i64(Layout.ERROR) & ~hidden);
        }
        long distance = Math.abs(expected.i64(Layout.CR2) - actual.i64(Layout.CR2));
        boolean image = code.stream().anyMatch(i -> image(i.row)) && distance < 512;
        if (trap == Bits.PFV && !image) {
            check("cr2", expected.i64(Layout.CR2), actual.i64(Layout.CR2));
        }
    }

    private static long undefined(List<Instruction> code, State in) {
        long mask = 0;
        for (int i = 0; i < code.size(); i++) {
            Instruction insn = code.get(i);
            mask |= i == 0 ? Flags.undefined(insn, in) : Flags.undefined(insn.row);
        }
        return mask;
    }

    // ---- x87, MMX, SSE

    private void floats(List<Instruction> code, State expected, State actual) {
        int fx = Layout.FX;
        boolean near = code.stream().anyMatch(i -> transcendental(i.row));
        boolean estimated = code.stream().anyMatch(i -> estimate(i.row));
        int status = near ? ~C1 & 0xffff : 0xffff;
        check("fcw", expected.u16(fx), actual.u16(fx));
        check("fsw", expected.u16(fx + Layout.FSW) & status, actual.u16(fx + Layout.FSW) & status);
        check("tags", expected.u8(fx + Layout.FTW), actual.u8(fx + Layout.FTW));
        if ((expected.u16(fx + Layout.FSW) & actual.u16(fx + Layout.FSW) & ES) != 0) {
            // This vendor stores pointers only for pending exceptions (APM volume 2, 11.4.4).
            pointers(expected, actual);
        }
        check("mxcsr", expected.i32(fx + Layout.MXCSR), actual.i32(fx + Layout.MXCSR));
        for (int i = 0; i < 8; i++) {
            int at = fx + Layout.ST + 16 * i;
            if (!near || !close(expected, actual, at)) {
                check("st" + i + ".significand", expected.i64(at), actual.i64(at));
                check("st" + i + ".exponent", expected.u16(at + 8), actual.u16(at + 8));
            }
        }
        for (int i = 0; i < 32; i++) {
            int at = fx + Layout.XMM + 8 * i;
            long want = expected.i64(at);
            long got = actual.i64(at);
            if (want != got
                    && !(estimated && similar(want, got) && similar(want >> 32, got >> 32))) {
                check("xmm" + i / 2 + (i % 2 == 0 ? ".low" : ".high"), want, got);
            }
        }
    }

    private void pointers(State expected, State actual) {
        int fx = Layout.FX;
        // The kernel takes 64-bit pointers, where selectors don't show; loaded ones lose their top.
        long shown = 0xffff_ffffL;
        check("fop", expected.u16(fx + Layout.FOP), actual.u16(fx + Layout.FOP));
        check("fip", expected.i64(fx + Layout.FIP) & shown, actual.i64(fx + Layout.FIP) & shown);
        check("fdp", expected.i64(fx + Layout.FDP) & shown, actual.i64(fx + Layout.FDP) & shown);
    }

    /** Whether two numbers are a few units in the last place apart. */
    private static boolean close(State expected, State actual, int at) {
        int step = expected.u16(at + 8) - actual.u16(at + 8);
        long here = actual.i64(at);
        long there = expected.i64(at);
        long distance =
                switch (step) {
                    case 0 -> Math.abs(there - here);
                    case 1 -> there - Long.MIN_VALUE - here;
                    case -1 -> here - Long.MIN_VALUE - there;
                    default -> Long.MAX_VALUE;
                };
        return distance >= 0 && distance <= UNITS;
    }

    private static boolean similar(long expected, long actual) {
        if ((int) expected == (int) actual) {
            return true;
        }
        float want = Float.intBitsToFloat((int) expected);
        float got = Float.intBitsToFloat((int) actual);
        // Tiny results become zeros.
        return Math.abs((double) want - got)
                <= Math.max(Float.MIN_NORMAL, ESTIMATE * Math.abs((double) want));
    }

    // ---- memory

    private void memory(List<Instruction> code, State expected, State actual) {
        int extras = expected.i32(Layout.EXTRAS);
        check("words changed elsewhere", extras, actual.i32(Layout.EXTRAS));
        for (int i = 0; i < Math.min(3, extras); i++) {
            int at = Layout.EXTRA + 16 * i;
            check("elsewhere at", expected.i64(at), actual.i64(at));
            check("elsewhere", expected.i64(at + 8), actual.i64(at + 8));
        }
        int from = expected.start() + Layout.MEMORY;
        int from2 = actual.start() + Layout.MEMORY;
        int same =
                java.util.Arrays.mismatch(
                        expected.bytes(),
                        from,
                        from + Layout.MEMORY_BYTES,
                        actual.bytes(),
                        from2,
                        from2 + Layout.MEMORY_BYTES);
        if (same < 0) {
            return;
        }
        for (int m = 0; m < Layout.MEMORY_BYTES; m += 8) {
            long want = expected.i64(Layout.MEMORY + m);
            long got = actual.i64(Layout.MEMORY + m);
            // MXCSR_MASK tells of misaligned mode, which the processor may have.
            if ((want ^ got) != 1L << 49 || code.stream().noneMatch(i -> image(i.row))) {
                check("[data+%x]".formatted(Layout.offset(m)), want, got);
            }
        }
    }
}
