package org.alcazar.management.shell;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a command takes, read from the text that help shows: {@code VM TYPE [KEY=VALUE...] [--once]
 * [--core CORE]}. Brackets: may be left out; dots: may be repeated.
 *
 * @param text as it is shown
 */
record Usage(String text, List<Parameter> parameters, List<Option> options) {
    /** An argument by its place. */
    record Parameter(String label, boolean optional, boolean repeated) {
        Word word() {
            return Word.of(label);
        }
    }

    /** An argument by its name; its label is empty if it has no value. */
    record Option(String name, String label) {
        Word word() {
            return Word.of(label);
        }

        boolean hasValue() {
            return !label.isEmpty();
        }
    }

    private static final Pattern ITEM =
            Pattern.compile(
                    "\\[(--\\S+?)(?: (\\S+?))?\\]|(\\[)?([^\\s\\[\\]]+?)(\\.\\.\\.)?\\]?(?= |$)");

    static Usage of(String text) {
        List<Parameter> parameters = new ArrayList<>();
        List<Option> options = new ArrayList<>();
        Matcher items = ITEM.matcher(text);
        while (items.find()) {
            if (items.group(1) != null) {
                options.add(new Option(items.group(1), orEmpty(items.group(2))));
            } else {
                parameters.add(
                        new Parameter(
                                orEmpty(items.group(4)),
                                items.group(3) != null,
                                items.group(5) != null));
            }
        }
        return new Usage(text, List.copyOf(parameters), List.copyOf(options));
    }

    private static String orEmpty(@org.jspecify.annotations.Nullable String text) {
        return text == null ? "" : text;
    }

    Optional<Option> option(String name) {
        return options.stream().filter(option -> option.name.equals(name)).findFirst();
    }

    /** Whether the guest, which may be left out, is: the first word is a setting. */
    boolean skipsGuest(String firstWord) {
        return !parameters.isEmpty()
                && parameters.getFirst().word() == Word.GUEST
                && firstWord.contains("=");
    }

    /** The parameter that takes the argument at a place, counted from 0. */
    Optional<Parameter> parameter(int place) {
        if (place < parameters.size()) {
            return Optional.of(parameters.get(place));
        }
        return parameters.isEmpty() || !parameters.getLast().repeated
                ? Optional.empty()
                : Optional.of(parameters.getLast());
    }
}
