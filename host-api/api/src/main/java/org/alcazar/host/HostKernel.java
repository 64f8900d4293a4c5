package org.alcazar.host;

import java.util.Optional;

/** A host kernel as the VMM sees it. All methods may be called from any thread. */
public interface HostKernel {
    /** A short lower-case name, such as {@code jvm}. */
    String name();

    HostMemory memory();

    HostProcessors processors();

    HostInterrupts interrupts();

    HostClock clock();

    /** An optional service (files, consoles, exit portal, …) or empty where this host has none. */
    <T> Optional<T> find(Class<T> service);
}
