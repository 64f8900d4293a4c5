package org.alcazar.hosts.linux;

import org.alcazar.host.HostRefusal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** File descriptors: eventfd, and waiting for two of them at once. */
final class Descriptors {
    /** The same for files, sockets, eventfd and timerfd. */
    static final int NONBLOCK = 0x800;

    static final int CLOEXEC = 0x8_0000;

    private static final short POLLIN = 1;

    private Descriptors() {}

    /** An eventfd at zero. */
    static int event() throws HostRefusal {
        return opened(Syscall.EVENTFD2.call(0, NONBLOCK | CLOEXEC), "eventfd");
    }

    /**
     * A call's result as a descriptor.
     *
     * @throws HostRefusal if the call failed
     */
    static int opened(long result, String what) throws HostRefusal {
        if (result < 0) {
            throw new HostRefusal("host linux: no " + what + ": " + Errno.text(result));
        }
        return (int) result;
    }

    static void close(int descriptor) {
        if (descriptor >= 0) {
            Syscall.CLOSE.call(descriptor, 0);
        }
    }

    /** Adds one to an eventfd. */
    static void signal(int event) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(ValueLayout.JAVA_LONG);
            one.set(ValueLayout.JAVA_LONG, 0, 1);
            Syscall.WRITE.call(event, one.address(), Long.BYTES, 0);
        }
    }

    /** Waits for input on two descriptors; used by one thread. */
    static final class Poll {
        private static final long ENTRY = 8;
        private static final long RETURNED = 6;

        private final Arena arena = Arena.ofAuto();
        private final MemorySegment entries = arena.allocate(2 * ENTRY, Long.BYTES);
        private final MemorySegment state = Syscall.state(arena);
        private final MemorySegment number = arena.allocate(ValueLayout.JAVA_LONG);

        Poll(int first, int second) {
            for (int i = 0; i < 2; i++) {
                entries.set(ValueLayout.JAVA_INT, i * ENTRY, i == 0 ? first : second);
                entries.set(ValueLayout.JAVA_SHORT, i * ENTRY + 4, POLLIN);
            }
        }

        /** Waits without a limit; may return with nothing ready. */
        void await() {
            for (int i = 0; i < 2; i++) {
                entries.set(ValueLayout.JAVA_SHORT, i * ENTRY + RETURNED, (short) 0);
            }
            Syscall.PPOLL.call(state, entries.address(), 2, 0, 0, 0, 0);
        }

        /**
         * Whether there is something (input, an end or an error) since the last wait.
         *
         * @param which 0 or 1
         */
        boolean ready(int which) {
            return entries.get(ValueLayout.JAVA_SHORT, which * ENTRY + RETURNED) != 0;
        }

        /** Takes the number out of an eventfd or a timerfd that is ready. */
        void take(int which) {
            int descriptor = entries.get(ValueLayout.JAVA_INT, which * ENTRY);
            Syscall.READ.call(state, descriptor, number.address(), Long.BYTES, 0, 0, 0);
        }
    }
}
