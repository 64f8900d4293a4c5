package org.alcazar.launcher.terminal;

/**
 * The mode of the terminal that standard input is on. Methods may be called in any order and from
 * any thread.
 */
public interface TerminalMode {
    /** Standard input is not a terminal, or not ours to change. */
    TerminalMode NONE =
            new TerminalMode() {
                @Override
                public boolean present() {
                    return false;
                }

                @Override
                public void raw() {}

                @Override
                public void restore() {}
            };

    /** Whether standard input is a terminal of which this process is in the foreground. */
    boolean present();

    /**
     * From now on every key reaches the guest: no echo, no lines, no signals. Output is treated as
     * before.
     */
    void raw();

    /** The mode that the terminal was found in. Changes nothing unless {@link #raw} was called. */
    void restore();
}
