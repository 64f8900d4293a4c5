package org.alcazar.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What is alive in another JVM after a full collection, as the JDK's {@code jcmd} tells it.
 *
 * @param heap bytes
 * @param metaspace bytes
 * @param classes loaded, hidden ones too
 * @param loaders class loaders of bundles
 */
record Footprint(long heap, long metaspace, long classes, long loaders) {
    private static final Pattern COUNTER = Pattern.compile("(?m)^([\\w.]+)=(\\d+)$");
    private static final Pattern HEAP =
            Pattern.compile("sun\\.gc\\.generation\\.\\d\\.space\\.\\d\\.used");
    private static final Pattern LOADERS = Pattern.compile("\\$BundleClassLoader\\b");
    private static final Pattern CLASSES = Pattern.compile("(?m)^Total = \\d+ +(\\d+) ");

    /** Has the JVM collect its garbage, and looks. */
    static Footprint of(long process) throws IOException, InterruptedException {
        jcmd(process, "GC.run"); // frees the loaders that the next one unloads the classes of
        jcmd(process, "GC.run");
        return of(jcmd(process, "PerfCounter.print"), jcmd(process, "VM.classloader_stats"));
    }

    /** Reads what the two commands print. */
    static Footprint of(String counters, String loaders) throws IOException {
        Map<String, Long> values =
                COUNTER.matcher(counters)
                        .results()
                        .collect(
                                Collectors.toMap(
                                        one -> one.group(1), one -> Long.valueOf(one.group(2))));
        long heap =
                values.entrySet().stream()
                        .filter(one -> HEAP.matcher(one.getKey()).matches())
                        .mapToLong(Map.Entry::getValue)
                        .sum();
        Matcher classes = CLASSES.matcher(loaders);
        Long metaspace = values.get("sun.gc.metaspace.used");
        if (metaspace == null || heap == 0 || !classes.find()) {
            throw new IOException("jcmd told nothing of the JVM's memory");
        }
        return new Footprint(
                heap,
                metaspace,
                Long.parseLong(classes.group(1)),
                LOADERS.matcher(loaders).results().map(MatchResult::group).count());
    }

    private static String jcmd(long process, String command)
            throws IOException, InterruptedException {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Process run =
                new ProcessBuilder(List.of(jcmd, Long.toString(process), command))
                        .redirectErrorStream(true)
                        .start();
        String out = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (run.waitFor() != 0) {
            throw new IOException("jcmd " + command + ": " + out.strip());
        }
        return out;
    }
}
