package org.alcazar.hosts.linux;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.hosts.support.Notes;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.Sleeper;
import org.alcazar.hosts.support.ThreadProcessors;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Threads that sleep on futexes, with real-time priority where it is wished. */
final class LinuxProcessors extends ThreadProcessors {
    private static final int SCHED_FIFO = 1;

    /** Threads that a real-time thread starts (the JVM's, say) are ordinary ones. */
    private static final int SCHED_RESET_ON_FORK = 0x4000_0000;

    private final SystemTree tree;
    private final Privileges privileges;
    private final Primitives<LinuxPrimitive> primitives;
    private final Notes notes;
    private final int priority;

    /**
     * @param priority of SCHED_FIFO, or 0
     */
    LinuxProcessors(
            int priority,
            SystemTree tree,
            Privileges privileges,
            Cgroups cgroups,
            Primitives<LinuxPrimitive> primitives,
            Notes notes) {
        super("linux", cgroups.processors());
        this.priority = priority;
        this.tree = tree;
        this.privileges = privileges;
        this.primitives = primitives;
        this.notes = notes;
        notes.state(() -> {
            String bound =
                    cgroups.processors() == Integer.MAX_VALUE
                            ? ""
                            : ", as the control group's share of time allows";
            return "processors: %d%s%s"
                    .formatted(count(), bound, priority == 0 ? "" : ", priority " + priority);
        });
    }

    @Override
    public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
        HostThread thread = super.start(name, cpu, body);
        primitives.count(LinuxPrimitive.THREAD_START);
        return thread;
    }

    @Override
    protected Sleeper sleeper(Thread thread) {
        return new FutexSleeper(primitives);
    }

    @Override
    protected void began(Thread thread, int number) {
        if (priority == 0) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment parameter = arena.allocateFrom(ValueLayout.JAVA_INT, priority);
            long result =
                    Syscall.SCHED_SETSCHEDULER.call(
                            0, SCHED_FIFO | SCHED_RESET_ON_FORK, parameter.address(), 0);
            if (result < 0) {
                notes.shortOf(
                        "priority=" + priority,
                        "is refused (%s): %s; threads run with ordinary priority; right would be"
                                        .formatted(Errno.text(result), privileges.aboutPriority())
                                + " CAP_SYS_NICE or a higher `ulimit -r`");
            }
        }
    }

    @Override
    protected void moved(Thread thread, int cpu) {
        primitives.count(LinuxPrimitive.THREAD_MOVE);
    }

    /** Nominal if the kernel tells it, else the greatest, else that of the moment. */
    @Override
    public long frequency(int cpu) {
        int number = systemNumber(cpu);
        String folder = "/sys/devices/system/cpu/cpu" + number + "/cpufreq/";
        for (String name : List.of("base_frequency", "cpuinfo_max_freq")) {
            long kilohertz = tree.number(folder + name).orElse(0);
            if (kilohertz > 0) {
                return kilohertz * 1000;
            }
        }
        return megahertz(number);
    }

    private long megahertz(int number) {
        String current = "";
        for (String line : tree.lines("/proc/cpuinfo")) {
            int colon = line.indexOf(':');
            String value = colon < 0 ? "" : line.substring(colon + 1).strip();
            if (line.startsWith("processor")) {
                current = value;
            } else if (line.startsWith("cpu MHz") && current.equals(Integer.toString(number))) {
                return Math.round(Double.parseDouble(value) * 1e6);
            }
        }
        return 0;
    }
}
