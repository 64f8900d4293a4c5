package org.alcazar.hosts.linux;

import org.alcazar.hosts.support.CLibrary;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Linux's system calls, by their numbers: the C library wraps not all of them, and this needs no
 * signature for each. Arguments are numbers and addresses; whoever passes an address keeps its
 * memory alive during the call. A call that blocks holds up nobody: the JVM lets the thread go.
 */
@SuppressWarnings("restricted")
enum Syscall {
    READ(0, 63),
    WRITE(1, 64),
    CLOSE(3, 57),
    MMAP(9, 222),
    IOCTL(16, 29),
    MADVISE(28, 233),
    SOCKET(41, 198),
    CONNECT(42, 203),
    SENDTO(44, 206),
    BIND(49, 200),
    SOCKETPAIR(53, 199),
    SCHED_SETSCHEDULER(144, 119),
    SCHED_GETSCHEDULER(145, 120),
    MLOCK(149, 228),
    MUNLOCK(150, 229),
    FUTEX(202, 98),
    MBIND(237, 235),
    OPENAT(257, 56),
    PPOLL(271, 73),
    TIMERFD_CREATE(283, 85),
    TIMERFD_SETTIME(286, 86),
    EVENTFD2(290, 19),
    PRLIMIT64(302, 261),
    MLOCK2(325, 284);

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(PathElement.groupElement("errno"));
    private static final boolean AMD64 = System.getProperty("os.arch", "").equals("amd64");

    /** {@code long syscall(long number, ...)} of the C library, always with six arguments. */
    private static final MethodHandle FUNCTION =
            CLibrary.find(
                            "syscall",
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG),
                            Linker.Option.firstVariadicArg(1),
                            Linker.Option.captureCallState("errno"))
                    .orElseThrow();

    private final long amd64;
    private final long aarch64;

    Syscall(long amd64, long aarch64) {
        this.amd64 = amd64;
        this.aarch64 = aarch64;
    }

    /** Whether this system has the calls by these numbers. */
    static boolean known() {
        String arch = System.getProperty("os.arch", "");
        return CLibrary.isLinux() && (arch.equals("amd64") || arch.equals("aarch64"));
    }

    /** Memory that {@link #call(MemorySegment, long, long, long, long, long, long)} needs. */
    static MemorySegment state(Arena arena) {
        return arena.allocate(STATE);
    }

    /**
     * Calls the system.
     *
     * @param state of {@link #state}, no other thread's
     * @return the result, or minus {@link Errno} if it failed
     */
    long call(MemorySegment state, long a, long b, long c, long d, long e, long f) {
        try {
            long number = AMD64 ? amd64 : aarch64;
            long result = (long) FUNCTION.invokeExact(state, number, a, b, c, d, e, f);
            return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
        } catch (RuntimeException | Error failed) {
            throw failed;
        } catch (Throwable failed) {
            throw new IllegalStateException(this + ": " + failed, failed);
        }
    }

    /** The same with its own state. */
    long call(long a, long b, long c, long d, long e, long f) {
        try (Arena arena = Arena.ofConfined()) {
            return call(state(arena), a, b, c, d, e, f);
        }
    }

    /** A call with at most four arguments. */
    long call(long a, long b, long c, long d) {
        return call(a, b, c, d, 0, 0);
    }

    /** A call with at most two arguments. */
    long call(long a, long b) {
        return call(a, b, 0, 0, 0, 0);
    }
}
