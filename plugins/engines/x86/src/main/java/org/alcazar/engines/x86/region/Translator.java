package org.alcazar.engines.x86.region;

import org.jspecify.annotations.Nullable;

import java.util.function.Consumer;
import java.util.function.IntSupplier;

/** Makes regions for the cores of an engine. */
public interface Translator {
    /** Executions after which code is worth a translation. */
    int threshold();

    /**
     * Asks for a translation.
     *
     * @param heat how often it has run since it was worth it; read from any thread
     * @param done gets it, or null if there will be none; called from any thread, the caller's
     *     included, soon or after a while
     */
    void translate(Candidate candidate, IntSupplier heat, Consumer<@Nullable Translation> done);

    /** Ends what it does in the background; when this returns nothing of it runs any more. */
    default void close() {}
}
