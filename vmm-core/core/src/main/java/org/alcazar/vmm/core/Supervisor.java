package org.alcazar.vmm.core;

import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

import java.util.ArrayDeque;
import java.util.function.Consumer;

/** A VM's own thread for what vcores ask for and can't do themselves: a reset, a pause, the end. */
final class Supervisor {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);

    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
    private final String vm;
    private final Consumer<Throwable> broken;
    private volatile @Nullable Thread self;
    private @Nullable HostThread host;
    private boolean quit;

    /**
     * @param broken told of requests that throw, on the thread
     */
    Supervisor(String vm, Consumer<Throwable> broken) {
        this.vm = vm;
        this.broken = broken;
    }

    void start(HostProcessors processors) throws HostRefusal {
        host = processors.start(vm + "/supervisor", HostThread.ANY_CPU, this::run);
    }

    void submit(Runnable action) {
        synchronized (queue) {
            queue.add(action);
            queue.notifyAll();
        }
    }

    boolean isCurrent() {
        return Thread.currentThread() == self;
    }

    /** Ends the thread after what it is doing, and waits for that unless this is the thread. */
    void quit(long limitNanos) {
        synchronized (queue) {
            quit = true;
            queue.notifyAll();
        }
        HostThread thread = host;
        if (thread != null && !isCurrent() && !thread.join(limitNanos)) {
            LOG.warn("the supervisor of {} does not end", vm);
        }
    }

    private void run() {
        self = Thread.currentThread();
        MDC.put("vm", vm);
        for (Runnable next = next(); next != null; next = next()) {
            try {
                next.run();
            } catch (RuntimeException | Error e) { // the VM's end needs this thread
                LOG.error("a request of {} failed", vm, e);
                broken.accept(e);
            }
        }
        MDC.remove("vm");
    }

    private @Nullable Runnable next() {
        synchronized (queue) {
            while (queue.isEmpty() && !quit) {
                try {
                    queue.wait();
                } catch (InterruptedException e) {
                    // Nobody interrupts this thread to any purpose.
                    LOG.debug("supervisor of {} interrupted", vm);
                }
            }
            return quit ? null : queue.poll();
        }
    }
}
