package org.alcazar.hosts.l4;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostNative;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.PhysicalBus;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Starts native programs, each on an engine of its own with nothing on its bus. */
final class L4Native implements HostNative {
    /** In this order, where nobody asks for one. */
    private static final List<String> PREFERRED = List.of("translator", "interpreter");

    private static final int MOST_NAME = 64;

    private final MicroKernel kernel;
    private final HostMemory memory;
    private final L4Processors processors;
    private final Supplier<List<EngineProvider>> engines;
    private final Set<String> running = new HashSet<>();

    /**
     * @param engines those that there are at the moment
     */
    L4Native(
            MicroKernel kernel,
            HostMemory memory,
            L4Processors processors,
            Supplier<List<EngineProvider>> engines) {
        this.kernel = kernel;
        this.memory = memory;
        this.processors = processors;
        this.engines = engines;
    }

    @Override
    public Program start(Wish wish) throws HostRefusal {
        if (wish.name().isEmpty() || wish.name().length() > MOST_NAME) {
            throw new HostRefusal(
                    "native program: a name has 1 to %d characters".formatted(MOST_NAME));
        }
        ElfImage image = ElfImage.read(wish.name(), wish.image(), NativeProgram.IMAGE_END);
        EngineProvider provider = provider(wish.engine());
        synchronized (running) {
            if (!running.add(wish.name())) {
                throw new HostRefusal(
                        "native program %s: one of that name runs already".formatted(wish.name()));
            }
        }
        boolean started = false;
        try {
            NativeProgram program =
                    NativeProgram.start(
                            kernel,
                            memory,
                            processors,
                            wish,
                            image,
                            provider.create(new PhysicalBus(), Map.of()),
                            () -> forget(wish.name()));
            started = true;
            return program;
        } finally {
            if (!started) {
                forget(wish.name());
            }
        }
    }

    private void forget(String name) {
        synchronized (running) {
            running.remove(name);
        }
    }

    private EngineProvider provider(String name) throws HostRefusal {
        List<EngineProvider> known =
                engines.get().stream()
                        .filter(engine -> engine.architecture().name().equals("x86"))
                        .toList();
        List<String> wanted = name.isEmpty() ? PREFERRED : List.of(name);
        for (String want : wanted) {
            for (EngineProvider provider : known) {
                if (provider.name().equals(want)) {
                    return provider;
                }
            }
        }
        throw new HostRefusal(
                "native programs: no engine '%s' for x86-64; there are: %s"
                        .formatted(
                                String.join("' or '", wanted),
                                String.join(
                                        ", ",
                                        known.stream()
                                                .map(EngineProvider::name)
                                                .sorted()
                                                .toList())));
    }
}
