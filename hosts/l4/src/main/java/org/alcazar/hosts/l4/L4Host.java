package org.alcazar.hosts.l4;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostNative;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Alarm;
import org.alcazar.hosts.support.HostOptions;
import org.alcazar.hosts.support.PathFiles;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.ServiceHost;
import org.alcazar.hosts.support.StreamConsoles;
import org.alcazar.hosts.support.TimerQueue;
import org.alcazar.machine.EngineProvider;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The micro-kernel, its interrupts and sigma0; the VMM is a server in a space of its own. */
final class L4Host extends ServiceHost {
    private static final String NAME = "l4";

    private final MicroKernel kernel;
    private final L4Memory memory;
    private final L4Processors processors;
    private final L4Interrupts interrupts;
    private final TimerQueue clock;
    private final Services services;

    /**
     * A micro-kernel that has just booted.
     *
     * @param engines for native programs: those that there are whenever one starts
     * @throws HostRefusal if a price is wrong, or the process can't reserve its range
     */
    L4Host(HostOptions options, Supplier<List<EngineProvider>> engines) throws HostRefusal {
        super(NAME);
        Primitives<L4Primitive> primitives =
                Primitives.read(NAME, L4Primitive.class, options.text("costs"));
        kernel = new MicroKernel(primitives, (int) options.number("threads"), System::nanoTime);
        AddressSpace vmm = kernel.space("vmm");
        memory = new L4Memory(options.number("memory"), kernel, vmm);
        processors = new L4Processors(kernel, vmm);
        interrupts = new L4Interrupts((int) options.number("interrupts"), kernel, processors, vmm);
        clock = new TimerQueue(new CountingAlarm(Alarm.ofJvm(), primitives));
        services =
                new Services(
                        memory,
                        processors,
                        interrupts,
                        clock,
                        Map.of(
                                HostFiles.class,
                                new PathFiles(),
                                HostConsoles.class,
                                new StreamConsoles(),
                                HostExitPortal.class,
                                new L4ExitPortal(kernel, processors, vmm),
                                HostInterruptPins.class,
                                interrupts,
                                HostNative.class,
                                new L4Native(kernel, memory, processors, engines),
                                HostPrimitives.class,
                                primitives,
                                HostNotes.class,
                                (HostNotes) this::notes));
    }

    private List<String> notes() {
        return List.of(
                "threads: %d of the micro-kernel; interrupt lines: %d"
                        .formatted(kernel.threadsAlive(), interrupts.lines()),
                "exits go to the VMM as messages (HostExitPortal)");
    }

    MicroKernel kernel() {
        return kernel;
    }

    @Override
    protected Services services() {
        return services;
    }

    /** Ends the timer thread. Memory and threads still in use stay with their owners. */
    @Override
    public void close() {
        clock.close();
    }
}
