package org.alcazar.launcher.run;

import org.alcazar.host.VmmControl;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Starts a VMM. Tests put their own in its place. */
@FunctionalInterface
public interface VmmProvider {
    /** A VMM that runs. */
    interface Vmm extends AutoCloseable {
        /** How to drive it. */
        VmmControl control();

        /** What the host has found out about where it runs, a line each for people. */
        default List<String> hostNotes() {
            return List.of();
        }

        /** An optional service of the host beneath. */
        default <T> Optional<T> hostService(Class<T> type) {
            return Optional.empty();
        }

        /** Ends it and leaves nothing behind. */
        @Override
        void close();
    }

    /**
     * Starts a VMM on a host.
     *
     * @param host its name and options
     * @param bundles to install beside the distribution's
     * @throws Failure if there is no such host, it does not take the options, or a bundle does not
     *     start; nothing is left behind then
     */
    Vmm open(HostChoice host, List<Path> bundles) throws Failure;
}
