package org.alcazar.host.tck;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTimer;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.hosts.jvm.JvmHost;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A good host with every service in a wrapper, and the models of hardware that the JVM has not:
 * tests of the suite itself break one method of it.
 */
class Decorated implements HostKernel, AutoCloseable {
    final JvmHost inner;
    final ModelledPins pins = new ModelledPins();
    final ModelledPortal portal;
    final Set<PageExtent> held = ConcurrentHashMap.newKeySet();

    Decorated() throws HostRefusal {
        inner = new JvmHost(64 << 20);
        portal = new ModelledPortal(inner, held);
    }

    @Override
    public String name() {
        return "decorated";
    }

    @Override
    public HostMemory memory() {
        return new Memory(inner.memory(), held);
    }

    @Override
    public HostProcessors processors() {
        return new Processors(inner.processors());
    }

    @Override
    public HostInterrupts interrupts() {
        return pins;
    }

    @Override
    public HostClock clock() {
        return new Clock(inner.clock());
    }

    @Override
    public <T> Optional<T> find(Class<T> service) {
        if (service == HostInterruptPins.class) {
            return Optional.of(service.cast(pins));
        }
        return service == HostExitPortal.class
                ? Optional.of(service.cast(portal))
                : inner.find(service);
    }

    @Override
    public void close() {
        pins.close();
        inner.close();
    }

    static class Memory implements HostMemory {
        final HostMemory inner;
        private final Set<PageExtent> held;

        Memory(HostMemory inner, Set<PageExtent> held) {
            this.inner = inner;
            this.held = held;
        }

        @Override
        public long totalBytes() {
            return inner.totalBytes();
        }

        @Override
        public long bytesInUse(String owner) {
            return inner.bytesInUse(owner);
        }

        @Override
        public PageExtent allocate(PageRequest request) throws HostRefusal {
            PageExtent extent = inner.allocate(request);
            held.add(extent);
            return extent;
        }

        @Override
        public void free(PageExtent extent) {
            inner.free(extent);
            held.remove(extent);
        }
    }

    static class Processors implements HostProcessors {
        final HostProcessors inner;

        Processors(HostProcessors inner) {
            this.inner = inner;
        }

        @Override
        public int count() {
            return inner.count();
        }

        @Override
        public long frequency(int cpu) {
            return inner.frequency(cpu);
        }

        @Override
        public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
            return inner.start(name, cpu, body);
        }

        @Override
        public void callOn(int cpu, Runnable action) {
            inner.callOn(cpu, action);
        }

        @Override
        public void yield() {
            inner.yield();
        }

        @Override
        public void sleep(long nanos) {
            inner.sleep(nanos);
        }
    }

    static class Handle implements HostThread {
        final HostThread inner;

        Handle(HostThread inner) {
            this.inner = inner;
        }

        @Override
        public void move(int cpu) throws HostRefusal {
            inner.move(cpu);
        }

        @Override
        public void kick() {
            inner.kick();
        }

        @Override
        public void wake() {
            inner.wake();
        }

        @Override
        public boolean join(long nanos) {
            return inner.join(nanos);
        }
    }

    static class Clock implements HostClock {
        final HostClock inner;

        Clock(HostClock inner) {
            this.inner = inner;
        }

        @Override
        public long nanoTime() {
            return inner.nanoTime();
        }

        @Override
        public long epochNanos() {
            return inner.epochNanos();
        }

        @Override
        public HostTimer timer(String name, Runnable action) {
            return inner.timer(name, action);
        }
    }

    static class Timer implements HostTimer {
        final HostTimer inner;

        Timer(HostTimer inner) {
            this.inner = inner;
        }

        @Override
        public void arm(long deadline) {
            inner.arm(deadline);
        }

        @Override
        public void cancel() {
            inner.cancel();
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
