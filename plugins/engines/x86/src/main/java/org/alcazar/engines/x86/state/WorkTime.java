package org.alcazar.engines.x86.state;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** Processor time of the present thread, which is no clock. */
public final class WorkTime {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private static final boolean KNOWN = THREADS.isCurrentThreadCpuTimeSupported();

    private WorkTime() {}

    /** In nanoseconds; 0 if this JVM does not know. */
    public static long nanos() {
        return KNOWN ? THREADS.getCurrentThreadCpuTime() : 0;
    }
}
