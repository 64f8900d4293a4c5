package org.alcazar.host;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Optional: programs that run directly on the host's kernel, in user mode, without any VMM; beside
 * virtual machines where there are some.
 */
public interface HostNative {
    /**
     * Starts a program.
     *
     * @throws HostRefusal if the image is not one that this host runs, there is no such engine, or
     *     memory is lacking; nothing was taken then
     */
    Program start(Wish wish) throws HostRefusal;

    /**
     * What shall run.
     *
     * @param name for people and for the account of memory ({@code native:NAME}), which no running
     *     program has
     * @param image a statically linked executable of the processor that the engine models (x86-64
     *     ELF)
     * @param arguments after the program's name
     * @param engine what executes it, such as {@code interpreter}; empty for the host's choice
     * @param memory bytes that it may use in all, tables included
     * @param console its input and output; it stays the caller's
     */
    record Wish(
            String name,
            byte[] image,
            List<String> arguments,
            String engine,
            long memory,
            HostConsoles.Console console) {
        public Wish {
            arguments = List.copyOf(arguments);
        }
    }

    /** A program that was started. All methods may be called from any thread. */
    interface Program {
        /**
         * Calls {@code action} once when the program has ended and all that it had is returned; at
         * once if that is so already. On a thread of the host; short.
         */
        void onEnd(Consumer<End> action);

        /** Ends it soon, whatever it does. Does not wait. */
        void stop();

        /** Figures by name: instructions, system calls, page faults and the like. */
        Map<String, Long> statistics();
    }

    /** Why a program ended. */
    enum Cause {
        /** It ended itself. */
        EXITED,
        /** It did what is not allowed, and none of its threads can go on. */
        FAILED,
        /** {@link Program#stop}. */
        STOPPED
    }

    /**
     * The end of a program.
     *
     * @param code what it ended itself with, 0 to 255
     * @param complaints a line for each of its threads that could not go on, oldest first, and for
     *     what ended it; there may be some also where it ended itself
     */
    record End(Cause cause, int code, List<String> complaints) {
        public End {
            complaints = List.copyOf(complaints);
        }
    }
}
