package org.alcazar.engines.x86.region;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/** Makes regions for the cores of an engine. */
public interface Translator {
    /** Executions after which code is worth a translation. */
    int threshold();

    /**
     * Entries and loops of a quick translation after which its code is worth a full one: eight for
     * each execution that the quick one took.
     *
     * @return at least 1
     */
    default int patience() {
        return (int) Math.min(Integer.MAX_VALUE, 8L * threshold());
    }

    /**
     * Asks for a translation.
     *
     * @param heat how often it has run since it was worth it; read from any thread
     * @param done gets it, or null if there will be none; called from any thread, the caller's
     *     included, soon or after a while
     */
    void translate(Candidate candidate, IntSupplier heat, Consumer<@Nullable Translation> done);

    /** Candidates that nobody has begun to translate; from any thread. */
    default int waiting() {
        return 0;
    }

    /** Adds what there is to know of all it has made to counters; from any thread. */
    default void count(Map<String, Long> all) {}

    /** Ends what it does in the background; when this returns nothing of it runs any more. */
    default void close() {}
}
