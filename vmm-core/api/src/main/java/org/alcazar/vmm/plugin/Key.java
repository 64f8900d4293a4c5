package org.alcazar.vmm.plugin;

import java.util.List;

/**
 * One key of a configuration.
 *
 * @param name as it is written: small letters, digits and hyphens
 * @param kind what values look like
 * @param minimum least INTEGER, or SIZE in bytes
 * @param maximum greatest INTEGER, or SIZE in bytes; it is permitted itself
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
        /** True, yes or on; false, no or off. */
        BOOLEAN,
        /** Any text. */
        STRING,
        /** A file's path. */
        PATH,
        /** One of a few words, as written in {@link Key#choices}. */
        CHOICE,
        /** Name of a backend. */
        BACKEND
    }

    /** A whole number from {@code minimum} to {@code maximum}, both included. */
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

    /** A yes or no. */
    public static Key bool(String name, boolean fallback, String doc) {
        return new Key(name, Kind.BOOLEAN, 0, 1, List.of(), Boolean.toString(fallback), false, doc);
    }

    /** Any text; an empty {@code fallback} means that there is none. */
    public static Key string(String name, String fallback, String doc) {
        return new Key(name, Kind.STRING, 0, 0, List.of(), fallback, false, doc);
    }

    /** A file's path, empty if it is not given. */
    public static Key path(String name, String doc) {
        return new Key(name, Kind.PATH, 0, 0, List.of(), "", false, doc);
    }

    /**
     * A number of bytes.
     *
     * @param minimum in bytes, included
     * @param maximum in bytes, included
     * @param fallback as it would be written, such as {@code 64M}
     */
    public static Key size(String name, long minimum, long maximum, String fallback, String doc) {
        return new Key(name, Kind.SIZE, minimum, maximum, List.of(), fallback, false, doc);
    }

    /**
     * One word of a list; capitals count.
     *
     * @param fallback one of the choices
     */
    public static Key choice(String name, List<String> choices, String fallback, String doc) {
        return new Key(name, Kind.CHOICE, 0, 0, List.copyOf(choices), fallback, false, doc);
    }

    /** The name of a backend, such as {@code host}; which there are is seen when the VM is made. */
    public static Key backend(String name, String fallback, String doc) {
        return new Key(name, Kind.BACKEND, 0, 0, List.of(), fallback, false, doc);
    }

    /** The same, but a configuration without it is refused; the fallback is never used then. */
    public Key mandatory() {
        return new Key(name, kind, minimum, maximum, choices, fallback, true, doc);
    }
}
