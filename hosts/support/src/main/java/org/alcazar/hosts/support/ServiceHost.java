package org.alcazar.hosts.support;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostProcessors;

import java.util.Map;
import java.util.Optional;

/** A host kernel that has all its services when it has been made. */
public abstract class ServiceHost implements HostKernel, AutoCloseable {
    private final String name;

    protected ServiceHost(String name) {
        this.name = name;
    }

    /**
     * What a host offers.
     *
     * @param optional by the interface that {@link HostKernel#find} is asked for
     */
    protected record Services(
            HostMemory memory,
            HostProcessors processors,
            HostInterrupts interrupts,
            HostClock clock,
            Map<Class<?>, Object> optional) {
        public Services {
            optional = Map.copyOf(optional);
        }
    }

    /** The same each time. */
    protected abstract Services services();

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final HostMemory memory() {
        return services().memory;
    }

    @Override
    public final HostProcessors processors() {
        return services().processors;
    }

    @Override
    public final HostInterrupts interrupts() {
        return services().interrupts;
    }

    @Override
    public final HostClock clock() {
        return services().clock;
    }

    @Override
    public final <T> Optional<T> find(Class<T> service) {
        return Optional.ofNullable(services().optional.get(service)).map(service::cast);
    }

    /** Ends the host's own threads. */
    @Override
    public abstract void close();
}
