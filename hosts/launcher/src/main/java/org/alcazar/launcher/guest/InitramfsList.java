package org.alcazar.launcher.guest;

import org.alcazar.launcher.guest.Initramfs.DeviceKind;
import org.alcazar.launcher.guest.Initramfs.Owner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the text description of an initial RAM file system that the kernel's own usr/gen_init_cpio
 * takes, one entry in a line:
 *
 * <pre>
 * # comment
 * file  NAME LOCATION MODE UID GID
 * dir   NAME MODE UID GID
 * nod   NAME MODE UID GID b|c MAJOR MINOR
 * slink NAME TARGET MODE UID GID
 * pipe  NAME MODE UID GID
 * sock  NAME MODE UID GID
 * </pre>
 *
 * <p>Modes are octal. A location that is not absolute counts from the folder of the list, and
 * <code>${name}</code> in it stands for a value that the caller gives. There are no hard links and
 * no names with blanks.
 */
public final class InitramfsList {
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([^}]*)}");
    private static final Pattern BLANKS = Pattern.compile("\\s+");

    private final Path list;
    private final Map<String, Path> values;
    private final Initramfs result;

    private InitramfsList(Path list, Map<String, Path> values, Initramfs result) {
        this.list = list;
        this.values = values;
        this.result = result;
    }

    /**
     * Reads a list.
     *
     * @param list the file
     * @param values what <code>${name}</code> in locations stands for
     * @throws GuestException when a line is wrong or names a file that cannot be read; the message
     *     has file and line
     */
    public static Initramfs read(Path list, Map<String, Path> values) throws GuestException {
        Initramfs result = new Initramfs();
        add(list, values, result);
        return result;
    }

    /** As {@link #read}, adding to what there is; a path that is there already is refused. */
    public static void add(Path list, Map<String, Path> values, Initramfs to)
            throws GuestException {
        List<String> lines;
        try {
            lines = Files.readAllLines(list);
        } catch (IOException e) {
            throw new GuestException(list + ": cannot be read; is the source tree complete?", e);
        }
        InitramfsList reader = new InitramfsList(list, values, to);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (!line.isEmpty() && !line.startsWith("#")) {
                reader.line(i + 1, List.of(BLANKS.split(line)));
            }
        }
    }

    private void line(int number, List<String> words) throws GuestException {
        try {
            entry(new Words(words));
        } catch (IllegalArgumentException e) {
            throw new GuestException(list + ":" + number + ": " + e.getMessage(), e);
        }
    }

    private void entry(Words words) {
        String kind = words.word("kind");
        String name = words.word("name");
        switch (kind) {
            case "dir" -> result.directory(name, words.mode(), words.owner());
            case "pipe" -> result.pipe(name, words.mode(), words.owner());
            case "sock" -> result.socket(name, words.mode(), words.owner());
            case "file" -> {
                Path content = location(words.word("location"));
                result.file(name, words.mode(), words.owner(), content);
            }
            case "slink" -> {
                String target = words.word("target");
                result.symlink(name, target, words.mode(), words.owner());
            }
            case "nod" -> {
                int mode = words.mode();
                Owner owner = words.owner();
                DeviceKind type = words.deviceKind();
                result.device(name, mode, owner, type, words.number(10), words.number(10));
            }
            default ->
                    throw new IllegalArgumentException(
                            "'" + kind + "' is none of file, dir, nod, slink, pipe and sock");
        }
        words.end();
    }

    private Path location(String text) {
        Matcher matcher = VARIABLE.matcher(text);
        StringBuilder expanded = new StringBuilder();
        while (matcher.find()) {
            Path value = values.get(matcher.group(1));
            if (value == null) {
                throw new IllegalArgumentException(
                        matcher.group() + " stands for nothing; known: " + values.keySet());
            }
            matcher.appendReplacement(expanded, Matcher.quoteReplacement(value.toString()));
        }
        Path file = list.resolveSibling(matcher.appendTail(expanded).toString());
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new IllegalArgumentException(file + " is no readable file");
        }
        return file;
    }

    /** The words of one line, taken from left to right. */
    private static final class Words {
        private final List<String> rest;

        Words(List<String> words) {
            rest = new ArrayList<>(words);
        }

        String word(String what) {
            if (rest.isEmpty()) {
                throw new IllegalArgumentException("the " + what + " is missing");
            }
            return rest.removeFirst();
        }

        int number(int radix) {
            String text = word("number");
            try {
                return Integer.parseInt(text, radix);
            } catch (NumberFormatException e) {
                String form = radix == 8 ? "an octal number" : "a number";
                throw new IllegalArgumentException("'" + text + "' is not " + form, e);
            }
        }

        int mode() {
            return number(8);
        }

        Owner owner() {
            return new Owner(number(10), number(10));
        }

        DeviceKind deviceKind() {
            String text = word("device type");
            return switch (text) {
                case "b" -> DeviceKind.BLOCK;
                case "c" -> DeviceKind.CHARACTER;
                default ->
                        throw new IllegalArgumentException(
                                "device type '" + text + "' is neither b nor c");
            };
        }

        void end() {
            if (!rest.isEmpty()) {
                throw new IllegalArgumentException(
                        "'" + rest.getFirst() + "' is one word too many");
            }
        }
    }
}
