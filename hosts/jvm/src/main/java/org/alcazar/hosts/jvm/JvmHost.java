package org.alcazar.hosts.jvm;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Alarm;
import org.alcazar.hosts.support.NoInterrupts;
import org.alcazar.hosts.support.PathFiles;
import org.alcazar.hosts.support.RangeMemory;
import org.alcazar.hosts.support.StreamConsoles;
import org.alcazar.hosts.support.ThreadProcessors;
import org.alcazar.hosts.support.TimerQueue;

import java.util.Map;
import java.util.Optional;

/** A host kernel made of what every JVM has. It has no interrupt lines of its own. */
public final class JvmHost implements HostKernel, AutoCloseable {
    private static final String NAME = "jvm";

    private final RangeMemory memory;
    private final ThreadProcessors processors = new ThreadProcessors(NAME);
    private final NoInterrupts interrupts = new NoInterrupts(NAME);
    private final TimerQueue clock;
    private final Map<Class<?>, Object> services;

    /**
     * @param memoryLimit bytes that guests may use in all, or 0 for the machine's memory
     * @throws HostRefusal if the process can't reserve its range
     */
    public JvmHost(long memoryLimit) throws HostRefusal {
        memory = new RangeMemory(NAME, memoryLimit);
        clock = new TimerQueue(Alarm.ofJvm());
        services =
                Map.of(
                        HostFiles.class, new PathFiles(),
                        HostConsoles.class, new StreamConsoles());
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public HostMemory memory() {
        return memory;
    }

    @Override
    public HostProcessors processors() {
        return processors;
    }

    @Override
    public HostInterrupts interrupts() {
        return interrupts;
    }

    @Override
    public HostClock clock() {
        return clock;
    }

    @Override
    public <T> Optional<T> find(Class<T> service) {
        return Optional.ofNullable(services.get(service)).map(service::cast);
    }

    /** Ends the timer thread. Memory still in use stays with its owners. */
    @Override
    public void close() {
        clock.close();
    }
}
