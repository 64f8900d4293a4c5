package org.alcazar.management.shell;

import java.util.Arrays;

/** What the words of a usage stand for: what a value means, and so what completes it. */
enum Word {
    /** A virtual machine, by name or number. */
    VM,
    /** A vcore, from 0. */
    CORE,
    /** A device or extension of the VM. */
    DEVICE,
    /** A type of device. */
    TYPE,
    /** An execution engine. */
    ENGINE,
    /** A paging mode. */
    MODE,
    /** A setting of the type, or of the VM where the command knows no type. */
    SETTING("KEY=VALUE"),
    /** A guest by name, or the file that describes it. */
    GUEST,
    /** A bundle by number, name, or the last part of its name. */
    BUNDLE,
    /** A file; relative to the client's folder. */
    FILE,
    /** A register of the VM's architecture. */
    REGISTER,
    /** A group of registers. */
    GROUP,
    /** A number, or a sum of numbers and registers. */
    ADDRESS,
    /** An event of the host. */
    EVENT,
    /** A command of the shell. */
    COMMAND,
    /** A family of plugin types. */
    FAMILY,
    /** Anything else, such as a number or a text. */
    OTHER("");

    private final String label;

    Word() {
        this.label = name();
    }

    Word(String label) {
        this.label = label;
    }

    static Word of(String label) {
        return Arrays.stream(values())
                .filter(word -> word.label.equals(label))
                .findFirst()
                .orElse(OTHER);
    }
}
