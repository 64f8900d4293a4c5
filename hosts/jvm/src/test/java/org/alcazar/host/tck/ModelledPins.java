package org.alcazar.host.tck;

import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostRefusal;
import org.jspecify.annotations.Nullable;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Four lines of a modelled interrupt controller. Faults may be switched on. */
class ModelledPins implements HostInterrupts, HostInterruptPins, AutoCloseable {
    /** What may be wrong with it. */
    enum Fault {
        NONE,
        SHARED,
        FORGETS,
        COUNTS,
        NOT_CLOSED,
        NOT_AWAITED,
        AWAITS_ITSELF,
        HELD_OVER,
        HELD_BY_ANOTHER
    }

    private static final int LINES = 4;

    Fault fault = Fault.NONE;

    private final ExecutorService threads =
            Executors.newCachedThreadPool(task -> Thread.ofPlatform().daemon().unstarted(task));
    private final Hooked[] hooks = new Hooked[LINES];

    private final class Hooked implements Registration {
        private final int line;
        private final Runnable handler;
        private boolean inService;
        private int pending;

        /** Interrupts whose handler has not come to its end. */
        private int under;

        private @Nullable Thread runner;

        Hooked(int line, Runnable handler) {
            this.line = line;
            this.handler = handler;
        }

        @Override
        public void close() {
            synchronized (ModelledPins.this) {
                if (hooks[line] == this && fault != Fault.NOT_CLOSED) {
                    hooks[line] = null;
                    awaitHandler();
                }
            }
        }

        private void awaitHandler() {
            boolean own = runner == Thread.currentThread() && fault != Fault.AWAITS_ITSELF;
            try {
                while (under > (own ? 1 : 0) && fault != Fault.NOT_AWAITED) {
                    ModelledPins.this.wait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void serve(Hooked hook) {
        hook.inService = true;
        hook.under++;
        threads.execute(() -> run(hook));
    }

    private void run(Hooked hook) {
        synchronized (this) {
            hook.runner = Thread.currentThread();
        }
        try {
            hook.handler.run();
        } finally {
            synchronized (this) {
                hook.under--;
                notifyAll();
            }
        }
    }

    @Override
    public int lines() {
        return LINES;
    }

    @Override
    public synchronized Registration hook(int line, Runnable handler) throws HostRefusal {
        if (line < 0 || line >= LINES) {
            throw new HostRefusal("there is no line " + line + "; there are 0 to " + (LINES - 1));
        }
        if (hooks[line] != null && fault != Fault.SHARED && fault != Fault.NOT_CLOSED) {
            throw new HostRefusal("line " + line + " belongs to somebody else");
        }
        hooks[line] = new Hooked(line, handler);
        if (fault == Fault.HELD_OVER) {
            raise(line);
        }
        return hooks[line];
    }

    @Override
    public synchronized void acknowledge(int line) {
        Hooked hook = hooks[line];
        if (hook != null) {
            hook.inService = false;
            if (hook.pending > 0) {
                hook.pending--;
                serve(hook);
            }
        }
    }

    @Override
    public synchronized void raise(int line) {
        if (line < 0 || line >= LINES) {
            throw new IllegalArgumentException("no line " + line);
        }
        Hooked hook = hooks[line];
        if (hook == null) {
            return;
        }
        boolean busy = hook.inService;
        if (fault == Fault.HELD_BY_ANOTHER) {
            for (Hooked other : hooks) {
                busy |= other != null && other.inService;
            }
        }
        if (!busy) {
            serve(hook);
        } else if (fault == Fault.COUNTS) {
            hook.pending++;
        } else if (fault != Fault.FORGETS) {
            hook.pending = 1;
        }
    }

    @Override
    public void close() {
        threads.shutdown();
    }
}
