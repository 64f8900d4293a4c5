package org.alcazar.host;

import java.util.List;

/** Optional: what a host has found out about where it runs. */
public interface HostNotes {
    /**
     * A line each for people: what the host got of what was wished, which privilege or resource it
     * lacks, and what works without. They may change while the host runs.
     */
    List<String> notes();
}
