package org.alcazar.vmm.device;

/** What stands behind a device's frontend. */
public sealed interface Backend extends AutoCloseable
        permits BlockBackend, CharacterBackend, ConsoleBackend, NetworkBackend {
    /**
     * Gives its successor of a newer version what it has open, such as files; then it is closed.
     */
    default void handOver(Handover to) {}

    @Override
    void close();
}
