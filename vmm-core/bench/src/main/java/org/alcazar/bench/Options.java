package org.alcazar.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Options of a benchmark, each with its value or a switch, checked against a form. */
final class Options {
    /**
     * An option that a benchmark takes.
     *
     * @param name with its dashes
     * @param value what its value is called in messages; empty for a switch
     * @param form a regular expression for the value
     */
    record Option(String name, String value, String form) {
        static Option number(String name) {
            return new Option(name, "N", "[1-9][0-9]{0,3}");
        }

        static Option text(String name, String value) {
            return new Option(name, value, ".+");
        }

        static Option flag(String name) {
            return new Option(name, "", "");
        }

        @Override
        public String toString() {
            return value.isEmpty() ? name : name + " " + value;
        }
    }

    static final Option AGAINST = new Option("--against", "qemu", "qemu");
    static final Option ROUNDS = Option.number("--rounds");
    static final Option JSON = Option.text("--json", "FILE");

    /** Says what is wrong with the options, for a person. */
    static final class Wrong extends Exception {
        private static final long serialVersionUID = 1L;

        Wrong(String message) {
            super(message);
        }
    }

    private final Map<String, String> given = new LinkedHashMap<>();

    private Options() {}

    /**
     * Reads options.
     *
     * @throws Wrong when one is not known or its value not of its form
     */
    static Options parse(String bench, List<Option> known, List<String> arguments) throws Wrong {
        Options options = new Options();
        for (int i = 0; i < arguments.size(); i++) {
            String name = arguments.get(i);
            Optional<Option> option =
                    known.stream().filter(one -> one.name().equals(name)).findFirst();
            boolean flag = option.isPresent() && option.get().value().isEmpty();
            String value = flag || i + 1 == arguments.size() ? "" : arguments.get(++i);
            if (option.isEmpty() || !value.matches(option.get().form())) {
                throw new Wrong(
                        "bench %s takes %s, not '%s'"
                                .formatted(bench, list(known), (name + " " + value).strip()));
            }
            options.given.put(name, value);
        }
        return options;
    }

    private static String list(List<Option> known) {
        return String.join(", ", known.stream().map(Option::toString).toList());
    }

    boolean has(Option option) {
        return given.containsKey(option.name());
    }

    Optional<String> text(Option option) {
        return Optional.ofNullable(given.get(option.name()));
    }

    int number(Option option, int otherwise) {
        return text(option).map(Integer::parseInt).orElse(otherwise);
    }
}
