package org.alcazar.testkit;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VmState;

import java.io.Serial;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a VM was doing when its test failed: added to the failure, so that every runner shows it.
 */
final class VmReport extends Exception {
    @Serial private static final long serialVersionUID = 1;

    private static final int EXITS = 16;

    VmReport(String text) {
        super(text, null, false, false);
    }

    /** Pauses the VM if it runs. */
    static String of(TestVm vm, Optional<VmEnd> end) {
        VirtualMachine machine = vm.machine();
        VmState state = machine.state();
        StringBuilder out = new StringBuilder();
        out.append("VM ").append(machine.name()).append(": ").append(state);
        end.ifPresent(
                e -> out.append(", status ").append(e.status()).append(", ").append(e.reason()));
        out.append("\nconsole: ").append(vm.console());
        boolean stands = stand(vm, state, out);
        for (Vcore vcore : machine.vcores()) {
            if (stands) {
                out.append('\n').append(vcore.summary());
                out.append('\n').append(vcore.describe().stripTrailing());
            }
            List<String> exits = vm.exits(vcore.index(), EXITS);
            out.append("\nlast exits of vcore ").append(vcore.index()).append(':');
            exits.forEach(line -> out.append("\n  ").append(line));
        }
        vm.probe()
                .ifPresent(
                        probe -> out.append("\ninterrupts delivered: ").append(probe.interrupts()));
        devices(vm, out);
        return out.toString();
    }

    private static boolean stand(TestVm vm, VmState state, StringBuilder out) {
        try {
            if (state == VmState.RUNNING || state == VmState.SIMULATING) {
                vm.pause();
            }
            return true;
        } catch (HostRefusal e) {
            out.append("\nit can't be paused: ").append(e.getMessage());
            return false;
        }
    }

    private static void devices(TestVm vm, StringBuilder out) {
        try {
            Map<String, Object> statistics = vm.control().statistics(vm.id());
            out.append("\nhooks: ").append(statistics.get("hooks"));
            out.append("\ndevices: ").append(statistics.get("devices"));
        } catch (HostRefusal e) {
            out.append("\nno statistics: ").append(e.getMessage());
        }
    }
}
