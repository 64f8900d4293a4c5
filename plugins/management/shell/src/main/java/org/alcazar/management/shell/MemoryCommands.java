package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.management.ForkReport;
import org.alcazar.vmm.management.MemoryReport;

import java.util.List;

/** Where the RAM of VMs is, and what is done with it. */
final class MemoryCommands {
    private static final double NANOS_PER_MILLISECOND = 1e6;

    private MemoryCommands() {}

    static List<Command> all() {
        return List.of(
                Command.of(
                        "vm:fork",
                        "VM NAME [--start]",
                        "makes a paused copy of a VM, which goes on; they share RAM until one writes",
                        "vm:fork linux copy --start",
                        MemoryCommands::fork),
                Command.of(
                        "vm:memory",
                        "VM",
                        "shows how much of a VM's RAM is there, shared, swapped and given back",
                        "vm:memory linux",
                        MemoryCommands::memory));
    }

    private static Shown fork(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        String name = call.text("NAME");
        ForkReport made = call.vmm().management().fork(vm.id(), name);
        if (call.has("--start")) {
            call.vmm().control().resume(made.vm());
        }
        double millis = made.pauseNanos() / NANOS_PER_MILLISECOND;
        return Shown.of(
                LifeCycleCommands.ordered(
                        "id",
                        made.vm(),
                        "name",
                        name,
                        "pause-ns",
                        made.pauseNanos(),
                        "shared-bytes",
                        made.sharedBytes()),
                "VM %d (%s) is a copy of VM %s, which stood still for %.2f ms; they share %s of RAM"
                        .formatted(made.vm(), name, vm.name(), millis, Text.size(made.sharedBytes())));
    }

    private static Shown memory(Call call) throws HostRefusal {
        MemoryReport report = call.vmm().management().memory().report(call.vm().id());
        return new Shown(
                LifeCycleCommands.ordered(
                        "ram", report.ram(),
                        "present", report.present(),
                        "shared", report.shared(),
                        "private", report.alone(),
                        "swapped", report.swapped(),
                        "ballooned", report.ballooned(),
                        "copied", report.copied(),
                        "tables", report.tables(),
                        "charged", report.charged(),
                        "paged", report.paged()),
                () ->
                        Text.tree(
                                LifeCycleCommands.ordered(
                                        "RAM", size(report.ram()),
                                        "present", size(report.present()),
                                        "  shared", size(report.shared()),
                                        "  private", size(report.alone()),
                                        "swapped", size(report.swapped()),
                                        "ballooned", size(report.ballooned()),
                                        "copied on write", size(report.copied()),
                                        "table pages", size(report.tables()),
                                        "charged to the VM", size(report.charged()),
                                        "kept in", report.paged() ? "pages" : "one piece")));
    }

    private static String size(long bytes) {
        return Text.size(bytes);
    }
}
