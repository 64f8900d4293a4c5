package org.alcazar.hosts.kitten;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTopology;
import org.alcazar.hosts.support.Alarm;
import org.alcazar.hosts.support.HostOptions;
import org.alcazar.hosts.support.ModelledInterrupts;
import org.alcazar.hosts.support.Notes;
import org.alcazar.hosts.support.PathFiles;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.ServiceHost;
import org.alcazar.hosts.support.StreamConsoles;
import org.alcazar.hosts.support.TimerQueue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** A model of the Kitten light-weight kernel. */
final class KittenHost extends ServiceHost {
    private static final String NAME = "kitten";

    /** Inputs of an I/O APIC (82093AA). */
    private static final int LINES = 24;

    private final KittenMemory memory;
    private final KittenProcessors processors;
    private final ModelledInterrupts interrupts;
    private final TimerQueue clock;
    private final Ticks ticks;
    private final Services services;

    /** Where handlers of interrupt lines run, one at a time; its thread starts with the first. */
    private final ExecutorService handlers =
            new ThreadPoolExecutor(
                    1,
                    1,
                    0,
                    TimeUnit.SECONDS,
                    new LinkedBlockingQueue<>(),
                    Thread.ofPlatform().daemon().name("kitten-interrupts").factory(),
                    new ThreadPoolExecutor.DiscardPolicy());

    /**
     * A node that has just started.
     *
     * @throws HostRefusal if the process's range has no room for the memory map, or the prices are
     *     wrong
     */
    KittenHost(HostOptions options) throws HostRefusal {
        super(NAME);
        Notes notes = new Notes(NAME);
        Primitives<KittenPrimitive> primitives =
                Primitives.read(NAME, KittenPrimitive.class, options.text("costs"));
        processors = new KittenProcessors(primitives, notes);
        memory =
                new KittenMemory(
                        MemoryMap.divide(options.number("kernel"), options.number("memory")),
                        primitives,
                        notes);
        interrupts = interrupts(primitives);
        clock =
                new TimerQueue(
                        Alarm.watched(
                                Alarm.ofJvm(),
                                () -> primitives.count(KittenPrimitive.TIMER_SET),
                                () -> primitives.count(KittenPrimitive.TIMER_INTERRUPT)));
        long rate = options.number("tick");
        try {
            ticks = new Ticks(rate, processors, primitives);
        } catch (HostRefusal e) {
            clock.close();
            memory.close();
            throw e;
        }
        notes.state(() -> rate == 0 ? "no periodic tick" : "ticks: %d per second".formatted(rate));
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
                                HostInterruptPins.class,
                                interrupts,
                                HostTopology.class,
                                new OneNode(processors.count(), memory.totalBytes()),
                                HostPrimitives.class,
                                ticks,
                                HostNotes.class,
                                notes));
    }

    private ModelledInterrupts interrupts(Primitives<KittenPrimitive> primitives) {
        return new ModelledInterrupts(
                NAME,
                LINES,
                line ->
                        handlers.execute(() -> {
                            primitives.count(KittenPrimitive.DEVICE_INTERRUPT);
                            deliver(line);
                        }));
    }

    private void deliver(int line) {
        interrupts.deliver(line);
    }

    /** All memory is at one node; the model has no caches. */
    private record OneNode(int processors, long bytes) implements HostTopology {
        @Override
        public List<Node> nodes() {
            return List.of(
                    new Node(
                            0,
                            IntStream.range(0, processors).boxed().toList(),
                            bytes,
                            List.of(10)));
        }

        @Override
        public List<Cache> caches() {
            return List.of();
        }
    }

    @Override
    protected Services services() {
        return services;
    }

    /** Ends the kernel's own threads. The memory map goes when the last extent has come back. */
    @Override
    public void close() {
        clock.close();
        ticks.close();
        handlers.shutdownNow();
        memory.close();
    }
}
