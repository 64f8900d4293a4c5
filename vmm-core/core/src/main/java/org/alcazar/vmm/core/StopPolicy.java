package org.alcazar.vmm.core;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What a VM does when a bundle that it uses is stopped and has no successor. */
enum StopPolicy {
    /** The stop is refused; where it can't be, the VM goes on with the stopped bundle's code. */
    REFUSE,
    /** The VM is paused until somebody resumes it, or a successor takes over. */
    PAUSE,
    /** Devices of the bundle are taken out of the VM; for other parts it is paused. */
    UNPLUG;

    static final String KEY = "on-bundle-stop";
    static final List<String> NAMES = Stream.of(values()).map(StopPolicy::word).toList();

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @param word one of NAMES
     */
    static StopPolicy of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }
}
