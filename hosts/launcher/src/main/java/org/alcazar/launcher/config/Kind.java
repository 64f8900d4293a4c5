package org.alcazar.launcher.config;

/** What a value looks like. */
public enum Kind {
    /** Any text. */
    TEXT,
    /** A file that must be there, not empty. */
    INPUT_FILE,
    /** A file that will be written. */
    OUTPUT_FILE,
    /** A whole number, decimal or hexadecimal with 0x. */
    INTEGER,
    /** A positive number, maybe with a fraction. */
    SECONDS,
    /** Bytes, with K, M, G or T. */
    SIZE,
    /** True or false; on the command line just the option. */
    SWITCH,
    /** One of some words. */
    CHOICE,
    /** {@code stdio}, {@code none} or {@code file:PATH}. */
    CONSOLE,
    /** A file and, after a space, its command line. */
    MODULE,
    /** A plugin's name, maybe with settings; text where there are none. */
    CHOSEN_PLUGIN,
    /** A plugin's type and settings, of which a VM may have several. */
    PLUGIN
}
