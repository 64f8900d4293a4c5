package org.alcazar.launcher.config;

import java.util.Arrays;
import java.util.Optional;

/** Keys and options that people look for and that nothing offers yet: refused with one line. */
public enum NotYet {
    BIOS("bios", "firmware cannot be loaded yet; give a kernel (bzImage, ELF, multiboot or raw)"),
    DISK(
            "disk",
            "no disk device exists yet; put files into an initial RAM file system and give it with"
                    + " --initrd FILE");

    private final String key;
    private final String why;

    NotYet(String key, String why) {
        this.key = key;
        this.why = why;
    }

    /** As people write it on the command line. */
    public String option() {
        return "--" + key;
    }

    /** Why not, and what there is instead: one line. */
    public String why() {
        return why;
    }

    /** What a key of a file asks for, if it is one of these. */
    static Optional<NotYet> of(String key) {
        return Arrays.stream(values()).filter(wish -> wish.key.equals(key)).findFirst();
    }
}
