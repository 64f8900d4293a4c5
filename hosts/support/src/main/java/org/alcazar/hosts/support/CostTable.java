package org.alcazar.hosts.support;

import org.alcazar.host.HostPrimitives.Daemon;
import org.alcazar.host.HostPrimitives.Machine;
import org.alcazar.host.HostPrimitives.Noise;
import org.alcazar.host.HostPrimitives.Primitive;
import org.alcazar.host.HostRefusal;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.Reader;
import java.io.Serial;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;

/**
 * A file of prices and noise, in Java's properties form. All keys must be there, none beside them:
 *
 * <pre>
 * PRIMITIVE.cycles  = whole number
 * PRIMITIVE.source  = where the figure comes from
 * machine.hertz, machine.source                               of the machine whose cycles they are
 * noise.ticks-per-second, noise.tick-cycles, noise.source
 * daemon.NAME.period = nanoseconds, or with ns, us, ms, s     (as many daemons as there are)
 * daemon.NAME.cycles = whole number
 * </pre>
 */
final class CostTable {
    private final String where;
    private final Map<String, String> left;
    private final Set<String> known = new HashSet<>();

    private CostTable(String where, Map<String, String> entries) {
        this.where = where;
        left = new TreeMap<>(entries);
    }

    /**
     * Reads a file.
     *
     * @param where for messages
     * @throws HostRefusal if a key is given twice
     */
    static CostTable read(Reader in, String where) throws IOException, HostRefusal {
        Entries entries = new Entries();
        try {
            entries.load(in);
        } catch (IllegalArgumentException e) { // a malformed escape
            throw new HostRefusal(where + ": " + e.getMessage(), e);
        }
        if (!entries.twice.isEmpty()) {
            throw new HostRefusal(where + ": '" + entries.twice.getFirst() + "' is given twice");
        }
        Map<String, String> plain = new TreeMap<>();
        entries.forEach((key, value) -> plain.put(key.toString(), value.toString().strip()));
        return new CostTable(where, plain);
    }

    /** Properties that notice a key given twice. */
    private static final class Entries extends Properties {
        @Serial private static final long serialVersionUID = 1L;

        private final transient List<String> twice = new ArrayList<>();

        @Override
        public synchronized @Nullable Object put(Object key, Object value) {
            Object before = super.put(key, value);
            if (before != null) {
                twice.add(key.toString());
            }
            return before;
        }
    }

    private String take(String key) throws HostRefusal {
        String value = left.remove(key);
        if (value == null || value.isEmpty()) {
            String meant =
                    left.keySet().stream()
                            .filter(other -> Spelling.nearest(other, List.of(key)).isPresent())
                            .filter(other -> !known.contains(other))
                            .findFirst()
                            .map(other -> "; is '" + other + "' meant for it?")
                            .orElse("");
            throw new HostRefusal(where + ": the key '" + key + "' is missing" + meant);
        }
        return value;
    }

    private long number(String key) throws HostRefusal {
        String text = take(key);
        try {
            long number = Long.parseLong(text);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new HostRefusal(
                "%s: %s: '%s' is not a whole number of at least 0".formatted(where, key, text));
    }

    List<Primitive> primitives(List<? extends Counted> constants) throws HostRefusal {
        constants.forEach(constant -> {
            known.add(constant.key() + ".cycles");
            known.add(constant.key() + ".source");
        });
        List<Primitive> out = new ArrayList<>();
        for (Counted constant : constants) {
            String key = constant.key();
            out.add(
                    new Primitive(
                            key,
                            constant.meaning(),
                            number(key + ".cycles"),
                            take(key + ".source")));
        }
        return List.copyOf(out);
    }

    Machine machine() throws HostRefusal {
        long hertz = number("machine.hertz");
        if (hertz == 0) {
            throw new HostRefusal(where + ": machine.hertz: 0 is no frequency");
        }
        return new Machine(hertz, take("machine.source"));
    }

    Noise noise() throws HostRefusal {
        List<Daemon> daemons = new ArrayList<>();
        for (String key : List.copyOf(left.keySet())) {
            if (key.startsWith("daemon.") && key.endsWith(".period")) {
                String name = key.substring("daemon.".length(), key.length() - ".period".length());
                daemons.add(new Daemon(name, period(key), number("daemon." + name + ".cycles")));
            }
        }
        return new Noise(
                number("noise.ticks-per-second"),
                number("noise.tick-cycles"),
                daemons,
                take("noise.source"));
    }

    private long period(String key) throws HostRefusal {
        String text = take(key);
        String digits = text.replaceFirst("\\s*[a-z]*$", "");
        long unit =
                switch (text.substring(digits.length()).strip()) {
                    case "", "ns" -> 1;
                    case "us" -> 1_000;
                    case "ms" -> 1_000_000;
                    case "s" -> 1_000_000_000;
                    default -> 0;
                };
        try {
            long nanos = Math.multiplyExact(Long.parseLong(digits), unit);
            if (nanos > 0) {
                return nanos;
            }
        } catch (NumberFormatException | ArithmeticException e) {
            // Said below.
        }
        throw new HostRefusal(
                "%s: %s: '%s' is not a time such as 250ms".formatted(where, key, text));
    }

    /** After all that is known has been taken. */
    void refuseTheRest() throws HostRefusal {
        if (!left.isEmpty()) {
            throw new HostRefusal(
                    where + ": unknown key '" + left.keySet().iterator().next() + "'");
        }
    }
}
