package org.alcazar.launcher.bundle;

import java.util.List;
import java.util.regex.Pattern;

/** What matters of a failed Maven run. */
final class MavenErrors {
    private static final int MOST = 12;

    private static final String MARK = "[ERROR] ";

    /** What Maven adds to every failure. */
    private static final Pattern NOISE =
            Pattern.compile(
                    "COMPILATION ERROR.*|-> \\[Help.*|\\[Help \\d.*|Re-run Maven.*|To see the full.*"
                            + "|For more information.*|After correcting.*|\\d+ errors?|Failed to"
                            + " execute goal.*maven-compiler-plugin.*");

    private MavenErrors() {}

    /** javac's errors, or what Maven says itself; at most a dozen lines. */
    static String of(String output) {
        List<String> lines =
                output.lines()
                        .filter(line -> line.startsWith(MARK))
                        .map(line -> line.substring(MARK.length()).stripTrailing())
                        .filter(line -> !line.isBlank() && !NOISE.matcher(line).matches())
                        .distinct()
                        .limit(MOST)
                        .toList();
        return lines.isEmpty() ? "it says nothing more" : String.join("\n", lines);
    }
}
