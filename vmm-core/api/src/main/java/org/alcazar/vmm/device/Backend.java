package org.alcazar.vmm.device;

/** What stands behind a device's frontend. */
public sealed interface Backend extends AutoCloseable
        permits BlockBackend, CharacterBackend, ConsoleBackend, NetworkBackend {
    @Override
    void close();
}
