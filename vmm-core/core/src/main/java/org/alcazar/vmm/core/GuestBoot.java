package org.alcazar.vmm.core;

import org.alcazar.host.HostFiles;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Puts the guest into memory, at the start and at each reset: reads the images anew, so that no
 * copy stays on the heap.
 */
final class GuestBoot {
    private final Vm vm;
    private final HostKernel host;
    private final PluginTypes types;
    private final VmConfiguration configuration;

    GuestBoot(Vm vm, HostKernel host, PluginTypes types) {
        this.vm = vm;
        this.host = host;
        this.types = types;
        this.configuration = vm.configuration();
    }

    /**
     * @throws ConfigurationException if an image is missing or of no known kind, or does not fit
     */
    void load() throws HostRefusal, ConfigurationException {
        boolean firmware = configuration.kernel().isEmpty() && !configuration.bios().isEmpty();
        String path = firmware ? configuration.bios() : configuration.kernel();
        if (path.isEmpty()) {
            throw new ConfigurationException("no kernel is given; give one with the key 'kernel'");
        }
        GuestLoader.Image kernel = read(firmware ? "bios" : "kernel", path, path);
        GuestLoader loader = loader(kernel, firmware);
        GuestLoader.Boot boot = boot(kernel);
        vm.calls()
                .call(
                        "loader " + loader.name() + " (" + loader.getClass().getName() + ")",
                        () -> {
                            loader.load(boot);
                            return loader;
                        });
    }

    private GuestLoader loader(GuestLoader.Image kernel, boolean firmware)
            throws HostRefusal, ConfigurationException {
        String name = configuration.loader();
        if (!name.isEmpty()) {
            return types.require(GuestLoader.class, "loader", name);
        }
        if (firmware) {
            return types.require(GuestLoader.class, "loader", "bios");
        }
        List<GuestLoader> all = List.copyOf(types.all(GuestLoader.class).values());
        return vm.calls()
                .call(
                        "choice of a loader",
                        () ->
                                all.stream()
                                        .filter(loader -> loader.recognises(kernel) > 0)
                                        .max(Comparator.comparingInt(l -> l.recognises(kernel))))
                .or(() -> raw(all))
                .orElseThrow(() -> unknown(kernel));
    }

    /** An address makes sense for raw images only. */
    private Optional<GuestLoader> raw(List<GuestLoader> all) {
        return configuration.address().isEmpty()
                ? Optional.empty()
                : all.stream().filter(loader -> loader.name().equals("raw")).findFirst();
    }

    private ConfigurationException unknown(GuestLoader.Image kernel) {
        return new ConfigurationException(
                "kernel "
                        + kernel.name()
                        + (kernel.size() == 0
                                ? " is empty"
                                : " is of no known kind; known are "
                                        + String.join(
                                                ", ", types.all(GuestLoader.class).keySet())));
    }

    private GuestLoader.Boot boot(GuestLoader.Image kernel)
            throws HostRefusal, ConfigurationException {
        Optional<GuestLoader.Image> initrd =
                configuration.initrd().isEmpty()
                        ? Optional.empty()
                        : Optional.of(
                                read("initrd", configuration.initrd(), configuration.initrd()));
        List<GuestLoader.Image> modules = new ArrayList<>();
        for (String module : configuration.modules()) {
            int space = module.indexOf(' ');
            String path = space < 0 ? module : module.substring(0, space);
            modules.add(read("module", path, module));
        }
        vm.machine().engines().fetchCores();
        return new BootImpl(kernel, initrd, List.copyOf(modules));
    }

    private GuestLoader.Image read(String what, String path, String name)
            throws ConfigurationException {
        HostFiles files =
                host.find(HostFiles.class)
                        .orElseThrow(() ->
                                new ConfigurationException(
                                        what
                                                + " "
                                                + path
                                                + ": host "
                                                + host.name()
                                                + " has no files"));
        try (InputStream in = files.read(path)) {
            long size = files.size(path);
            if (size > vm.configuration().memory()) {
                throw new ConfigurationException(
                        what
                                + " "
                                + path
                                + " has "
                                + size
                                + " bytes, more than the VM's memory of "
                                + vm.configuration().memory());
            }
            return new Bytes(name, in.readAllBytes());
        } catch (IOException e) {
            throw new ConfigurationException(what + " " + path + " can't be read: " + reason(e), e);
        }
    }

    static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.NoSuchFileException missing -> "there is no such file";
            case java.io.FileNotFoundException missing -> "there is no such file";
            case java.nio.file.AccessDeniedException denied -> "permission denied";
            default -> String.valueOf(e.getMessage());
        };
    }

    private record Bytes(String name, byte[] bytes) implements GuestLoader.Image {
        @Override
        public long size() {
            return bytes.length;
        }

        @Override
        public void read(long position, byte[] into, int offset, int length) {
            int there = position < 0 ? 0 : Math.clamp(bytes.length - position, 0, length);
            if (there > 0) {
                System.arraycopy(bytes, (int) position, into, offset, there);
            }
            Arrays.fill(into, offset + there, offset + length, (byte) 0);
        }
    }

    private final class BootImpl implements GuestLoader.Boot {
        private final GuestLoader.Image kernel;
        private final Optional<GuestLoader.Image> initrd;
        private final List<GuestLoader.Image> modules;

        BootImpl(
                GuestLoader.Image kernel,
                Optional<GuestLoader.Image> initrd,
                List<GuestLoader.Image> modules) {
            this.kernel = kernel;
            this.initrd = initrd;
            this.modules = modules;
        }

        @Override
        public GuestLoader.Image kernel() {
            return kernel;
        }

        @Override
        public Optional<GuestLoader.Image> initrd() {
            return initrd;
        }

        @Override
        public List<GuestLoader.Image> modules() {
            return modules;
        }

        @Override
        public String commandLine() {
            return configuration.append();
        }

        @Override
        public Optional<Long> address() {
            return configuration.address();
        }

        @Override
        public GuestMemory memory() {
            return vm.memory();
        }

        @Override
        public List<MemoryRange> memoryMap() {
            return vm.memoryMap();
        }

        @Override
        public List<ControlBlock> cores() {
            return vm.vcores().stream().map(Vcore::block).toList();
        }

        @Override
        public <T> Optional<T> find(Class<T> role) {
            return vm.roles().find(role);
        }
    }
}
