package org.alcazar.machine;

/** A part whose state must be saved with the machine. Called in the pause barrier only. */
public interface Stateful {
    /** All of the state that a guest can notice. Changes nothing: two in a row are equal. */
    SavedState save();

    /**
     * Takes over a saved state, as if the part had always been in it. Lines and timers are driven
     * as the state says.
     *
     * @throws IncompatibleStateException if it does not fit; the part is unusable then
     */
    void restore(SavedState state);
}
