package org.alcazar.machine;

/** A wire into an interrupt controller. Safe from any thread. */
@FunctionalInterface
public interface InterruptLine {
    /** A wire that ends nowhere. */
    InterruptLine NONE = level -> {};

    /** Drives the wire high (active) or low. */
    void set(boolean level);

    default void raise() {
        set(true);
    }

    default void lower() {
        set(false);
    }

    /** A rising edge. */
    default void pulse() {
        set(true);
        set(false);
    }
}
