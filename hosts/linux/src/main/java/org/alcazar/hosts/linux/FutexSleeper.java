package org.alcazar.hosts.linux;

import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.Sleeper;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/** Sleeps on a futex of the thread's own. A wake costs a system call only if somebody sleeps. */
final class FutexSleeper implements Sleeper {
    private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();

    /** FUTEX_WAIT and FUTEX_WAKE with FUTEX_PRIVATE_FLAG. */
    private static final int WAIT = 128;

    private static final int WAKE = 129;

    private static final int IDLE = 0;
    private static final int WOKEN = 1;
    private static final int ASLEEP = 2;
    private static final long TIMEOUT = 8;
    private static final long SECOND = 1_000_000_000;

    private final Primitives<LinuxPrimitive> primitives;

    /** The futex, and from offset 8 on a struct timespec. */
    private final MemorySegment memory;

    private final MemorySegment sleepersState;

    /** Several wakers may write it at once: what it holds is of no interest. */
    private final MemorySegment wakersState;

    FutexSleeper(Primitives<LinuxPrimitive> primitives) {
        this.primitives = primitives;
        Arena arena = Arena.ofAuto();
        memory = arena.allocate(24, Long.BYTES);
        sleepersState = Syscall.state(arena);
        wakersState = Syscall.state(arena);
    }

    @Override
    public void sleep(long nanos) {
        if (nanos > 0 && WORD.compareAndSet(memory, 0L, IDLE, ASLEEP)) {
            primitives.count(LinuxPrimitive.SLEEP);
            long timeout = 0;
            if (nanos != Long.MAX_VALUE) {
                memory.set(ValueLayout.JAVA_LONG, TIMEOUT, nanos / SECOND);
                memory.set(ValueLayout.JAVA_LONG, TIMEOUT + 8, nanos % SECOND);
                timeout = memory.address() + TIMEOUT;
            }
            Syscall.FUTEX.call(sleepersState, memory.address(), WAIT, ASLEEP, timeout, 0, 0);
        }
        WORD.setVolatile(memory, 0L, IDLE);
    }

    @Override
    public void wake() {
        if ((int) WORD.getAndSet(memory, 0L, WOKEN) == ASLEEP) {
            primitives.count(LinuxPrimitive.WAKE);
            try {
                Syscall.FUTEX.call(wakersState, memory.address(), WAKE, 1, 0, 0, 0);
            } finally {
                Reference.reachabilityFence(this); // the memory goes with the last that knows it
            }
        }
    }
}
