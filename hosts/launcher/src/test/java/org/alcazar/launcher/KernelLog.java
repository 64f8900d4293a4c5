package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.regex.Pattern;

/** What nobody wants to see on a Linux guest's console. */
final class KernelLog {
    private static final Pattern BAD =
            Pattern.compile(
                    "\\bBUG\\b|WARNING|unhandled|unexpected|panic|\\bOops\\b|Call Trace"
                            + "|lockup|\\bstall|hung task|blocked for more than"
                            + "|unstable|warp|TSC synchronization|skew|time went backwards"
                            + "|alcazar: stress failed",
                    Pattern.CASE_INSENSITIVE);

    /** Lines that match and are right: the kernel says them on QEMU's PC too. */
    private static final List<String> ALLOWED =
            List.of(
                    // advice on every PC whose host bridge has windows
                    "if necessary, use \"pci=nocrs\" and report a bug",
                    // says so itself
                    "This is not a bug",
                    // options of the kernel's command line and of its configuration
                    "Command line:",
                    "RCU CPU stall warnings timeout");

    private KernelLog() {}

    /** Fails with the lines that complain. */
    static void assertClean(String output) {
        List<String> bad =
                output.lines()
                        .filter(line -> BAD.matcher(line).find())
                        .filter(line -> ALLOWED.stream().noneMatch(line::contains))
                        .toList();
        assertEquals(List.of(), bad);
    }
}
