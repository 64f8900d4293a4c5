package org.alcazar.hosts.minix;

import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.ModelledInterrupts;

/**
 * Interrupt lines as the SYSTEM task lets processes have them: {@code sys_irqsetpolicy} hooks one,
 * the kernel's handler masks it and notifies the process, {@code sys_irqenable} has it interrupt
 * again.
 */
final class MinixInterrupts implements HostInterrupts, AutoCloseable {
    /** Two 8259s. */
    private static final int LINES = 16;

    private final Kernel kernel;
    private final Port port = new Port();
    private final ModelledInterrupts lines;

    MinixInterrupts(Kernel kernel) {
        this.kernel = kernel;
        lines = new ModelledInterrupts("minix", LINES, line -> kernel.notify(port, 1L << line));
        Thread.ofPlatform().daemon().name("minix-irqs").start(this::run);
    }

    ModelledInterrupts pins() {
        return lines;
    }

    private void run() {
        for (long hooks = port.await(); (hooks & Port.OWN) == 0; hooks = port.await()) {
            for (long left = hooks; left != 0; left &= left - 1) {
                kernel.count(MinixPrimitive.INTERRUPT);
                lines.deliver(Long.numberOfTrailingZeros(left));
            }
        }
    }

    @Override
    public int lines() {
        return lines.lines();
    }

    @Override
    public Registration hook(int line, Runnable handler) throws HostRefusal {
        kernel.count(MinixPrimitive.KERNEL_CALL);
        return lines.hook(line, handler);
    }

    @Override
    public void acknowledge(int line) {
        kernel.count(MinixPrimitive.KERNEL_CALL);
        lines.acknowledge(line);
    }

    @Override
    public void close() {
        port.notify(Port.OWN);
    }
}
