package org.alcazar.vmm.core;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.core.PluginTypes.Source;
import org.alcazar.vmm.plugin.PluginType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** What becomes of VMs when types go that they use and nobody takes their place. */
final class Withdrawal {
    private static final Logger LOG = LoggerFactory.getLogger(Withdrawal.class);

    private final Vmm vmm;

    /** VMs that were paused here. Under the lock of the VMM's structure, as all of this. */
    private final Set<Vm> waiting = new HashSet<>();

    Withdrawal(Vmm vmm) {
        this.vmm = vmm;
    }

    /** Parts of living VMs that are of some types, as {@code vm/part}. */
    List<String> users(Predicate<PluginType> asked) {
        List<String> out = new ArrayList<>();
        for (Vm vm : vmm.living()) {
            parts(vm, asked).forEach(part -> out.add(vm.name() + "/" + part));
        }
        return out;
    }

    private static List<String> parts(Vm vm, Predicate<PluginType> asked) {
        Machine machine = vm.machine();
        List<String> out = new ArrayList<>();
        if (asked.test(machine.engines().engineType())) {
            out.add("engine");
        }
        if (asked.test(machine.engines().pagingType())) {
            out.add("paging");
        }
        machine.devices().ports().stream()
                .filter(port -> port.origin().isPresent())
                .filter(port -> asked.test(port.origin().get().type()))
                .forEach(port -> out.add("backend " + port.name));
        out.addAll(machine.devices().partsOf(asked));
        return out;
    }

    /**
     * Refuses a stop that a VM forbids.
     *
     * @throws HostRefusal naming the parts in use
     */
    void check(String bundle, Set<PluginType> types) throws HostRefusal {
        List<String> forbidding = new ArrayList<>();
        for (Vm vm : vmm.living()) {
            if (vm.configuration().onBundleStop() == StopPolicy.REFUSE) {
                parts(vm, types::contains).forEach(part -> forbidding.add(vm.name() + "/" + part));
            }
        }
        if (!forbidding.isEmpty()) {
            throw new HostRefusal(
                    bundle
                            + " is in use by "
                            + String.join(", ", forbidding)
                            + "; swap it, detach the device, or give the VM "
                            + StopPolicy.KEY
                            + "=pause or unplug");
        }
    }

    /** A type goes, whatever VMs want: each follows its policy. */
    void gone(PluginType type) {
        waiting.removeIf(Vm::isEnding);
        for (Vm vm : vmm.living()) {
            List<String> parts = parts(vm, asked -> asked == type);
            if (!parts.isEmpty()) {
                follow(vm, type, parts);
            }
        }
    }

    private void follow(Vm vm, PluginType type, List<String> parts) {
        String what = "bundle of " + String.join(", ", parts) + " was stopped";
        try {
            switch (vm.configuration().onBundleStop()) {
                case REFUSE -> tell(vm, what, "it goes on with the stopped bundle's code");
                case PAUSE -> pause(vm, what);
                case UNPLUG -> {
                    List<String> gone =
                            Vmm.orRefuse(() ->
                                    vm.underBarrier(() ->
                                            vm.machine().devices().unplug(asked -> asked == type)));
                    if (gone.containsAll(parts)) {
                        tell(vm, what, "unplugged");
                    } else {
                        pause(vm, what);
                    }
                }
            }
        } catch (HostRefusal e) {
            LOG.warn("VM {}: the {}: {}", vm.name(), what, e.getMessage());
        }
    }

    private void pause(Vm vm, String what) throws HostRefusal {
        if (vm.state() == VmState.RUNNING || vm.state() == VmState.SIMULATING) {
            vm.pause();
            waiting.add(vm);
        }
        tell(vm, what, "paused");
    }

    private static void tell(Vm vm, String what, String outcome) {
        LOG.warn("VM {}: the {}; {}", vm.name(), what, outcome);
        vm.note("bundle", "the " + what + "; " + outcome);
    }

    /** Exchanges parts whose type has gone for those of an equal one that has come. */
    void succeed(PluginType type, PluginTypes types, Exchanges exchanges) {
        Predicate<PluginType> orphan =
                old ->
                        old != type
                                && old.name().equals(type.name())
                                && types.source(old) == Source.NOWHERE
                                && PluginTypes.sameFamily(old, type);
        if (users(orphan).isEmpty()) {
            return;
        }
        try {
            exchanges.run(Exchanges.to(orphan, type));
            LOG.info("the new {} has taken over", type.name());
        } catch (HostRefusal e) {
            LOG.warn("the new {} can't take over: {}", type.name(), e.getMessage());
            return;
        }
        for (Vm vm : List.copyOf(waiting)) {
            if (parts(vm, old -> types.source(old) == Source.NOWHERE).isEmpty()) {
                resume(vm);
            }
        }
    }

    private void resume(Vm vm) {
        waiting.remove(vm);
        try {
            if (vm.state() == VmState.PAUSED) {
                vm.resume();
            }
        } catch (HostRefusal e) {
            LOG.warn("{}", e.getMessage());
        }
    }
}
