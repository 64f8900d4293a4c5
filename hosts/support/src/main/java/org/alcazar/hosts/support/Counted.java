package org.alcazar.hosts.support;

import java.util.Locale;

/** A primitive of a host: its constants are an enum that implements this. */
public interface Counted {
    /** The constant's own name. */
    String name();

    /** One line for people: what is counted. */
    String meaning();

    /** The name in files and figures: {@code page-allocation} for {@code PAGE_ALLOCATION}. */
    default String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
