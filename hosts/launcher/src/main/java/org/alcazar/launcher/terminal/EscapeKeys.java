package org.alcazar.launcher.terminal;

import java.util.Optional;

/**
 * Finds Alcazar's own keys in what is typed: Ctrl-A, then one more. Everything else, and a Ctrl-A
 * typed twice, is for the guest.
 */
public final class EscapeKeys {
    /** Ctrl-A. */
    public static final int ESCAPE = 1;

    /** What a person may ask of Alcazar. */
    public enum Command {
        /** End the VM. */
        END('x', "end the VM (exit status 130)"),
        /** Press the power button. */
        POWER('p', "press the power button"),
        /** Pause, or go on. */
        PAUSE('z', "pause the VM, or go on"),
        /** Show what the VM does. */
        INFORMATION('i', "show the VM's state"),
        /** List the keys. */
        HELP('h', "this list");

        private final char key;
        private final String doc;

        Command(char key, String doc) {
            this.key = key;
            this.doc = doc;
        }

        /** The key after Ctrl-A. */
        public char key() {
            return key;
        }

        /** What it does, in a few words. */
        public String doc() {
            return doc;
        }

        static Optional<Command> of(int octet) {
            for (Command command : values()) {
                // Ctrl may still be down.
                if (octet == command.key || octet == (command.key & 0x1f)) {
                    return Optional.of(command);
                }
            }
            return octet == '?' ? Optional.of(HELP) : Optional.empty();
        }
    }

    /** Takes what was found. */
    public interface Sink {
        /** A byte for the guest, 0 to 255. */
        void guest(int octet);

        /** A command for Alcazar. */
        void command(Command command);
    }

    private final Sink sink;
    private boolean escaped;

    /** Creates the filter in front of a sink. */
    public EscapeKeys(Sink sink) {
        this.sink = sink;
    }

    /** A byte was typed. */
    public void typed(int octet) {
        if (!escaped) {
            escaped = octet == ESCAPE;
            if (!escaped) {
                sink.guest(octet);
            }
            return;
        }
        escaped = false;
        if (octet == ESCAPE || octet == 'a') {
            sink.guest(ESCAPE);
        } else {
            // A slip of the fingers must not do anything but help.
            sink.command(Command.of(octet).orElse(Command.HELP));
        }
    }

    /** The list of keys, a line each. */
    public static String help() {
        StringBuilder text = new StringBuilder();
        for (Command command : Command.values()) {
            text.append("  Ctrl-A %c  %s\n".formatted(command.key(), command.doc()));
        }
        return text.append("  Ctrl-A Ctrl-A  send one Ctrl-A to the guest\n").toString();
    }
}
