package org.alcazar.management.shell;

/**
 * A command of the shell: all that running, help and completion know of it.
 *
 * @param name with its scope, such as {@code vm:list}
 * @param summary one line for people
 * @param example a line that could be typed
 */
record Command(String name, Usage usage, String summary, String example, Action action) {
    /** What every command has: its result as JSON. */
    static final String JSON = "--json";

    /** What a command does. */
    @FunctionalInterface
    interface Action {
        /**
         * Does it.
         *
         * @throws UsageException if an argument is wrong
         * @throws org.alcazar.host.HostRefusal if what is asked cannot be done
         */
        Shown run(Call call) throws Exception;
    }

    static Command of(String name, String usage, String summary, String example, Action action) {
        String text = (usage + " [" + JSON + "]").strip();
        return new Command(name, Usage.of(text), summary, example, action);
    }

    /** How to type it, in one line. */
    String usageLine() {
        return name + " " + usage.text();
    }
}
