package org.alcazar.engines.x86.region;

import org.jspecify.annotations.Nullable;

import java.util.function.Consumer;

/** Makes regions; shared by the machines of an engine provider. */
public interface Translator {
    /** Executions after which code is worth a translation. */
    int threshold();

    /**
     * Asks for a translation.
     *
     * @param done gets it, or null if there will be none; called from any thread, the caller's
     *     included, soon or after a while
     */
    void translate(Candidate candidate, Consumer<@Nullable Translation> done);
}
