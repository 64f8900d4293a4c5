package org.alcazar.engines.x86.interpreter;

import java.util.Locale;

/** Why decoded code, and regions with it, is given up. */
enum Loss {
    /** Somebody wrote to its page. */
    WRITTEN,

    /** Somebody may have written to its page unseen: {@link Unsettled}. */
    UNSETTLED,

    /** The VMM's tables have changed while it ran. */
    REMAPPED,

    /** Its second page is another one now. */
    MOVED,

    /** There was too much of it. */
    FULL,

    /** The core is gone. */
    CLOSED;

    /** For counters and recordings. */
    String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
