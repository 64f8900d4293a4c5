package org.alcazar.hosts.l4;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.hosts.support.ModelledInterrupts;
import org.jspecify.annotations.Nullable;

/**
 * Interrupts as IPC (X.2, 3.6): a line is a thread of the kernel, which calls the handler's thread
 * when the line is raised. The line is masked until the handler answers.
 */
final class L4Interrupts implements HostInterrupts, HostInterruptPins {
    private final MicroKernel kernel;
    private final L4Processors processors;
    private final AddressSpace vmm;
    private final ModelledInterrupts hardware;
    private final Line[] lines;

    L4Interrupts(int lines, MicroKernel kernel, L4Processors processors, AddressSpace vmm) {
        this.kernel = kernel;
        this.processors = processors;
        this.vmm = vmm;
        hardware = new ModelledInterrupts("l4", lines, this::send);
        this.lines = new Line[lines];
        for (int i = 0; i < lines; i++) {
            Tcb thread = kernel.interruptThread(i, vmm);
            thread.registers[0] = HostExitPortal.tag(Message.INTERRUPT_LABEL, 0, 0);
            this.lines[i] = new Line(thread);
        }
    }

    /** A line and who serves it. Its monitor guards it, and is taken before the hardware's. */
    private static final class Line {
        private final Tcb thread;
        private @Nullable Tcb handler;

        Line(Tcb thread) {
            this.thread = thread;
        }
    }

    private boolean isThere(int number) {
        return number >= 0 && number < lines.length;
    }

    @Override
    public int lines() {
        return lines.length;
    }

    @Override
    public Registration hook(int number, Runnable handler) throws HostRefusal {
        if (!isThere(number)) {
            return hardware.hook(number, handler); // refuses
        }
        Line line = lines[number];
        synchronized (line) {
            Registration hook = hardware.hook(number, handler);
            try {
                Tcb thread = kernel.newThread(vmm, "irq-" + number);
                processors.start(
                        thread,
                        true,
                        HostThread.ANY_CPU,
                        () -> serve(number, line.thread.id, thread));
                line.handler = thread;
                return () -> unhook(line, thread, hook);
            } catch (HostRefusal e) {
                hook.close();
                throw e;
            }
        }
    }

    private void serve(int number, long line, Tcb self) {
        while (true) {
            kernel.ipc(self, null, line, Timeouts.NEVER, Timeouts.NEVER);
            if (self.error != IpcError.NONE) {
                return;
            }
            kernel.primitives().count(L4Primitive.INTERRUPT);
            hardware.deliver(number);
        }
    }

    private void unhook(Line line, Tcb thread, Registration hook) {
        synchronized (line) {
            if (line.handler != thread) {
                return;
            }
            line.handler = null;
            kernel.cancel(line.thread, IpcError.ABORTED);
            kernel.close(thread);
        }
        hook.close(); // waits for the handler, which may want the line
    }

    @Override
    public void raise(int number) {
        if (!isThere(number)) {
            hardware.raise(number); // an error
            return;
        }
        synchronized (lines[number]) {
            hardware.raise(number);
        }
    }

    /** The hardware interrupts. The line's monitor is held. */
    private void send(int number) {
        Line line = lines[number];
        Tcb handler = line.handler;
        if (handler != null) {
            kernel.begin(line.thread, handler, handler.id);
        }
    }

    @Override
    public void acknowledge(int number) {
        if (!isThere(number)) {
            return;
        }
        Line line = lines[number];
        synchronized (line) {
            // Nothing to answer before the message has been taken.
            if (line.thread.state == Tcb.RECEIVING && kernel.cancel(line.thread, IpcError.NONE)) {
                kernel.primitives().count(L4Primitive.IPC);
            }
            hardware.acknowledge(number);
        }
    }
}
