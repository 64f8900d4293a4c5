package org.alcazar.launcher.guest;

/**
 * Told what a recipe is doing, in order to show it to a person. Calls come from one thread, in the
 * order {@code start (step)* done}, once for each phase; a phase that fails has no {@code done}.
 */
public interface Progress {
    /** Says nothing to nobody. */
    Progress SILENT =
            new Progress() {
                @Override
                public void start(String phase) {}

                @Override
                public void step(String text) {}

                @Override
                public void done() {}
            };

    /**
     * A phase begins.
     *
     * @param phase a few words without a full stop, for example "fetching busybox-static"
     */
    void start(String phase);

    /**
     * Something happens within the phase.
     *
     * @param text a few words, for example a package's version and size
     */
    void step(String text);

    /** The phase is over and went well. */
    void done();
}
