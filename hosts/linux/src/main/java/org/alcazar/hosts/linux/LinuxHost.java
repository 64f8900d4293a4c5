package org.alcazar.hosts.linux;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPackets;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTopology;
import org.alcazar.hosts.support.HostOptions;
import org.alcazar.hosts.support.NoInterrupts;
import org.alcazar.hosts.support.Notes;
import org.alcazar.hosts.support.PathFiles;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.ServiceHost;
import org.alcazar.hosts.support.StreamConsoles;
import org.alcazar.hosts.support.TimerQueue;

import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;

/** Linux as a host kernel. What a privilege is missing for is told in a line, and done without. */
final class LinuxHost extends ServiceHost {
    private static final String NAME = "linux";

    private final LinuxMemory memory;
    private final LinuxProcessors processors;
    private final NoInterrupts interrupts = new NoInterrupts(NAME);
    private final TimerQueue clock;
    private final LinuxPackets packets;
    private final Services services;

    /**
     * A host on this system.
     *
     * @throws HostRefusal if the system is no Linux that this knows, or gives no range or timer
     */
    LinuxHost(HostOptions options) throws HostRefusal {
        super(NAME);
        if (!Syscall.known()) {
            throw new HostRefusal(
                    "host linux: needs Linux on x86-64 or AArch64, not %s on %s; use --host jvm"
                            .formatted(
                                    System.getProperty("os.name"), System.getProperty("os.arch")));
        }
        SystemTree tree = new SystemTree(Path.of("/"));
        Privileges privileges = new Privileges(tree);
        Cgroups cgroups = Cgroups.read(tree);
        Notes notes = new Notes(NAME);
        Primitives<LinuxPrimitive> primitives =
                Primitives.read(NAME, LinuxPrimitive.class, options.text("costs"));
        memory = new LinuxMemory(options, tree, privileges, cgroups, primitives, notes);
        int priority = (int) options.number("priority");
        processors = new LinuxProcessors(priority, tree, privileges, cgroups, primitives, notes);
        packets = new LinuxPackets(privileges, primitives);
        clock = new TimerQueue(new TimerFdAlarm(primitives));
        notes.state(() -> privilegesInWords(privileges));
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
                                HostPackets.class,
                                packets,
                                HostPrimitives.class,
                                primitives,
                                HostNotes.class,
                                notes,
                                HostTopology.class,
                                new LinuxTopology(
                                        tree,
                                        IntStream.range(0, processors.count())
                                                .map(processors::systemNumber)
                                                .boxed()
                                                .toList())));
    }

    private static String privilegesInWords(Privileges privileges) {
        return "privileges: %s; %s; %s"
                .formatted(
                        privileges.locksAll()
                                ? "memory may be locked"
                                : "memory can't all be locked, for " + privileges.aboutLocking(),
                        privileges.hasPriority()
                                ? "real-time priority may be had"
                                : "no real-time priority, for " + privileges.aboutPriority(),
                        privileges.has(Privileges.Capability.CAP_NET_ADMIN)
                                ? "TAP devices may be made"
                                : "TAP devices only if they are this user's, for CAP_NET_ADMIN is"
                                        + " missing");
    }

    @Override
    protected Services services() {
        return services;
    }

    /** Ends the timer thread. Memory and channels still in use stay with their owners. */
    @Override
    public void close() {
        clock.close();
        packets.close();
    }
}
