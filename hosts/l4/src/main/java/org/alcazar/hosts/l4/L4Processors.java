package org.alcazar.hosts.l4;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.Sleeper;
import org.alcazar.hosts.support.ThreadProcessors;

/**
 * Threads of the VMM, each a thread of the micro-kernel in the VMM's space. To sleep is to wait for
 * a message with a timeout, to wake is to send it.
 */
final class L4Processors extends ThreadProcessors {
    private final MicroKernel kernel;
    private final AddressSpace vmm;

    L4Processors(MicroKernel kernel, AddressSpace vmm) {
        super("l4");
        this.kernel = kernel;
        this.vmm = vmm;
    }

    @Override
    public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
        return start(kernel.newThread(vmm, name), true, cpu, body);
    }

    /**
     * Starts what a thread of the micro-kernel does; the thread ends with it.
     *
     * @param keepSpace whether its space stays when it is empty of threads
     */
    HostThread start(Tcb thread, boolean keepSpace, int cpu, Runnable body) throws HostRefusal {
        try {
            return super.start(
                    thread.name,
                    cpu,
                    () -> {
                        try {
                            body.run();
                        } finally {
                            kernel.kill(thread, keepSpace);
                        }
                    });
        } catch (HostRefusal e) {
            kernel.kill(thread, keepSpace);
            throw e;
        }
    }

    @Override
    protected Sleeper sleeper(Thread thread) {
        return new Counting(Sleeper.ofJvm(thread), kernel.primitives());
    }

    private record Counting(Sleeper beneath, Primitives<L4Primitive> primitives)
            implements Sleeper {
        @Override
        public void sleep(long nanos) {
            primitives.count(L4Primitive.CONTEXT_SWITCH);
            beneath.sleep(nanos);
        }

        @Override
        public void wake() {
            primitives.count(L4Primitive.IPC);
            beneath.wake();
        }
    }
}
