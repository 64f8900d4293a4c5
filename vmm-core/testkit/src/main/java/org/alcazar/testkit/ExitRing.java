package org.alcazar.testkit;

import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.Space;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The last exits of one vcore. Nothing is allocated when one is added. */
final class ExitRing {
    /** How many it keeps: a power of two. */
    private static final int KEPT = 32;

    private static final int REASON = 0, SPACE = 1, ADDRESS = 2, SIZE = 3, WRITE = 4, VALUE = 5;
    private static final int PC = 6, RETIRED = 7, CODE = 8, WORDS = 9;

    private final long[] words = new long[KEPT * WORDS];
    private long count;

    /** On the vcore's thread. */
    void add(int reason, ExitFrame frame, long retired) {
        int at = (int) (count++ & KEPT - 1) * WORDS;
        words[at + REASON] = reason;
        words[at + SPACE] = frame.space;
        words[at + ADDRESS] = frame.address;
        words[at + SIZE] = frame.size;
        words[at + WRITE] = frame.write ? 1 : 0;
        words[at + VALUE] = frame.value;
        words[at + PC] = frame.pc;
        words[at + RETIRED] = retired;
        words[at + CODE] = frame.code;
    }

    /** At most so many in words, the last one last. While the vcore stands. */
    List<String> describe(int most) {
        List<String> out = new ArrayList<>();
        for (long n = Math.max(0, count - Math.min(most, KEPT)); n < count; n++) {
            out.add(describeAt((int) (n & KEPT - 1) * WORDS));
        }
        return out;
    }

    private String describeAt(int at) {
        int reason = (int) words[at + REASON];
        String what =
                switch (reason) {
                    case Exit.ACCESS -> access(at);
                    case Exit.TRANSLATION -> format(": guest-physical 0x%x, at 0x%x", ADDRESS, at);
                    case Exit.CALL -> format(": number 0x%x, at 0x%x", VALUE, at);
                    case Exit.INSTRUCTION, Exit.FAULT, Exit.SHUTDOWN ->
                            format(": code %d, at 0x%x", CODE, at);
                    case Exit.DEBUG -> format(": breakpoint at 0x%x", ADDRESS, at);
                    default -> "";
                };
        return "after %d instructions: %s%s"
                .formatted(words[at + RETIRED], Exit.name(reason), what);
    }

    private String format(String text, int word, int at) {
        return String.format(Locale.ROOT, text, words[at + word], words[at + PC]);
    }

    private String access(int at) {
        return String.format(
                Locale.ROOT,
                ": %s %s 0x%x, %d bytes: 0x%x, at 0x%x",
                words[at + WRITE] != 0 ? "write to" : "read from",
                Space.name((int) words[at + SPACE]),
                words[at + ADDRESS],
                words[at + SIZE],
                words[at + VALUE],
                words[at + PC]);
    }
}
