package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.decode.Disassembler;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.decode.Syntax;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Runs cases of forms on the processor and in the engine and reports where they differ. */
final class Oracle {
    private static final int BATCH = 256;
    private static final int REPORTED = 2;
    private static final int MOST = 100;

    private final NativeProcessor processor;
    private final Interpreter interpreter;
    private final CaseBuilder builder;
    private final Comparison comparison = new Comparison();
    private final byte[] questions = new byte[BATCH * Layout.SIZE];
    private final byte[] answers = new byte[BATCH * Layout.SIZE];
    private final byte[] results = new byte[BATCH * Layout.SIZE];
    private final State question = new State(questions);
    private final State answer = new State(answers);
    private final State result = new State(results);
    private final Form[] formOf = new Form[BATCH];
    private final long[] seedOf = new long[BATCH];
    private final Map<String, Integer> differing = new TreeMap<>();
    private final Map<Integer, Long> exceptions = new TreeMap<>();
    private int filled;
    private long run;

    /** One line or more for each failure; forms that make no sensible case. */
    final List<String> failures = new ArrayList<>();

    final List<String> empty = new ArrayList<>();

    /** Cases that differed the first time only. */
    final List<String> once = new ArrayList<>();

    Oracle(NativeProcessor processor, Interpreter interpreter, List<Form> all) {
        this.processor = processor;
        this.interpreter = interpreter;
        builder = new CaseBuilder(all, TestEngines.translates());
    }

    /** How many cases ran. */
    long run() {
        return run;
    }

    /** How many cases ended with each exception; {@code HLT} ends those that go well with 13. */
    Map<Integer, Long> exceptions() {
        return exceptions;
    }

    Map<String, Integer> differing() {
        return differing;
    }

    /** Cases of one form. */
    void form(Form form, int cases, long seed) throws IOException {
        long first = seed * 0x9e3779b97f4a7c15L ^ (long) form.name().hashCode() << 32;
        int made = 0;
        for (int i = 0; made < cases && i < 4 * cases + 100; i++) {
            long caseSeed = first + i;
            if (builder.build(form, caseSeed, question.index(filled))) {
                formOf[filled] = form;
                seedOf[filled] = caseSeed;
                filled++;
                made++;
                if (filled == BATCH) {
                    flush();
                }
            } else if (i == 100 && made == 0) {
                break;
            }
        }
        if (made == 0) {
            empty.add(form.name());
        }
    }

    /** Runs what has been gathered. */
    void flush() throws IOException {
        int count = filled;
        filled = 0;
        processor.send(questions, count);
        for (int i = 0; i < count; i++) {
            interpreter.run(question.index(i), result.index(i));
        }
        processor.receive(answers, count);
        run += count;
        List<Integer> wrong = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            exceptions.merge(answer.index(i).i32(Layout.TRAP), 1L, Long::sum);
            if (!comparison
                    .differences(question.index(i), answer.index(i), result.index(i))
                    .isEmpty()) {
                wrong.add(i);
            }
        }
        for (int i : wrong) {
            report(i);
        }
    }

    private void report(int i) throws IOException {
        String name = formOf[i].name();
        int times = differing.merge(name, 1, Integer::sum);
        if (times > REPORTED || failures.size() > MOST) {
            return;
        }
        State failing = new State();
        failing.copy(question.index(i));
        boolean gone = differences(failing).isEmpty();
        if (gone && differences(failing).isEmpty()) {
            // Such as by an interrupt that came in between.
            once.add(name + " " + Long.toHexString(seedOf[i]));
            differing.merge(name, -1, Integer::sum);
            return;
        }
        failing = new Shrinker(this).shrink(failing);
        failures.add(
                "%s, seed %x:%n  %s%n  %s%n  %s"
                        .formatted(
                                name,
                                seedOf[i],
                                text(failing),
                                differences(failing),
                                Regression.write(failing)));
    }

    /** The code of a case as text and bytes. */
    String text(State in) {
        byte[] code = in.code();
        Disassembler disassembler = new Disassembler(Syntax.INTEL);
        StringBuilder s = new StringBuilder();
        int at = 0;
        for (Instruction insn : comparison.instructions(in)) {
            byte[] padded = java.util.Arrays.copyOf(code, code.length + 16);
            s.append(at == 0 ? "" : "; ");
            s.append(disassembler.text(padded, at, insn.length, in.mode(), 0));
            at += insn.length;
        }
        return s + " [" + HexFormat.of().formatHex(code) + "]";
    }

    /** Runs one case on both sides. */
    String differences(State in) throws IOException {
        State there = ask(in);
        State here = new State();
        interpreter.run(in, here);
        return comparison.differences(in, there, here);
    }

    /** The processor's outcome of one case. */
    State ask(State in) throws IOException {
        State out = new State();
        processor.send(in.bytes(), 1);
        processor.receive(out.bytes(), 1);
        return out;
    }

    List<Instruction> instructions(State in) {
        return comparison.instructions(in);
    }
}
