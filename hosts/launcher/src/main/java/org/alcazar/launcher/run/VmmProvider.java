package org.alcazar.launcher.run;

import org.alcazar.host.VmmControl;
import org.alcazar.launcher.message.Failure;

import java.nio.file.Path;
import java.util.List;

/** Starts a VMM. Tests put their own in its place. */
@FunctionalInterface
public interface VmmProvider {
    /** The host of guests that ask for none. */
    String DEFAULT_HOST = "jvm";

    /** A VMM that runs. */
    interface Vmm extends AutoCloseable {
        /** How to drive it. */
        VmmControl control();

        /** Ends it and leaves nothing behind. */
        @Override
        void close();
    }

    /**
     * Starts a VMM on a host.
     *
     * @param host the host's name, such as {@code jvm}
     * @param bundles to install beside the distribution's
     * @throws Failure if there is no such host, or a bundle does not start; nothing is left behind
     *     then
     */
    Vmm open(String host, List<Path> bundles) throws Failure;
}
