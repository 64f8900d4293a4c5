package org.alcazar.engines.x86.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The engine against the machine's own processor, bit for bit. System properties make longer and
 * narrower runs: {@code alcazar.oracle.cases} for each form, {@code alcazar.oracle.seed}, {@code
 * alcazar.oracle.only}, a regular expression that is looked for in the names of forms.
 */
class OracleTest {
    private static final long SEED = Long.getLong("alcazar.oracle.seed", 1);
    private static final String ONLY = System.getProperty("alcazar.oracle.only", "");

    private Map<String, Long> counters = Map.of();

    /** Cases for each form, unless the system property says another number. */
    int usual() {
        return 100;
    }

    private int cases() {
        return Integer.getInteger("alcazar.oracle.cases", usual());
    }

    /** The smallest mode that is looked at: 16, 32 or 64. */
    int smallest() {
        return 16;
    }

    @Test
    @DisplayName("every form that user mode can run does what the processor does")
    void everyForm(@TempDir Path directory) throws Exception {
        Assumptions.assumeTrue(NativeProcessor.missing().isEmpty(), NativeProcessor::missing);
        try (NativeProcessor processor = NativeProcessor.start(directory);
                Interpreter interpreter = new Interpreter()) {
            Set<Feature> features = EnumSet.copyOf(Feature.IMPLEMENTED);
            features.retainAll(processor.features());
            Set<Feature> lacking = EnumSet.copyOf(Feature.IMPLEMENTED);
            lacking.removeAll(features);
            if (!lacking.isEmpty()) {
                System.out.println("skipped, as the processor lacks them: " + lacking);
            }
            List<Form> forms = Form.all(OpcodeTable.rows(), features);
            Pattern only = Pattern.compile(ONLY);
            Oracle oracle = new Oracle(processor, interpreter, forms);
            long start = System.nanoTime();
            for (Form form : forms) {
                if (form.mode() >= smallest() && only.matcher(form.name()).find()) {
                    oracle.form(form, cases(), SEED);
                }
            }
            oracle.flush();
            System.out.printf(
                    "%d forms, %d cases in %d ms, seed %d; exceptions %s; without a case: %d forms;"
                            + " not reproducible: %s%n",
                    forms.size(),
                    oracle.run(),
                    (System.nanoTime() - start) / 1_000_000,
                    SEED,
                    oracle.exceptions(),
                    oracle.empty.size(),
                    oracle.once);
            assertEquals("", summary(oracle));
            assertTrue(oracle.run() > 0);
            counters = interpreter.counters();
        }
    }

    /** The engine's, after the forms. */
    Map<String, Long> counters() {
        return counters;
    }

    private static String summary(Oracle oracle) {
        if (oracle.failures.isEmpty()) {
            return "";
        }
        return String.join("\n", oracle.failures) + "\n" + oracle.differing();
    }

    @Test
    @DisplayName("cases that once differed do what the processor does")
    void regressions(@TempDir Path directory) throws Exception {
        Assumptions.assumeTrue(NativeProcessor.missing().isEmpty(), NativeProcessor::missing);
        List<String> wrong = new ArrayList<>();
        try (NativeProcessor processor = NativeProcessor.start(directory);
                Interpreter interpreter = new Interpreter()) {
            Oracle oracle = new Oracle(processor, interpreter, List.of());
            for (String line : lines()) {
                State in = Regression.read(line);
                String differences = oracle.differences(in);
                if (!differences.isEmpty()) {
                    wrong.add(oracle.text(in) + differences);
                }
            }
        }
        assertEquals("", String.join("\n", wrong));
    }

    private static List<String> lines() throws IOException {
        try (BufferedReader in =
                new BufferedReader(
                        new InputStreamReader(
                                Objects.requireNonNull(
                                        OracleTest.class.getResourceAsStream("regressions.txt")),
                                StandardCharsets.UTF_8))) {
            return in.lines().filter(l -> !l.isBlank() && !l.startsWith("#")).toList();
        }
    }
}
