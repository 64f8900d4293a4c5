package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Disassembler;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.decode.Syntax;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.semantics.NativeOracle;
import org.alcazar.host.HostRam;
import org.alcazar.machine.RamPages;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Integer instructions against the machine's own processor. */
class NativeIntegerTest {
    private static final int EACH = Integer.getInteger("alcazar.oracle.each", 60);
    private static final int SIZE = 224;
    private static final int SIGNAL = 16, RFLAGS = 24, REGISTERS = 32, MEMORY = 160, BYTES = 64;
    private static final long CODE = 0x10000, DATA = 0x20000, HANDLERS = 0x30000, IDT = 0x9000;
    private static final int SIGILL = 4, SIGFPE = 8, SIGSEGV = 11;

    private final IntegerCases cases = new IntegerCases(new Random(20260), EACH);
    private final Random random = new Random(7);

    @Test
    @DisplayName("integer instructions give what the processor gives, defined flags included")
    void integerInstructions(@TempDir Path directory) throws Exception {
        Assumptions.assumeTrue(NativeOracle.missing().isEmpty(), NativeOracle::missing);
        ByteBuffer question = question();
        Path program = NativeOracle.compile(directory, NativeIntegerTest.class, "integer.c");
        ByteBuffer answer = NativeOracle.ask(program, question);
        List<String> wrong = new ArrayList<>();
        try (BareMachine machine = new BareMachine()) {
            prepare(machine);
            for (int i = 0; i < cases.codes.size() && wrong.size() < 20; i++) {
                compare(machine, question, answer, i * SIZE, wrong);
            }
        }
        assertEquals("", String.join("\n", wrong));
    }

    private ByteBuffer question() {
        ByteBuffer b =
                ByteBuffer.allocate(cases.codes.size() * SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < cases.codes.size(); i++) {
            int at = i * SIZE;
            b.put(at, cases.codes.get(i));
            b.putLong(at + RFLAGS, random.nextInt() & Bits.STATUS | 0x202);
            for (int r = 0; r < 16; r++) {
                b.putLong(at + REGISTERS + 8 * r, cases.interesting());
            }
            for (int m = 0; m < BYTES; m += 8) {
                b.putLong(at + MEMORY + m, cases.interesting());
            }
        }
        return b;
    }

    /** Every exception halts at a place of its own. */
    private static void prepare(BareMachine machine) {
        machine.longMode(CODE);
        for (int vector = 0; vector < 32; vector++) {
            long handler = HANDLERS + 16 * vector;
            RamPages.setLong(
                    IDT + 16 * vector,
                    handler & 0xffff | 8L << 16 | 0x8e00L << 32 | (handler >> 16) << 48);
            machine.load(handler, (byte) 0xf4);
        }
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 0x1ff;
    }

    private void compare(
            BareMachine machine, ByteBuffer question, ByteBuffer answer, int at, List<String> out) {
        byte[] code = new byte[16];
        question.get(at, code);
        RamPages.write(CODE, code, 0, 16);
        byte[] memory = new byte[BYTES];
        question.get(at + MEMORY, memory);
        RamPages.write(DATA, memory, 0, BYTES);
        long[] general = machine.group(X86.GENERAL);
        for (int r = 0; r < 16; r++) {
            general[r] = question.getLong(at + REGISTERS + 8 * r);
        }
        general[X86.RSP] = 0x80000;
        general[X86.RDI] = DATA;
        general[X86.RIP] = CODE;
        general[X86.RFLAGS] = question.getLong(at + RFLAGS) & ~Bits.IF;
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        machine.run(1);
        Instruction insn = new Instruction();
        new Decoder().decode(code, 0, 16, 64, insn);
        if (!NativeOracle.has(insn.row.feature())) {
            return;
        }
        StringBuilder wrong = new StringBuilder();
        int vector = vector(machine);
        int signal = (int) answer.getLong(at + SIGNAL);
        int expected =
                switch (signal) {
                    case SIGFPE -> Bits.DE;
                    case SIGILL -> Bits.UD;
                    case SIGSEGV -> Bits.GP;
                    default -> -1;
                };
        if (vector != expected) {
            wrong.append(" exception ").append(vector).append(", processor ").append(expected);
        } else if (vector < 0 && !undefinedResult(insn, question, at)) {
            results(machine, insn, question, answer, at, wrong);
        }
        if (!wrong.isEmpty()) {
            String text = new Disassembler(Syntax.INTEL).text(code, 0, 16, 64, CODE);
            out.add(IntegerCases.hex(code) + " " + text + ":" + wrong);
        }
    }

    /** Double shifts of words by more than 16 (APM volume 3, SHLD). */
    private static boolean undefinedResult(Instruction insn, ByteBuffer question, int at) {
        return insn.row.semantics().matches("Shift.sh[lr]d")
                && insn.operandSize == 2
                && count(insn, question, at) > 16;
    }

    private static long count(Instruction insn, ByteBuffer question, int at) {
        boolean byCl = insn.row.operands().getLast().kind() == OperandKind.FIXED_REGISTER;
        long count = byCl ? question.getLong(at + REGISTERS + 8) : insn.immediate;
        return count & (insn.operandSize == 8 ? 63 : 31);
    }

    /** Exception whose handler the core has come to, or -1. */
    private static int vector(BareMachine machine) {
        long rip = machine.register(X86.RIP);
        return rip >= HANDLERS ? (int) (rip - HANDLERS) / 16 : -1;
    }

    private static void results(
            BareMachine machine,
            Instruction insn,
            ByteBuffer question,
            ByteBuffer answer,
            int at,
            StringBuilder wrong) {
        for (int r = 0; r < 16; r++) {
            long want = answer.getLong(at + REGISTERS + 8 * r);
            if (r != X86.RSP
                    && r != X86.RDI
                    && machine.register(r) != want
                    && !addressInDestination(insn)) {
                wrong.append(" r%d %x, processor %x".formatted(r, machine.register(r), want));
            }
        }
        for (int m = 0; m < BYTES; m += 8) {
            long want = answer.getLong(at + MEMORY + m);
            if (HostRam.getLong(DATA + m) != want) {
                wrong.append(
                        " [%d] %x, processor %x".formatted(m, HostRam.getLong(DATA + m), want));
            }
        }
        int defined = Bits.STATUS & ~undefined(insn, question, at);
        int flags = (int) machine.register(X86.RFLAGS) & defined;
        int want = (int) answer.getLong(at + RFLAGS) & defined;
        if (flags != want) {
            wrong.append(" flags %x, processor %x".formatted(flags, want));
        }
    }

    /** LEA's result depends on where the harness has its memory. */
    private static boolean addressInDestination(Instruction insn) {
        return insn.row.mnemonic().equals("lea");
    }

    private static int undefined(Instruction insn, ByteBuffer question, int at) {
        int mask = insn.row.undefinedFlags();
        if (insn.row.undefinedByCount() != 0) {
            long count = count(insn, question, at);
            boolean one =
                    insn.row.encoding().toString().contains("d0")
                            || insn.row.encoding().toString().contains("d1");
            if (!one && count == 0) {
                return 0;
            }
            if (!one && count != 1) {
                mask |= insn.row.undefinedByCount();
            }
        }
        return mask;
    }
}
