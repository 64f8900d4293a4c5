package org.alcazar.hosts.minix;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.hosts.support.Sleeper;
import org.alcazar.hosts.support.ThreadProcessors;

/** The VMM's threads. */
final class MinixProcessors extends ThreadProcessors {
    private final Kernel kernel;

    MinixProcessors(Kernel kernel) {
        super("minix");
        this.kernel = kernel;
    }

    @Override
    public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
        HostThread thread = super.start(name, cpu, body);
        kernel.count(MinixPrimitive.THREAD_START);
        return thread;
    }

    @Override
    protected Sleeper sleeper(Thread thread) {
        return new CountingSleeper(Sleeper.ofJvm(thread), kernel);
    }

    /** A sleep is a switch to somebody else. */
    private record CountingSleeper(Sleeper sleeper, Kernel kernel) implements Sleeper {
        @Override
        public void sleep(long nanos) {
            kernel.count(MinixPrimitive.CONTEXT_SWITCH);
            sleeper.sleep(nanos);
        }

        @Override
        public void wake() {
            sleeper.wake();
        }
    }
}
