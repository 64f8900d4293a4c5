package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.OperandSize;
import org.alcazar.engines.x86.isa.Row;

import java.util.List;
import java.util.SplittableRandom;

/** Makes random cases: code around one form, and a state in which it does something. */
final class CaseBuilder {
    private static final int MOST = 4;
    private static final int[] FLAT_CODE = {0}, FLAT_DATA = {5};

    private final Values values = new Values();
    private final Encoder encoder = new Encoder();
    private final Preparation preparation = new Preparation(values, encoder);

    /** What may stand beside any instruction, by mode: 64, 32, 16. */
    private final List<List<Form>> company;

    /** In 32-bit code all segments that it uses tacitly are flat. */
    private final boolean flat;

    CaseBuilder(List<Form> all, boolean flat) {
        this.flat = flat;
        company = List.of(company(all, 64), company(all, 32), company(all, 16));
    }

    private static List<Form> company(List<Form> all, int mode) {
        return all.stream()
                .filter(f -> f.mode() == mode && !f.row().has(Row.ENDS_BLOCK))
                .filter(f -> !f.row().has(Row.PRIVILEGED) && !alone(f.row()))
                .toList();
    }

    /** Rows whose result is not exact, or changes what others depend on. */
    private static boolean alone(Row row) {
        return Comparison.approximate(row)
                || row.semantics()
                        .matches(
                                "X87State.*|FxSave.*|SystemInstructions.*|InputOutput.*|Stack.*"
                                        + "|Strings.*|FarTransfers.*|Branches.*");
    }

    /**
     * Fills a case.
     *
     * @return false if this draw gives no sensible case
     */
    boolean build(Form form, long seed, State to) {
        SplittableRandom random = new SplittableRandom(seed);
        values.use(random);
        to.clear();
        int lane = random.nextInt(3);
        start(form, to, random, lane);
        preparation.begin(to, random);
        int instructions = count(form, random);
        int mine = random.nextInt(instructions);
        int undefined = 0;
        int length = 0;
        List<Form> others = company.get(form.mode() == 64 ? 0 : form.mode() == 32 ? 1 : 2);
        for (int i = 0; i < instructions; i++) {
            Form f =
                    i == mine || others.isEmpty()
                            ? form
                            : others.get(random.nextInt(others.size()));
            if (undefined != 0 && Flags.reads(f.row())) {
                if (i == mine) {
                    return false;
                }
                continue;
            }
            if (!encoder.encode(f, random, values)) {
                if (i == mine) {
                    return false;
                }
                continue;
            }
            undefined |= Flags.undefined(f.row());
            Instruction insn = encoder.insn;
            if (i > 0 && insn.row.semantics().matches("Shift.sh[lr]d") && insn.operandSize == 2) {
                // Whose count is not known any more.
                return false;
            }
            preparation.prepare(to, length);
            System.arraycopy(
                    encoder.bytes(), 0, to.bytes(), to.start() + Layout.CODE + length, insn.length);
            if (i == 0) {
                encoder.keep();
            }
            if (looseAlignment(insn)) {
                to.set64(Layout.RFLAGS, to.i64(Layout.RFLAGS) & ~Bits.AC);
            }
            if (insn.row.semantics().equals("SystemInstructions.ud")
                    && to.i32(Layout.CODE_AT) > Layout.PAGE - 40) {
                // Processors don't fetch what follows the opcode.
                return false;
            }
            length += insn.length;
        }
        to.set32(Layout.CODE_BYTES, length);
        // A later instruction's operands may have changed the count.
        return !Flags.undefinedResult(encoder.first, to);
    }

    /**
     * Operands whose parts are checked for alignment one by one, differently here and there:
     * unaligned ones of 128 bits, images of the x87 unit, frames of ENTER.
     */
    static boolean looseAlignment(Instruction insn) {
        if (Comparison.image(insn.row) || insn.row.semantics().equals("Stack.enter")) {
            return true;
        }
        return insn.memory
                && !insn.row.has(Row.ALIGNED)
                && insn.row.operands().stream().anyMatch(o -> o.size() == OperandSize.OWORD);
    }

    private static int count(Form form, SplittableRandom random) {
        if (alone(form.row()) || form.row().has(Row.PRIVILEGED)) {
            return 1;
        }
        int n = random.nextInt(8);
        return n < 5 ? 1 : Math.min(MOST, n - 3);
    }

