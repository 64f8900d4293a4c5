package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.management.ForkReport;
import org.alcazar.vmm.management.GuestConsole;
import org.alcazar.vmm.management.HookInfo;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.management.StuckCall;
import org.alcazar.vmm.management.VmEvent;
import org.alcazar.vmm.management.VmManagement;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType.DeviceSpec;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.Schema;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;

/** The parts of all VMs for management plugins. */
final class Management implements VmManagement {
    private final Vmm vmm;
    private final PluginTypes types;

    Management(Vmm vmm, PluginTypes types) {
        this.vmm = vmm;
        this.types = types;
    }

    @Override
    public List<PartInfo> parts(int vm) throws HostRefusal {
        return vmm.get(vm).machine().parts();
    }

    @Override
    public String attach(int vm, String type, Map<String, ?> settings) throws HostRefusal {
        Vm target = vmm.get(vm);
        Map<String, Object> own = new LinkedHashMap<>(settings);
        Object name = own.remove("name");
        DeviceSpec spec = new DeviceSpec(type, name == null ? type : name.toString(), own);
        try (Vmm.Held _ = vmm.hold()) {
            Vmm.orRefuse(() ->
                    target.underBarrier(() -> {
                        target.machine().devices().plug(spec);
                        return spec;
                    }));
        }
        target.note("attach", spec.name() + " (" + type + ")");
        return spec.name();
    }

    @Override
    public void detach(int vm, String device) throws HostRefusal {
        Vm target = vmm.get(vm);
        try (Vmm.Held _ = vmm.hold()) {
            Vmm.orRefuse(() ->
                    target.underBarrier(() -> {
                        target.machine().devices().unplug(device);
                        return device;
                    }));
        }
        target.note("detach", device);
    }

    @Override
    public long engine(int vm, String type) throws HostRefusal {
        return exchange(
                vm,
                "engine " + type,
                engines ->
                        engines.exchange(
                                types.require(EngineType.class, "engine", type),
                                engines.pagingType()));
    }

    @Override
    public long paging(int vm, String type, Map<String, ?> settings) throws HostRefusal {
        return exchange(
                vm,
                "paging " + type,
                engines ->
                        engines.exchange(
                                engines.engineType(),
                                types.require(PagingModeType.class, "paging mode", type),
                                Map.copyOf(settings)));
    }

    private interface Exchange {
        void in(Engines engines) throws HostRefusal, ConfigurationException;
    }

    private long exchange(int vm, String what, Exchange exchange) throws HostRefusal {
        Vm target = vmm.get(vm);
        HostClock clock = target.hostClock();
        long nanos;
        try (Vmm.Held _ = vmm.hold()) {
            nanos =
                    Vmm.orRefuse(() ->
                            target.underBarrier(() -> {
                                target.refuseOver();
                                long start = clock.nanoTime();
                                exchange.in(target.machine().engines());
                                return clock.nanoTime() - start;
                            }));
        }
        target.note("swap", what);
        return nanos;
    }

    @Override
    public ForkReport fork(int vm, String name) throws HostRefusal {
        return vmm.fork(vm, name);
    }

    @Override
    public MemoryManagement memory() {
        return vmm.memory();
    }

    @Override
    public SavedState state(int vm, String part) throws HostRefusal {
        Vm target = vmm.get(vm);
        return Vmm.orRefuse(
                () -> target.underBarrier(() -> target.machine().devices().state(part)));
    }

    @Override
    public <T> T standing(int vm, Callable<T> work) throws Exception {
        Vm target = vmm.get(vm);
        FutureTask<T> task = new FutureTask<>(work);
        Vmm.orRefuse(() ->
                target.underBarrier(() -> {
                    task.run();
                    return target;
                }));
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception thrown) {
                throw thrown;
            }
            throw e;
        }
    }

    @Override
    public List<HookInfo> hooks(int vm) throws HostRefusal {
        HookMaps maps = vmm.get(vm).hooks();
        List<HookInfo> out = new ArrayList<>();
        add(out, "port", maps.ports.hooks());
        add(out, "memory", maps.memory.hooks());
        add(out, "register", maps.registers.hooks());
        add(out, "feature", maps.features.hooks());
        add(out, "call", maps.calls.hooks());
        return out;
    }

    private static void add(List<HookInfo> out, String space, List<AccessHook> hooks) {
        for (AccessHook hook : hooks) {
            out.add(
                    new HookInfo(
                            space, hook.first, hook.last, hook.owner, hook.reads, hook.writes));
        }
    }

    @Override
    public GuestConsole console(int vm) throws HostRefusal {
        return vmm.get(vm).machine().console();
    }

    @Override
    public Optional<Schema> schema(String family, String type) {
        return Optional.ofNullable(PluginTypes.FAMILIES.get(family))
                .flatMap(known -> types.find(known, type))
                .map(PluginType::configuration);
    }

    @Override
    public List<VmEvent> events(int vm) throws HostRefusal {
        vmm.get(vm);
        return vmm.history().of(vm);
    }

    @Override
    public Hook listen(Consumer<VmEvent> listener) {
        return vmm.history().listen(listener);
    }

    @Override
    public List<StuckCall> stuck() {
        return vmm.stuck().list();
    }
}
