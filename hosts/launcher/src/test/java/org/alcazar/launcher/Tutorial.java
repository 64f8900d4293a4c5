package org.alcazar.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a Markdown page tells its reader to do: its fenced blocks in their order.
 *
 * <p>{@code console} has commands, lines that begin with {@code $}, each followed by what it
 * prints; with the name of a terminal its command goes on running there. {@code guest} has what is
 * typed at a terminal's guest, lines that begin with its prompt, and what comes; {@code output}
 * what a terminal prints next. {@code diff} has changes of a file, pieces apart by {@code @@}; any
 * other block with a file's name is that file. What is printed is a list of lines that come in that
 * order among others; {@code …} stands for any text.
 */
record Tutorial(List<Step> steps) {
    /** Stands for any text in what is printed. */
    private static final String ANYTHING = "…";

    private static final String FENCE = "```";
    private static final String PROMPT = "$ ";
    private static final String GUEST_PROMPT = "/ # ";

    /**
     * One block.
     *
     * @param kind the first word behind the fence
     * @param where the second one: a file or a terminal, or empty
     * @param line of the page where it begins, from 1
     */
    record Step(String kind, String where, int line, List<String> text) {
        /** A command and what it prints. */
        record Command(String command, List<String> prints) {}

        /** The block as commands behind a prompt. */
        List<Command> commands() {
            String prompt = kind.equals("guest") ? GUEST_PROMPT : PROMPT;
            List<Command> out = new ArrayList<>();
            for (String one : text) {
                if (one.startsWith(prompt)) {
                    out.add(new Command(one.substring(prompt.length()), new ArrayList<>()));
                } else {
                    out.getLast().prints().add(one);
                }
            }
            return out;
        }

        /**
         * A file with the block's changes: each piece's lines but those with a plus are there just
         * once, and make place for those without a minus.
         */
        String applied(String before) {
            String now = before;
            for (List<String> piece : pieces()) {
                String old = side(piece, '+');
                int at = now.indexOf(old);
                if (at < 0 || now.indexOf(old, at + 1) >= 0) {
                    throw new AssertionError(
                            "line " + line + ": not just once in " + where + ":\n" + old);
                }
                now = now.substring(0, at) + side(piece, '-') + now.substring(at + old.length());
            }
            return now;
        }

        private List<List<String>> pieces() {
            List<List<String>> out = new ArrayList<>(List.of(new ArrayList<>()));
            for (String one : text) {
                if (one.equals("@@")) {
                    out.add(new ArrayList<>());
                } else {
                    out.getLast().add(one);
                }
            }
            return out;
        }

        private static String side(List<String> piece, char without) {
            return piece.stream()
                    .filter(one -> one.isEmpty() || one.charAt(0) != without)
                    .map(one -> (one.isEmpty() ? one : one.substring(1)) + "\n")
                    .collect(Collectors.joining());
        }
    }

    static Tutorial read(Path page) throws IOException {
        List<Step> steps = new ArrayList<>();
        List<String> lines = Files.readAllLines(page);
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith(FENCE)) {
                String[] words = (lines.get(i).substring(FENCE.length()) + " ").split(" ", -1);
                int begin = i + 1;
                i = begin + lines.subList(begin, lines.size()).indexOf(FENCE);
                steps.add(
                        new Step(words[0], words[1], begin, List.copyOf(lines.subList(begin, i))));
            }
        }
        return new Tutorial(steps);
    }

    /** Finds lines in this order in what was printed. */
    static Pattern pattern(List<String> lines) {
        return Pattern.compile(
                lines.stream().map(Tutorial::pattern).collect(Collectors.joining(".*?")),
                Pattern.DOTALL);
    }

    private static String pattern(String line) {
        String[] parts = line.split(ANYTHING, -1);
        return List.of(parts).stream().map(Pattern::quote).collect(Collectors.joining("[^\n]*?"));
    }
}
