package org.alcazar.hosts.jvm;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;

import java.util.Map;
import java.util.Optional;

/** A host kernel made of what every JVM has. It has no interrupt lines of its own. */
public final class JvmHost implements HostKernel, AutoCloseable {
    private final JvmMemory memory;
    private final JvmProcessors processors = new JvmProcessors();
    private final JvmClock clock;
    private final Map<Class<?>, Object> services;

    /**
     * @param memoryLimit bytes that guests may use in all, or 0 for the machine's memory
     * @throws HostRefusal if the process can't reserve its range
     */
    public JvmHost(long memoryLimit) throws HostRefusal {
        memory = new JvmMemory(memoryLimit);
        clock = new JvmClock();
        services =
                Map.of(
                        HostFiles.class, new JvmFiles(),
                        HostConsoles.class, new JvmConsoles());
    }

    @Override
    public String name() {
        return "jvm";
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
        return NoInterrupts.INSTANCE;
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

    /** A JVM hears no interrupts. */
    private enum NoInterrupts implements HostInterrupts {
        INSTANCE;

        @Override
        public int lines() {
            return 0;
        }

        @Override
        public Registration hook(int line, Runnable handler) throws HostRefusal {
            throw new HostRefusal(
                    "host jvm: interrupt line "
                            + line
                            + " does not exist; this host has no interrupt lines");
        }

        @Override
        public void acknowledge(int line) {}
    }
}
