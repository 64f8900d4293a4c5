package org.alcazar.hosts.minix;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.HostOptions;
import org.alcazar.hosts.support.Notes;
import org.alcazar.hosts.support.PathFiles;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.ServiceHost;

import java.util.Map;

/** A model of MINIX 3. */
final class MinixHost extends ServiceHost {
    private static final String NAME = "minix";

    private final Crashes crashes;
    private final Kernel kernel;
    private final MinixMemory memory;
    private final MinixProcessors processors;
    private final MinixInterrupts interrupts;
    private final MinixClock clock;
    private final Services services;

    /**
     * Boots the machine.
     *
     * @throws HostRefusal if an option or the prices are wrong, or the process can't reserve its
     *     range
     */
    MinixHost(HostOptions options) throws HostRefusal {
        super(NAME);
        crashes = Crashes.of(options.text("crash"));
        Primitives<MinixPrimitive> primitives =
                Primitives.read(NAME, MinixPrimitive.class, options.text("costs"));
        PhysicalMemory frames = new PhysicalMemory(options.number("memory"));
        long wanted = options.number("process-memory") & -HostMemory.PAGE_SIZE;
        long limit = wanted == 0 ? frames.limit() : Math.min(wanted, frames.limit());
        kernel = new Kernel(primitives, crashes, frames, limit);
        kernel.boot();
        Calls calls = new Calls(kernel);
        memory = new MinixMemory(kernel, calls);
        processors = new MinixProcessors(kernel);
        interrupts = new MinixInterrupts(kernel);
        clock = new MinixClock(kernel, calls);
        services =
                new Services(
                        memory,
                        processors,
                        interrupts,
                        clock,
                        Map.of(
                                HostFiles.class, new PathFiles(),
                                HostConsoles.class, new MinixConsoles(kernel, calls),
                                HostInterruptPins.class, interrupts.pins(),
                                HostPrimitives.class, new TickingPrimitives(primitives),
                                HostNotes.class, notes(primitives)));
    }

    private Notes notes(Primitives<MinixPrimitive> primitives) {
        Notes notes = new Notes(NAME);
        notes.state(() ->
                "memory: the machine has %d MiB, VM gives one process %d MiB; the VMM has %d KiB"
                        .formatted(
                                kernel.memory().limit() >> 20,
                                kernel.processLimit() >> 20,
                                memory.bytesInUse("") >> 10));
        notes.state(() ->
                "servers: pm had %d messages, vm %d, tty %d, ds %d"
                        .formatted(
                                crashes.received(ServerName.PM),
                                crashes.received(ServerName.VM),
                                crashes.received(ServerName.TTY),
                                crashes.received(ServerName.DS)));
        notes.state(() ->
                "reincarnation: %d servers crashed, %d restarted, %d requests sent again"
                        .formatted(
                                primitives.counted(MinixPrimitive.SERVER_CRASH),
                                primitives.counted(MinixPrimitive.SERVER_RESTART),
                                primitives.counted(MinixPrimitive.RESEND)));
        return notes;
    }

    /** For tests: which server is to crash when. */
    Crashes crashes() {
        return crashes;
    }

    /** For tests: what is beneath the servers. */
    Kernel kernel() {
        return kernel;
    }

    @Override
    protected Services services() {
        return services;
    }

    /** Shuts the machine down. Memory still in use stays with its owners. */
    @Override
    public void close() {
        clock.close();
        interrupts.close();
        kernel.close();
    }
}
