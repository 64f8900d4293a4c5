package org.alcazar.hosts.jvm;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Alarm;
import org.alcazar.hosts.support.NoInterrupts;
import org.alcazar.hosts.support.PathFiles;
import org.alcazar.hosts.support.RangeMemory;
import org.alcazar.hosts.support.ServiceHost;
import org.alcazar.hosts.support.StreamConsoles;
import org.alcazar.hosts.support.ThreadProcessors;
import org.alcazar.hosts.support.TimerQueue;

import java.util.Map;

/** A host kernel made of what every JVM has. It has no interrupt lines of its own. */
public final class JvmHost extends ServiceHost {
    private static final String NAME = "jvm";

    private final RangeMemory memory;
    private final ThreadProcessors processors = new ThreadProcessors(NAME);
    private final NoInterrupts interrupts = new NoInterrupts(NAME);
    private final TimerQueue clock;
    private final Services services;

    /**
     * @param memoryLimit bytes that guests may use in all, or 0 for the machine's memory
     * @throws HostRefusal if the process can't reserve its range
     */
    public JvmHost(long memoryLimit) throws HostRefusal {
        super(NAME);
        memory = new RangeMemory(NAME, memoryLimit);
        clock = new TimerQueue(Alarm.ofJvm());
        services =
                new Services(
                        memory,
                        processors,
                        interrupts,
                        clock,
                        Map.of(
                                HostFiles.class, new PathFiles(),
                                HostConsoles.class, new StreamConsoles()));
    }

    @Override
    protected Services services() {
        return services;
    }

    /** Ends the timer thread. Memory still in use stays with its owners. */
    @Override
    public void close() {
        clock.close();
    }
}
