package org.alcazar.hosts.support;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which processors a thread may run on: Linux's sched_setaffinity, for the JVM has no say in it.
 * Processors are those that this process could use when it started, from 0 in the order of their
 * numbers.
 */
@SuppressWarnings("restricted")
final class Placement {
    /** As large as glibc's cpu_set_t. */
    private static final int SET_BYTES = 128;

    private static final FunctionDescriptor AFFINITY =
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS);

    private final Optional<MethodHandle> self =
            CLibrary.find("gettid", FunctionDescriptor.of(ValueLayout.JAVA_INT));
    private final Optional<MethodHandle> setter = CLibrary.find("sched_setaffinity", AFFINITY);
    private final List<Integer> numbers;

    /**
     * @param most how many processors at most, the first ones
     */
    Placement(int most) {
        List<Integer> all = allowed();
        numbers = all.subList(0, Math.min(most, all.size()));
    }

    /** How many processors there are; 0 where threads can't be placed. */
    int count() {
        return self.isPresent() && setter.isPresent() ? numbers.size() : 0;
    }

    /** The system's number of a processor. */
    int number(int cpu) {
        return numbers.get(cpu);
    }

    /** The system's number of the current thread, 0 where threads can't be placed. */
    int current() {
        try {
            return count() == 0 ? 0 : (int) self.orElseThrow().invokeExact();
        } catch (Throwable e) {
            throw failed("gettid", e);
        }
    }

    /**
     * Lets a thread run on one processor.
     *
     * @param thread as {@link #current} gives it
     * @return whether the system did it; it does not where the processor has been taken away
     */
    boolean place(int thread, int cpu) {
        return apply(thread, numbers.subList(cpu, cpu + 1));
    }

    /** Lets a thread run anywhere. */
    boolean free(int thread) {
        return apply(thread, numbers);
    }

    private boolean apply(int thread, List<Integer> chosen) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(SET_BYTES, Long.BYTES);
            for (int number : chosen) {
                byte bits = set.get(ValueLayout.JAVA_BYTE, number / 8);
                set.set(ValueLayout.JAVA_BYTE, number / 8, (byte) (bits | 1 << number % 8));
            }
            return (int) setter.orElseThrow().invokeExact(thread, (long) SET_BYTES, set) == 0;
        } catch (Throwable e) {
            throw failed("sched_setaffinity", e);
        }
    }

    /** Empty if the system does not tell, as where it has more than 1024 processors. */
    private static List<Integer> allowed() {
        Optional<MethodHandle> getter = CLibrary.find("sched_getaffinity", AFFINITY);
        List<Integer> out = new ArrayList<>();
        if (getter.isPresent()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment set = arena.allocate(SET_BYTES, Long.BYTES);
                boolean told = (int) getter.get().invokeExact(0, (long) SET_BYTES, set) == 0;
                for (int number = 0; told && number < 8 * SET_BYTES; number++) {
                    if ((set.get(ValueLayout.JAVA_BYTE, number / 8) >> number % 8 & 1) != 0) {
                        out.add(number);
                    }
                }
            } catch (Throwable e) {
                throw failed("sched_getaffinity", e);
            }
        }
        return List.copyOf(out);
    }

    private static RuntimeException failed(String function, Throwable cause) {
        if (cause instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(function + ": " + cause, cause);
    }
}
