package org.alcazar.vmm.core;

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTopology;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.Settings;
import org.alcazar.vmm.plugin.SwapPolicyType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How a VM gets its RAM: in one piece of the host's if there is one, in several, a page at a time
 * beside a swap file, or as a fork's, whose pages are its parent's.
 */
final class MachineRam {
    private static final Logger LOG = LoggerFactory.getLogger(MachineRam.class);

    /** RAM is taken in pieces of at least this size, where the host has no larger ones. */
    private static final long SMALLEST_EXTENT = 1L << 21;

    /** Less of its RAM in the host's memory, and no instruction would ever be done. */
    private static final long SMALLEST_LIMIT = 1L << 20;

    private final Vm vm;
    private final HostKernel host;
    private final PluginTypes types;
    private final VmConfiguration configuration;
    private final Pages pages;
    private final Optional<Vm> parent;
    private final List<MemoryRange> ram;
    private final PagingModeType pagingType;
    private final String owner;

    /**
     * @param ram as the platform wants it
     */
    MachineRam(
            Vm vm,
            HostKernel host,
            PluginTypes types,
            Pages pages,
            Optional<Vm> parent,
            List<MemoryRange> ram,
            PagingModeType pagingType,
            String owner) {
        this.vm = vm;
        this.host = host;
        this.types = types;
        this.configuration = vm.configuration();
        this.pages = pages;
        this.parent = parent;
        this.ram = ram;
        this.pagingType = pagingType;
        this.owner = owner;
    }

    /** Takes all of it; what was taken before a failure is the caller's to give back. */
    void take() throws HostRefusal, ConfigurationException {
        long total = host.memory().totalBytes();
        if (configuration.memory() > total) {
            throw new ConfigurationException(
                    "memory="
                            + (configuration.memory() >> 20)
                            + "M is more than host "
                            + host.name()
                            + " has for guests ("
                            + (total >> 20)
                            + "M)");
        }
        if (parent.isPresent()) {
            takeSwap();
            for (GuestPhysicalMap.Range range : parent.get().physicalMap().ranges()) {
                pages.addPaged(range.start(), range.bytes());
            }
            return;
        }
        Optional<SwapPolicyType.SwapPolicy> other = takeSwap();
        if (other.isPresent()) {
            ram.forEach(range -> pages.addPaged(range.start(), range.bytes()));
            vm.calls()
                    .call(
                            "first choices of the swap policy",
                            () -> {
                                pages.rehearse(other.get());
                                return pages;
                            });
            return;
        }
        int node = node();
        try {
            takeOnePiece(node);
            return;
        } catch (HostRefusal e) {
            if (pagingType.wantsOnePiece()) {
                throw new HostRefusal(
                        "host %s has no %d MiB in one piece left for VM %s, which paging %s needs: %s"
                                .formatted(
                                        host.name(),
                                        configuration.memory() >> 20,
                                        vm.name(),
                                        pagingType.name(),
                                        e.getMessage()),
                        e);
            }
            LOG.debug("VM {}: its memory is taken in pieces: {}", vm.name(), e.getMessage());
        }
        for (MemoryRange range : ram) {
            long start = range.start();
            while (start < range.start() + range.bytes()) {
                start += addMemory(start, range.start() + range.bytes() - start, node);
            }
        }
    }

    /** All RAM in one extent, small holes included, so that the distance stays the same. */
    private void takeOnePiece(int node) throws HostRefusal {
        long[] offsets = new long[ram.size()];
        long end = 0;
        for (int i = 0; i < offsets.length; i++) {
            MemoryRange range = ram.get(i);
            MemoryRange before = ram.get(Math.max(0, i - 1));
            long hole = i == 0 ? 0 : hole(before.start() + before.bytes(), range.start());
            offsets[i] = end + hole;
            end = offsets[i] + range.bytes();
        }
        pages.add(ram, offsets, request(end, SMALLEST_EXTENT, node));
    }

    /**
     * What a hole of the guest's takes of the host's piece, in bytes: its whole large pages are
     * left out, and what is behind stays aligned.
     */
    static long hole(long end, long start) {
        return start - end & SMALLEST_EXTENT - 1;
    }

    private PageRequest request(long bytes, long alignment, int node) {
        return new PageRequest(
                owner, bytes >> HostMemory.PAGE_SHIFT, alignment, node, Long.MAX_VALUE);
    }

