package org.alcazar.hosts.support;

import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostRefusal;

/**
 * A process hears no interrupts.
 *
 * @param host for messages
 */
public record NoInterrupts(String host) implements HostInterrupts {
    @Override
    public int lines() {
        return 0;
    }

    @Override
    public Registration hook(int line, Runnable handler) throws HostRefusal {
        throw new HostRefusal(
                "host %s: interrupt line %d does not exist; this host has no interrupt lines"
                        .formatted(host, line));
    }

    @Override
    public void acknowledge(int line) {}
}
