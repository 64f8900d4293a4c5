package org.alcazar.launcher.config;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * All keys of a guest's description, which are also the options of {@code alcazar run}. This is the
 * one list: the command line, its help, the reader of files and the tree for the VMM follow from
 * it.
 */
public enum GuestKey {
    NAME("name", Kind.TEXT, "TEXT", "name of the VM in messages and statistics"),
    DESCRIPTION("description", Kind.TEXT, "TEXT", "one line for people"),
    PLATFORM(
            "platform",
            Kind.CHOSEN_PLUGIN,
            "NAME",
            "kind of machine: its memory layout and standard devices"),
    KERNEL("kernel", Kind.INPUT_FILE, "FILE", "kernel: bzImage, ELF, multiboot or raw image"),
    INITRD("initrd", Kind.INPUT_FILE, "FILE", "initial RAM file system"),
    MODULES("modules", Kind.MODULE, "FILE[ TEXT]", "multiboot module with its command line"),
    LOADER("loader", Kind.TEXT, "NAME", "how the kernel is loaded, if not by its contents"),
    APPEND("append", Kind.TEXT, "TEXT", "the kernel's command line"),
    ADDRESS("address", Kind.INTEGER, "NUMBER", "guest-physical address of a raw image"),
    MEMORY("memory", Kind.SIZE, "SIZE", "RAM, such as 512M"),
    CPUS("cpus", Kind.INTEGER, "N", "virtual processors"),
    PIN(
            "pin",
            Kind.TEXT,
            "free|auto|CPU,...",
            "processors of the host that the virtual ones run on, in their order"),
    CPU_MODEL(
            "cpu-model",
            Kind.TEXT,
            "NAME",
            "processor that the guest sees: x86-64-v1, x86-64-v2 or max"),
    ENGINE(
            "engine",
            Kind.CHOSEN_PLUGIN,
            "NAME",
            "what runs the guest's instructions, such as interpreter"),
    HOST(
            "host",
            Kind.CHOSEN_PLUGIN,
            "NAME[,KEY=VALUE...]",
            "host kernel beneath the VMM, such as jvm, and its options"),
    PAGING("paging", Kind.CHOSEN_PLUGIN, "NAME", "paging mode, such as nested or direct"),
    SWAP(
            "swap",
            Kind.CHOSEN_PLUGIN,
            "NAME[,KEY=VALUE...]",
            "has RAM beyond limit=SIZE in file=FILE; which pages go first, such as pseudo-lru"),
    DEVICES(
            "devices",
            Kind.PLUGIN,
            "TYPE[,KEY=VALUE...]",
            "a device beside the platform's own, or settings for one of these"),
    EXTENSIONS(
            "extensions",
            Kind.PLUGIN,
            "TYPE[,KEY=VALUE...]",
            "an extension of the VMM, such as a symbiotic one"),
    BUNDLES(
            "bundles",
            Kind.INPUT_FILE,
            "FILE.jar",
            "bundle that is installed and started with the others"),
    CLOCK("clock", Kind.CHOICE, "host|instructions", "what drives the guest's time"),
    SEED("seed", Kind.INTEGER, "N", "seed of everything random"),
    EPOCH(
            "epoch",
            Kind.TEXT,
            "DATE",
            "the guest's date at its start, such as 2026-01-01T00:00:00Z"),
    CONSOLE("console", Kind.CONSOLE, "stdio|none|file:PATH", "where the guest's console goes"),
    NO_REBOOT(
            "no-reboot",
            Kind.SWITCH,
            "true|false",
            "end with status 8 where the guest would reset"),
    ON_BUNDLE_STOP(
            "on-bundle-stop",
            Kind.CHOICE,
            "refuse|pause|unplug",
            "what happens when a bundle in use is stopped"),
    EXIT_REGISTERS(
            "exit-registers",
            Kind.TEXT,
            "GROUP,...",
            "register groups that come with each exit, on hosts where exits are messages"),
    CALL_LIMIT("call-limit", Kind.INTEGER, "SECONDS", "time that a call into a plugin may take"),
    TIMEOUT("timeout", Kind.SECONDS, "SECONDS", "end with status 124 after so long"),
    STATS(
            "stats",
            Kind.OUTPUT_FILE,
            "FILE.json",
            "write exits, instructions and wall times there at the end");

    private final String key;
    private final Kind kind;
    private final String label;
    private final String doc;

    GuestKey(String key, Kind kind, String label, String doc) {
        this.key = key;
        this.kind = kind;
        this.label = label;
        this.doc = doc;
    }

    /** As written in a file. */
    public String key() {
        return key;
    }

    /** As written on the command line; empty for what only a file says. */
    public String option() {
        return switch (this) {
            case DESCRIPTION, PLATFORM, NAME -> "";
            case MODULES, DEVICES, EXTENSIONS, BUNDLES -> "--" + key.substring(0, key.length() - 1);
            default -> "--" + key;
        };
    }

    /** Whether it may be given several times, or as a list. */
    public boolean repeatable() {
        return switch (this) {
            case MODULES, DEVICES, EXTENSIONS, BUNDLES, PIN, EXIT_REGISTERS -> true;
            default -> false;
        };
    }

    /** What its values look like. */
    public Kind kind() {
        return kind;
    }

    /** The value's form, for help. */
    public String label() {
        return label;
    }

    /** One line for people. */
    public String doc() {
        return doc;
    }

    /** Words of a {@link Kind#CHOICE}. */
    public List<String> choices() {
        return kind == Kind.CHOICE ? List.of(label.split("\\|")) : List.of();
    }

    /** Least value of an INTEGER. */
    long minimum() {
        return switch (this) {
            case CPUS, CALL_LIMIT -> 1;
            case SEED -> Long.MIN_VALUE;
            default -> 0;
        };
    }

    /** Greatest value of an INTEGER. */
    long maximum() {
        return switch (this) {
            case CPUS -> 64;
            case CALL_LIMIT -> 3600;
            default -> Long.MAX_VALUE;
        };
    }

    /** Whether the VMM is told; the others are the launcher's own. */
    public boolean forVmm() {
        return switch (this) {
            case DESCRIPTION, HOST, BUNDLES, TIMEOUT, STATS -> false;
            default -> true;
        };
    }

    /** The key with that name. */
    public static Optional<GuestKey> of(String key) {
        return Arrays.stream(values()).filter(k -> k.key.equals(key)).findFirst();
    }

    /** The names of all keys. */
    public static List<String> names() {
        return Arrays.stream(values()).map(GuestKey::key).toList();
    }
}
