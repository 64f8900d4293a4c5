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

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The exchange of types for newer ones in running VMs: everything is tried while the guests run,
 * then done with all VMs in their barriers. If one of them can't go along, those that have go back
 * to their old parts, which are as they were: no guest has run meanwhile.
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
            Engines engines = machine.engines();
            EngineType oldEngine = engines.engineType();
            engine =
                    succession.ends(oldEngine)
                            ? succession.successor(EngineType.class, "engine", oldEngine.name())
                            : oldEngine;
            PagingModeType oldPaging = engines.pagingType();
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
                engines.tryOut(engine);
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
            Engines engines = vm.machine().engines();
            return engine != engines.engineType() || paging != engines.pagingType();
        }

        boolean isEmpty() {
            return trial.isEmpty() && ports.isEmpty() && !exchangesCore();
        }

        List<String> names() {
            List<String> out = new ArrayList<>();
            if (engine != vm.machine().engines().engineType()) {
                out.add("engine");
            }
            if (paging != vm.machine().engines().pagingType()) {
                out.add("paging");
            }
            ports.forEach(port -> out.add("backend " + port.name));
            out.addAll(trial.names());
            return out;
        }

        /** Exchanges everything, and then what others have, or leaves all as it was. */
        SwapReport.Exchange commit(Others others) throws HostRefusal, ConfigurationException {
            List<String> names = names();
            long start = vm.hostClock().nanoTime();
            long drawn = vm.machine().entropy().state();
            Deque<Undo> undo = new ArrayDeque<>();
            undo.push(() -> vm.machine().entropy().restore(drawn));
            boolean all = false;
            try {
                exchange(undo);
                others.commit();
                all = true;
            } finally {
                if (!all) {
                    undo(undo);
                }
            }
            trial.finish();
            return new SwapReport.Exchange(vm.name(), names, vm.hostClock().nanoTime() - start);
        }

        private void exchange(Deque<Undo> undo) throws HostRefusal, ConfigurationException {
            Engines engines = vm.machine().engines();
            if (exchangesCore()) {
                EngineType oldEngine = engines.engineType();
                PagingModeType oldPaging = engines.pagingType();
                engines.exchange(engine, paging);
                undo.push(() -> engines.exchange(oldEngine, oldPaging));
            }
            for (BackendPort<?> port : ports) {
                BackendType before = port.origin().orElseThrow().type();
                vm.backends().exchange(port, successor(port));
                undo.push(() -> vm.backends().exchange(port, before));
            }
            if (!trial.isEmpty()) {
                trial.commit();
                undo.push(trial::revert);
            }
        }

        /** What can't be taken back fails the VM, and hides no reason. */
        private void undo(Deque<Undo> undo) {
            while (!undo.isEmpty()) {
                try {
                    undo.pop().run();
                } catch (HostRefusal | ConfigurationException | RuntimeException e) {
                    vm.fail("an exchange could not be taken back: " + e.getMessage(), e);
                }
            }
        }
    }

    private interface Undo {
        void run() throws HostRefusal, ConfigurationException;
    }

    private interface Others {
        void commit() throws HostRefusal;
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
     * @throws HostRefusal with the reason; all VMs run with what they had
     */
    Done run(Succession succession) throws HostRefusal {
        List<Plan> plans = new ArrayList<>();
        long start = clock.nanoTime();
        try {
            for (Vm vm : vmm.living()) {
                try {
                    Vmm.orRefuse(() -> plans.add(new Plan(vm, succession)));
                } catch (HostRefusal e) {
                    if (!vm.isEnding()) {
                        throw e;
                    }
                }
            }
            long trial = clock.nanoTime() - start;
            List<SwapReport.Exchange> out = new ArrayList<>();
            commit(plans.stream().filter(plan -> !plan.isEmpty()).toList(), out);
            out.forEach(this::note);
            return new Done(trial, List.copyOf(out.reversed()));
        } finally {
            plans.forEach(plan -> plan.trial.drop());
        }
    }

    private void note(SwapReport.Exchange exchange) {
        vmm.living().stream()
                .filter(vm -> vm.name().equals(exchange.vm()))
                .forEach(vm -> vm.note("swap", String.join(", ", exchange.parts())));
    }

    /** Has the first VM stand while it and all others go along, or none of them. */
    private void commit(List<Plan> plans, List<SwapReport.Exchange> out) throws HostRefusal {
        if (plans.isEmpty()) {
            return;
        }
        Plan first = plans.getFirst();
        Others others = () -> commit(plans.subList(1, plans.size()), out);
        boolean[] stood = {false};
        try {
            Vmm.orRefuse(() ->
                    first.vm.underBarrier(() -> {
                        stood[0] = true;
                        return out.add(first.commit(others));
                    }));
        } catch (HostRefusal e) {
            if (stood[0] || !first.vm.isEnding()) {
                throw e;
            }
            others.commit(); // it has ended meanwhile and needs nothing
        }
    }

    /** How long the trial took, and what came of it. */
    record Done(long trialNanos, List<SwapReport.Exchange> exchanges) {}
}
