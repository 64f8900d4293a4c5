package org.alcazar.hosts.support;

import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostRefusal;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.function.IntConsumer;

/**
 * Interrupt lines of hardware that is modelled: anybody may raise one. A line is masked from its
 * interrupt to the acknowledge; one that was raised in between interrupts once more then. How an
 * interrupt gets to the thread that calls the handler is the host's own matter.
 */
public final class ModelledInterrupts implements HostInterrupts, HostInterruptPins {
    private static final Logger LOG = LoggerFactory.getLogger(ModelledInterrupts.class);

    private final String host;
    private final IntConsumer interrupt;
    private final Line[] lines;

    /** A line's state, guarded by the object itself. */
    private static final class Line {
        private @Nullable Hook hook;

        /** Under way to its handler, or with it and not acknowledged. */
        private boolean masked;

        /** Under way to its handler. */
        private boolean due;

        /** Raised while it was masked. */
        private boolean again;

        /** Whose handler runs. */
        private @Nullable Thread runner;
    }

    /**
     * Lines that nobody has hooked.
     *
     * @param host for messages
     * @param count how many lines
     * @param interrupt takes the number of a line and has a thread of the host call {@link
     *     #deliver} with it; called with a lock held, so it must not do so itself
     */
    public ModelledInterrupts(String host, int count, IntConsumer interrupt) {
        this.host = host;
        this.interrupt = interrupt;
        lines = new Line[count];
        for (int i = 0; i < count; i++) {
            lines[i] = new Line();
        }
    }

    @Override
    public int lines() {
        return lines.length;
    }

    @Override
    public Registration hook(int number, Runnable handler) throws HostRefusal {
        if (number < 0 || number >= lines.length) {
            throw new HostRefusal(
                    "host %s: interrupt line %d does not exist; there are 0 to %d"
                            .formatted(host, number, lines.length - 1));
        }
        Line line = lines[number];
        synchronized (line) {
            if (line.hook != null) {
                throw new HostRefusal(
                        "host %s: interrupt line %d is hooked already; close that hook first"
                                .formatted(host, number));
            }
            Hook hook = new Hook(line, handler);
            line.hook = hook;
            return hook;
        }
    }

    @Override
    public void raise(int number) {
        if (number < 0 || number >= lines.length) {
            throw new IllegalArgumentException("no line " + number);
        }
        Line line = lines[number];
        synchronized (line) {
            if (line.hook == null) {
                return;
            }
            if (line.masked) {
                line.again = true;
            } else {
                send(line, number);
            }
        }
    }

    @Override
    public void acknowledge(int number) {
        if (number < 0 || number >= lines.length) {
            return;
        }
        Line line = lines[number];
        synchronized (line) {
            if (line.due) {
                return; // of an interrupt that its handler has not seen yet
            }
            line.masked = false;
            if (line.again) {
                line.again = false;
                send(line, number);
            }
        }
    }

    private void send(Line line, int number) {
        line.masked = true;
        line.due = true;
        interrupt.accept(number);
    }

    /** Calls the handler of a line that has interrupted, if it is still hooked. */
    public void deliver(int number) {
        Line line = lines[number];
        Hook hook;
        synchronized (line) {
            hook = line.hook;
            if (!line.due || hook == null) {
                return;
            }
            line.due = false;
            line.runner = Thread.currentThread();
        }
        try {
            hook.handler.run();
        } catch (RuntimeException | Error e) { // the thread serves the lines of others, too
            LOG.error("handler of interrupt line {} failed", number, e);
        } finally {
            synchronized (line) {
                line.runner = null;
                line.notifyAll();
            }
        }
    }

    /** Who has a line. */
    private record Hook(Line line, Runnable handler) implements Registration {
        @Override
        public void close() {
            synchronized (line) {
                if (line.hook != this) {
                    return;
                }
                line.hook = null;
                line.masked = false;
                line.due = false;
                line.again = false;
                awaitHandler();
            }
        }

        /** Whoever closes may drop what the handler uses, unless it is the handler itself. */
        private void awaitHandler() {
            boolean interrupted = false;
            while (line.runner != null && line.runner != Thread.currentThread()) {
                try {
                    line.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