    /**
     * Opens the swap file, if there is to be one.
     *
     * @return a policy to try things with
     */
    private Optional<SwapPolicyType.SwapPolicy> takeSwap()
            throws HostRefusal, ConfigurationException {
        VmConfiguration.Choice choice = configuration.swap();
        if (choice.type().isEmpty() && choice.settings().isEmpty()) {
            return Optional.empty();
        }
        if (pagingType.wantsOnePiece()) {
            throw new ConfigurationException(
                    "paging %s keeps all memory of a VM where it is; leave out swap"
                            .formatted(pagingType.name()));
        }
        Map<String, Object> keys = new LinkedHashMap<>(choice.settings());
        String file = String.valueOf(keys.getOrDefault("file", ""));
        String limit = String.valueOf(keys.getOrDefault("limit", ""));
        keys.remove("file");
        keys.remove("limit");
        if (file.isEmpty() || limit.isEmpty()) {
            throw new ConfigurationException("swap needs the keys file=FILE and limit=SIZE");
        }
        SwapPolicyType type =
                types.choose(
                        SwapPolicyType.class, "swap policy", choice.type(), List.of("pseudo-lru"));
        String title = types.title("swap policy " + type.name(), type);
        Settings settings = Settings.check(title, vm.calls().schema(title, type), keys);
        int count = Math.toIntExact(configuration.memory() >> HostMemory.PAGE_SHIFT);
        PluginCalls.Call<SwapPolicyType.SwapPolicy> made =
                () -> type.create(count, configuration.seed(), settings);
        SwapPolicyType.SwapPolicy policy = vm.calls().call("creation of " + title, made);
        long most = swapLimit(limit);
        Swap swap =
                parent.isPresent()
                        ? joined(parent.get(), policy)
                        : new Swap(new SwapFile(scratch(file), file, pages.frames()), policy, most);
        pages.swap(swap);
        return Optional.of(vm.calls().call("creation of " + title, made));
    }

    /** A fork has pages on its parent's file, with a limit and a policy of its own. */
    private static Swap joined(Vm parent, SwapPolicyType.SwapPolicy policy) throws HostRefusal {
        Optional<Swap> with = parent.machine().pages().swap();
        if (with.isEmpty() || !with.get().file().join()) {
            throw new HostRefusal("VM " + parent.name() + " has ended");
        }
        return new Swap(with.get().file(), policy, with.get().limit());
    }

    private HostFiles.Scratch scratch(String file) throws HostRefusal {
        HostFiles files =
                host.find(HostFiles.class)
                        .orElseThrow(() ->
                                new HostRefusal(
                                        "swap: host " + host.name() + " has no files for " + file));
        try {
            return files.scratch(file);
        } catch (IOException e) {
            throw new HostRefusal(
                    "swap file " + file + " can't be made: " + GuestBoot.reason(e), e);
        }
    }

    /** In pages. */
    static long swapLimit(String text) throws ConfigurationException {
        long bytes;
        try {
            bytes = Settings.parseSize(text);
        } catch (NumberFormatException e) {
            throw new ConfigurationException(
                    "swap: limit=" + text + " is not a size such as 128M", e);
        }
        if (bytes < SMALLEST_LIMIT) {
            throw new ConfigurationException("swap: limit=" + text + " is too little; try 1M");
        }
        return bytes >> HostMemory.PAGE_SHIFT;
    }

    /** The memory node next to the processors of all vcores, if they are put on those of one. */
    private int node() {
        HostTopology topology = host.find(HostTopology.class).orElse(null);
        if (topology == null) {
            return PageRequest.ANY_NODE;
        }
        Set<Integer> cpus =
                IntStream.range(0, configuration.cpus())
                        .mapToObj(i -> configuration.pin().cpu(i, host.processors().count()))
                        .collect(Collectors.toSet());
        return topology.nodes().stream()
                .filter(node -> node.cpus().containsAll(cpus))
                .mapToInt(HostTopology.Node::number)
                .findFirst()
                .orElse(PageRequest.ANY_NODE);
    }

    /** Adds as much of {@code bytes} as the host has in one piece. */
    private long addMemory(long start, long bytes, int node) throws HostRefusal {
        long wanted = bytes;
        while (true) {
            long alignment = wanted >= SMALLEST_EXTENT ? SMALLEST_EXTENT : HostMemory.PAGE_SIZE;
            try {
                return pages.add(start, request(wanted, alignment, node));
            } catch (HostRefusal e) {
                if (wanted <= SMALLEST_EXTENT) {
                    throw new HostRefusal(
                            "host "
                                    + host.name()
                                    + " has no "
                                    + (configuration.memory() >> 20)
                                    + " MiB left for VM "
                                    + vm.name()
                                    + ": "
                                    + e.getMessage(),
                            e);
                }
                wanted = Math.max(SMALLEST_EXTENT, wanted / 2 & -SMALLEST_EXTENT);
            }
        }
    }
}
