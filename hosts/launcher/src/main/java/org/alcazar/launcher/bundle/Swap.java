package org.alcazar.launcher.bundle;

import org.alcazar.launcher.message.Failure;

import java.nio.file.Path;

/** Puts a new version of a bundle into a running process. */
@FunctionalInterface
public interface Swap {
    /**
     * Exchanges the bundle of that name under the VMs that use it; one that is not there yet is
     * installed.
     *
     * @param jar the new version
     * @return what has been done, a line each, for people
     * @throws Failure if there is no such process, or it has refused: the old version runs on
     */
    String swap(Path jar) throws Failure;
}