    private void start(Form form, State to, SplittableRandom random, int lane) {
        int codeAt = 0x200 + random.nextInt(0x800);
        boolean branches = form.mode() != 64 && form.row().has(Row.NEAR_BRANCH);
        if (random.nextInt(16) == 0 && !branches) {
            // Code that runs into the end of its page.
            codeAt = Layout.PAGE - 1 - random.nextInt(20);
        }
        codeAt = Math.min(codeAt, Layout.PAGE - 1);
        to.set32(Layout.CODE_AT, codeAt);
        segments(form, to, random, codeAt);
        to.set32(Layout.OPTIONS, random.nextInt(6) == 0 ? 1 : 0);
        long flags = Bits.IF | 2 | random.nextInt() & Bits.STATUS;
        flags |= random.nextInt(4) == 0 ? Bits.DF : 0;
        flags |= random.nextInt(16) == 0 ? Bits.AC : 0;
        flags |= random.nextInt(32) == 0 ? Bits.ID : 0;
        to.set64(Layout.RFLAGS, flags);
        for (int r = 0; r < 16; r++) {
            long v = random.nextInt(8) == 0 ? values.lane(1) : values.integer();
            to.gpr(r, to.compat() ? r < 8 ? v & 0xffff_ffffL : 0 : v);
        }
        for (int m = 0; m < Layout.MEMORY_BYTES; m += 8) {
            to.set64(Layout.MEMORY + m, values.lane(lane));
        }
        floats(to, Layout.FX, random, lane);
    }

    private void segments(Form form, State to, SplittableRandom random, int codeAt) {
        if (form.mode() == 64) {
            to.set32(Layout.ENTRY, (int) Layout.CODE_PAGE + codeAt);
            to.set16(Layout.SS, Descriptor.USER_DS);
            to.set64(Layout.FS_BASE, Layout.DATA - 0x100 * random.nextInt(16));
            to.set64(Layout.GS_BASE, Layout.DATA + 0x1000 * random.nextInt(2));
            return;
        }
        to.set32(Layout.COMPAT, 1);
        boolean flat = this.flat && form.mode() == 32;
        int[] codes =
                flat ? FLAT_CODE : form.mode() == 32 ? Descriptor.CODE_32 : Descriptor.CODE_16;
        int code = codes[random.nextInt(codes.length)];
        to.set16(Layout.CS, Descriptor.selector(code));
        long entry = Layout.CODE_PAGE + codeAt - Descriptor.TABLE.get(code).base();
        to.set32(Layout.ENTRY, (int) entry);
        int[] stacks =
                flat
                        ? FLAT_DATA
                        : random.nextInt(3) == 0 == (form.mode() == 16)
                                ? Descriptor.STACK_32
                                : Descriptor.STACK_16;
        to.set16(Layout.SS, Descriptor.selector(stacks[random.nextInt(stacks.length)]));
        for (int s : new int[] {Layout.DS, Layout.ES, Layout.FS, Layout.GS}) {
            boolean mustBeFlat = flat && (s == Layout.DS || s == Layout.ES);
            to.set16(
                    s,
                    mustBeFlat
                            ? Descriptor.selector(FLAT_DATA[0])
                            : dataSelector(form.mode(), random));
        }
    }

    private static int dataSelector(int mode, SplittableRandom random) {
        int n = random.nextInt(24);
        if (n == 0) {
            return 0;
        }
        if (n == 1) {
            // Code: readable, and not readable at all with conforming.
            return Descriptor.selector(random.nextBoolean() ? 0 : 1);
        }
        if (mode == 32 && n < 14) {
            return Descriptor.selector(5);
        }
        int[] any = {6, 6, 7, 8, 9, 10, 11, 13, 15};
        return Descriptor.selector(any[random.nextInt(any.length)]);
    }

    /** An image of FXSAVE, here or in memory. */
    void floats(State to, int fx, SplittableRandom random, int lane) {
        boolean strict = random.nextInt(4) == 0;
        int fcw = 0x40 | random.nextInt(0x1000) & 0xf00 | (strict ? random.nextInt(64) : 63);
        // Nothing pending, or rarely.
        int flags = random.nextInt(64) & (random.nextInt(64) == 0 ? 63 : fcw);
        int fsw = random.nextInt(0x10000) & 0x7f00 | flags | random.nextInt(2) << 6;
        boolean pending = (flags & ~fcw & 63) != 0;
        to.set16(fx + Layout.FCW, fcw);
        to.set16(fx + Layout.FSW, fsw | (pending ? 0x8080 : 0));
        int tags = random.nextInt(4) == 0 ? random.nextInt(256) : 255;
        if (random.nextBoolean()) {
            // Room for a push.
            tags &= ~(1 << ((fsw >> 11) + 7 & 7));
        }
        to.set8(fx + Layout.FTW, tags);
        int masks = random.nextInt(4) == 0 ? random.nextInt(64) << 7 : 0x1f80;
        int mxcsr = masks | random.nextInt(64);
        mxcsr |= random.nextBoolean() ? random.nextInt(4) << 13 : 0;
        mxcsr |= random.nextInt(3) == 0 ? random.nextInt() & 0x8040 : 0;
        to.set32(fx + Layout.MXCSR, mxcsr);
        to.set32(fx + Layout.MXCSR + 4, 0xffff);
        for (int i = 0; i < 8; i++) {
            values.extended(to, fx + Layout.ST + 16 * i);
        }
        for (int i = 0; i < 32; i++) {
            to.set64(fx + Layout.XMM + 8 * i, values.lane(lane));
        }
    }
}
