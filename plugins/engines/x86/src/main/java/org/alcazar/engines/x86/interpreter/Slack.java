package org.alcazar.engines.x86.interpreter;

import com.sun.management.OperatingSystemMXBean;

import org.alcazar.engines.x86.state.WorkTime;

import java.lang.management.ManagementFactory;

/**
 * Whether the host has processors to spare, as a core's thread sees it: by the processor time that
 * the process takes for each second of the thread's own. Reads no clock.
 */
final class Slack {
    /** Instructions between two looks, some hundredths of a second. */
    private static final long INTERVAL = 1 << 23;

    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private long looked;
    private long own;
    private long all;
    private boolean room;

    /**
     * Whether at least half a processor had nothing to do.
     *
     * @param retired instructions of the present thread's core
     */
    boolean room(long retired) {
        if (PROCESS != null && retired - looked >= INTERVAL) {
            looked = retired;
            long now = WorkTime.nanos();
            long process = PROCESS.getProcessCpuTime();
            int processors = PROCESS.getAvailableProcessors();
            room = own != 0 && spare(process - all, now - own, processors);
            own = now;
            all = process;
        }
        return room;
    }

    /**
     * @param process processor time that the process took
     * @param own what the thread took of it, which was about as long
     */
    static boolean spare(long process, long own, int processors) {
        return 2 * process <= (2L * processors - 1) * own;
    }
}
