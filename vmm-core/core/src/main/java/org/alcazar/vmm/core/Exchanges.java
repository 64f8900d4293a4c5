package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.core.DeviceManager.Succession;
import org.alcazar.vmm.core.DeviceManager.Trial;
import org.alcazar.vmm.management.SwapReport;
import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PluginType;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The exchange of types for newer ones in running VMs: everything is tried while the guests run,
 * then done in the barrier of one VM after the other. If one of them fails, all go back to the old
 * types, which are still there.
 */
final class Exchanges {
    private final Vmm vmm;
    private final HostClock clock;

    Exchanges(Vmm vmm, HostClock clock) {
        this.vmm = vmm;
        this.clock = clock;
    }

    /** What is to be exchanged in one VM. */
    private final class Plan {
        private final Vm vm;
        private final Succession succession;
        private final Trial trial;
        private final List<BackendPort<?>> ports = new ArrayList<>();
        private final EngineType engine;
        private final PagingModeType paging;

        Plan(Vm vm, Succession succession) throws HostRefusal, ConfigurationException {
            this.vm = vm;
            this.succession = succession;
            Machine machine = vm.machine();
            EngineType oldEngine = machine.engineType();
            engine =
                    succession.ends(oldEngine)
                            ? succession.successor(EngineType.class, "engine", oldEngine.name())
                            : oldEngine;
            PagingModeType oldPaging = machine.pagingType();
            paging =
                    succession.ends(oldPaging)
                            ? succession.successor(
                                    PagingModeType.class, "paging mode", oldPaging.name())
                            : oldPaging;
            for (BackendPort<?> port : machine.devices().ports()) {
                if (port.origin().isPresent() && succession.ends(port.origin().get().type())) {
                    ports.add(port);
                    successor(port);
                }
            }
            if (engine != oldEngine) {
                machine.tryOut(engine);
            }
            trial = machine.devices().prepare(succession);
            tryRestore();
        }

        private BackendType successor(BackendPort<?> port) throws ConfigurationException {
            String type = port.origin().orElseThrow().type().name();
            return succession.successor(BackendType.class, "backend", type);
        }

        private void tryRestore() throws HostRefusal, ConfigurationException {
            boolean fits = false;
            try {
                Map<String, SavedState> states =
                        trial.isEmpty()
                                ? Map.of()
                                : vm.underBarrier(() -> vm.machine().devices().states(succession));
                trial.restore(states);
                fits = true;
            } finally {
                if (!fits) {
                    trial.drop();
                }
            }
        }

        private boolean exchangesCore() {
            return engine != vm.machine().engineType() || paging != vm.machine().pagingType();
        }

        boolean isEmpty() {
            return trial.isEmpty() && ports.isEmpty() && !exchangesCore();
        }

        List<String> names() {
            List<String> out = new ArrayList<>();
            if (engine != vm.machine().engineType()) {
                out.add("engine");
            }
            if (paging != vm.machine().pagingType()) {
                out.add("paging");
            }
            ports.forEach(port -> out.add("backend " + port.name));
            out.addAll(trial.names());
            return out;
        }

        /** A VM that ends meanwhile needs nothing. */
        boolean commitIfAlive(List<SwapReport.Exchange> out) throws HostRefusal {
            try {
                out.add(Vmm.orRefuse(this::commit));
                return true;
            } catch (HostRefusal e) {
                if (vm.isEnding()) {
                    return false;
                }
                throw e;
            }
        }

        private SwapReport.Exchange commit() throws HostRefusal, ConfigurationException {
            List<String> names = names();
            long[] pause = new long[1];
            vm.underBarrier(() -> {
                long start = vm.hostClock().nanoTime();
                exchange();
                pause[0] = vm.hostClock().nanoTime() - start;
                return names;
            });
            return new SwapReport.Exchange(vm.name(), names, pause[0]);
        }

        private void exchange() throws HostRefusal, ConfigurationException {
            EngineType oldEngine = vm.machine().engineType();
            PagingModeType oldPaging = vm.machine().pagingType();
            boolean exchanged = exchangesCore();
            if (exchanged) {
                vm.machine().exchange(engine, paging);
            }
            Map<BackendPort<?>, BackendType> done = new LinkedHashMap<>();
            boolean all = false;
            try {
                for (BackendPort<?> port : ports) {
                    BackendType before = port.origin().orElseThrow().type();
                    vm.backends().exchange(port, successor(port));
                    done.put(port, before);
                }
                if (!trial.isEmpty()) {
                    trial.commit();
                }
                all = true;
            } finally {
                if (!all) {
                    for (Map.Entry<BackendPort<?>, BackendType> back : done.entrySet()) {
                        vm.backends().exchange(back.getKey(), back.getValue());
                    }
                    if (exchanged) {
                        vm.machine().exchange(oldEngine, oldPaging);
                    }
                }
            }
        }
    }

    /** For what a new bundle offers in place of an old one. */
    static Succession of(PluginTypes types, Set<PluginType> ending, long bundle) {
        return new Succession() {
            @Override
            public boolean ends(PluginType type) {
                return ending.contains(type);
            }

            @Override
            public <T extends PluginType> T successor(Class<T> family, String word, String name)
                    throws ConfigurationException {
                return types.of(family, name, bundle)
                        .orElseThrow(() ->
                                new ConfigurationException(
                                        "the new bundle offers no "
                                                + word
                                                + " '"
                                                + name
                                                + "', which is in use"));
            }
        };
    }

    /** For one type that takes the place of equal ones. */
    static Succession to(Predicate<PluginType> ending, PluginType successor) {
        return new Succession() {
            @Override
            public boolean ends(PluginType type) {
                return ending.test(type);
            }

            @Override
            public <T extends PluginType> T successor(Class<T> family, String word, String name) {
                return family.cast(successor);
            }
        };
    }

    /**
     * Exchanges everything that ends in all VMs that live.
     *
     * @param back the way back, if one VM of several cannot go along
     * @throws HostRefusal with the reason; all VMs run with what they had
     */
    Done run(Succession succession, Succession back) throws HostRefusal {
        List<Plan> open = new ArrayList<>();
        List<SwapReport.Exchange> out = new ArrayList<>();
        boolean done = false;
        long start = clock.nanoTime();
        try {
            for (Vm vm : vmm.living()) {
                Vmm.orRefuse(() -> open.add(new Plan(vm, succession)));
            }
            long trial = clock.nanoTime() - start;
            for (Plan plan : List.copyOf(open)) {
                if (!plan.isEmpty() && plan.commitIfAlive(out)) {
                    open.remove(plan);
                }
            }
            done = true;
            return new Done(trial, List.copyOf(out));
        } finally {
            open.forEach(plan -> plan.trial.drop());
            if (!done && !out.isEmpty()) {
                run(back, succession);
            }
        }
    }

    /** How long the trial took, and what came of it. */
    record Done(long trialNanos, List<SwapReport.Exchange> exchanges) {}
}
