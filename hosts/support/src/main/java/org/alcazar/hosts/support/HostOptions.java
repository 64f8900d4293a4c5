package org.alcazar.hosts.support;

import org.alcazar.host.HostRefusal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What somebody wants of a host: {@code key=value,key=value}, checked against the host's own list.
 *
 * <p>The list is the resource {@code options} in the package of the host's class, so that the
 * launcher's help can show it without starting the host. A line is {@code key | type | range |
 * default | what it does}; an empty line or one that starts with {@code #} says nothing. Types and
 * their ranges:
 *
 * <ul>
 *   <li>{@code size}: bytes with K, M, G or T; {@code least..most}, or empty
 *   <li>{@code integer}: {@code least..most}
 *   <li>{@code switch}: {@code true|false}
 *   <li>{@code choice}: the words with {@code |} between them, written with {@code /} in the list
 *   <li>{@code file}: a file that can be read; no default
 *   <li>{@code text}: anything
 * </ul>
 *
 * An empty default means that the option is off unless it is given.
 */
public final class HostOptions {
    /** The name of the resource. */
    public static final String RESOURCE = "options";

    private final Map<String, OptionSpec> list;
    private final Map<String, String> given;

    private HostOptions(Map<String, OptionSpec> list, Map<String, String> given) {
        this.list = list;
        this.given = given;
    }

    /**
     * Reads and checks.
     *
     * @param host its name, for messages
     * @param owner class beside whose file the list lies
     * @param text {@code key=value,key=value}, or empty
     * @throws HostRefusal with one line if a key is unknown or given twice, or a value is wrong
     */
    public static HostOptions read(String host, Class<?> owner, String text) throws HostRefusal {
        Map<String, OptionSpec> list = new LinkedHashMap<>();
        for (OptionSpec spec : list(owner)) {
            list.put(spec.key(), spec);
        }
        Map<String, String> given = new LinkedHashMap<>();
        for (String part : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String key = (equals < 0 ? part : part.substring(0, equals)).strip();
            OptionSpec spec = list.get(key);
            if (spec == null) {
                throw new HostRefusal(
                        "host %s: unknown option '%s'; %s"
                                .formatted(host, key, suggest(key, list.keySet())));
            }
            String value = equals < 0 ? "" : part.substring(equals + 1).strip();
            if (value.isEmpty()) {
                throw new HostRefusal(
                        "host %s: option '%s' lacks its value, as in %s=%s"
                                .formatted(host, key, key, spec.example()));
            }
            String wrong = spec.check(value);
            if (!wrong.isEmpty()) {
                throw new HostRefusal(
                        "host %s: %s: '%s' is not %s".formatted(host, key, value, wrong));
            }
            if (given.putIfAbsent(key, value) != null) {
                throw new HostRefusal("host %s: option '%s' is given twice".formatted(host, key));
            }
        }
        return new HostOptions(list, given);
    }

    private static String suggest(String key, Collection<String> names) {
        return Spelling.nearest(key, names)
                .map(name -> "did you mean '" + name + "'?")
                .orElseGet(() -> "there are: " + String.join(", ", names));
    }

    private static List<OptionSpec> list(Class<?> owner) {
        List<OptionSpec> list = new ArrayList<>();
        try (InputStream in = owner.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(owner.getPackageName() + " lacks " + RESOURCE);
            }
            var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            for (String line : lines.lines().toList()) {
                if (!line.isBlank() && !line.startsWith("#")) {
                    list.add(OptionSpec.of(line));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return list;
    }

    private OptionSpec spec(String key) {
        OptionSpec spec = list.get(key);
        if (spec == null) {
            throw new IllegalArgumentException("no option " + key);
        }
        return spec;
    }

    /** Whether the option was given, not only taken by default. */
    public boolean given(String key) {
        spec(key);
        return given.containsKey(key);
    }

    /** A text, choice or file; empty if it is neither given nor has a default. */
    public String text(String key) {
        return given.getOrDefault(key, spec(key).fallback());
    }

    /** A whole number or a size in bytes; 0 if it is neither given nor has a default. */
    public long number(String key) {
        String text = text(key);
        return text.isEmpty() ? 0 : OptionSpec.number(text);
    }

    /** Whether a switch is on. */
    public boolean on(String key) {
        return text(key).equals("true");
    }

    /** All options with the values that hold, in the order of the list. */
    public Map<String, String> values() {
        Map<String, String> values = new LinkedHashMap<>();
        list.keySet().forEach(key -> values.put(key, text(key)));
        return values;
    }
}
