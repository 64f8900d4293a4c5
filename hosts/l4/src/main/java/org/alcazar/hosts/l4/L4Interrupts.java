package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Interrupts as IPC (X.2, 3.6): a line is a thread of the kernel, which calls the handler's thread
 * when the line is raised. The line is masked until the handler answers.
 */
final class L4Interrupts implements HostInterrupts, HostInterruptPins {
    private static final Logger LOG = LoggerFactory.getLogger(L4Interrupts.class);

    private final MicroKernel kernel;
    private final L4Processors processors;
    private final AddressSpace vmm;
    private final Line[] lines;

    L4Interrupts(int lines, MicroKernel kernel, L4Processors processors, AddressSpace vmm) {
        this.kernel = kernel;
        this.processors = processors;
        this.vmm = vmm;
        this.lines = new Line[lines];
        for (int i = 0; i < lines; i++) {
            Tcb thread = kernel.interruptThread(i, vmm);
            thread.registers[0] = HostExitPortal.tag(Message.INTERRUPT_LABEL, 0, 0);
            this.lines[i] = new Line(thread);
        }
    }

    /** A line and who serves it. Its monitor guards it. */
    private static final class Line {
        private final Tcb thread;
        private @Nullable Tcb handler;
        private boolean masked;
        private boolean again;

        Line(Tcb thread) {
            this.thread = thread;
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
                    "host l4: interrupt line %d does not exist; there are 0 to %d"
                            .formatted(number, lines.length - 1));
        }
        Line line = lines[number];
        synchronized (line) {
            if (line.handler != null) {
                throw new HostRefusal(
                        "host l4: interrupt line %d belongs to somebody else".formatted(number));
            }
            Tcb thread = kernel.newThread(vmm, "irq-" + number);
            processors.start(
                    thread, true, HostThread.ANY_CPU, () -> serve(line.thread, thread, handler));
            line.handler = thread;
            return () -> unhook(line, thread);
        }
    }

    private void serve(Tcb line, Tcb self, Runnable handler) {
        while (true) {
            kernel.ipc(self, null, line.id, Timeouts.NEVER, Timeouts.NEVER);
            if (self.error != IpcError.NONE) {
                return;
            }
            kernel.primitives().count(L4Primitive.INTERRUPT);
            try {
                handler.run();
            } catch (RuntimeException e) {
                LOG.error("the handler of interrupt line {} failed", line.name, e);
            }
        }
    }

    private void unhook(Line line, Tcb thread) {
        synchronized (line) {
            if (line.handler != thread) {
                return;
            }
            line.handler = null;
            line.masked = false;
            line.again = false;
            kernel.cancel(line.thread, IpcError.ABORTED);
            kernel.close(thread);
        }
    }

    @Override
    public void raise(int number) {
        if (number < 0 || number >= lines.length) {
            throw new IllegalArgumentException(
                    "host l4: no interrupt line "
                            + number
                            + "; there are 0 to "
                            + (lines.length - 1));
        }
        Line line = lines[number];
        synchronized (line) {
            Tcb handler = line.handler;
            if (handler == null) {
                return;
            }
            if (line.masked) {
                line.again = true;
            } else {
                deliver(line, handler);
            }
        }
    }

    private void deliver(Line line, Tcb handler) {
        line.masked = true;
        kernel.begin(line.thread, handler, handler.id);
    }

    @Override
    public void acknowledge(int number) {
        if (number < 0 || number >= lines.length) {
            return;
        }
        Line line = lines[number];
        synchronized (line) {
            Tcb handler = line.handler;
            // Nothing to answer before the message has been taken.
            if (handler == null || !line.masked || line.thread.state != Tcb.RECEIVING) {
                return;
            }
            kernel.primitives().count(L4Primitive.IPC);
            kernel.cancel(line.thread, IpcError.NONE);
            line.masked = false;
            if (line.again) {
                line.again = false;
                deliver(line, handler);
            }
        }
    }
}
