package org.alcazar.vmm.plugin;

import java.util.List;

/**
 * One key of a configuration.
 *
 * @param minimum and {@code maximum}: inclusive range of INTEGER and SIZE values
 * @param choices permitted values of a CHOICE
 * @param fallback the default as it would be written; empty for none
 * @param required whether the key must be given
 * @param doc one line for people
 */
public record Key(
        String name,
        Kind kind,
        long minimum,
        long maximum,
        List<String> choices,
        String fallback,
        boolean required,
        String doc) {
    /** Types of values. */
    public enum Kind {
        /** Decimal, or hexadecimal with 0x. */
        INTEGER,
        /** Bytes, with K, M, G or T. */
        SIZE,
        BOOLEAN,
        STRING,
        /** A file's path. */
        PATH,
        CHOICE,
        /** Name of a backend. */
        BACKEND
    }

    public static Key integer(String name, long minimum, long maximum, long fallback, String doc) {
        return new Key(
                name,
                Kind.INTEGER,
                minimum,
                maximum,
                List.of(),
                Long.toString(fallback),
                false,
                doc);
    }

    public static Key bool(String name, boolean fallback, String doc) {
        return new Key(name, Kind.BOOLEAN, 0, 1, List.of(), Boolean.toString(fallback), false, doc);
    }

    public static Key string(String name, String fallback, String doc) {
        return new Key(name, Kind.STRING, 0, 0, List.of(), fallback, false, doc);
    }

    public static Key path(String name, String doc) {
        return new Key(name, Kind.PATH, 0, 0, List.of(), "", false, doc);
    }

    public static Key size(String name, long minimum, long maximum, String fallback, String doc) {
        return new Key(name, Kind.SIZE, minimum, maximum, List.of(), fallback, false, doc);
    }

    public static Key choice(String name, List<String> choices, String fallback, String doc) {
        return new Key(name, Kind.CHOICE, 0, 0, List.copyOf(choices), fallback, false, doc);
    }

    public static Key backend(String name, String fallback, String doc) {
        return new Key(name, Kind.BACKEND, 0, 0, List.of(), fallback, false, doc);
    }

    public Key mandatory() {
        return new Key(name, kind, minimum, maximum, choices, fallback, true, doc);
    }
}
