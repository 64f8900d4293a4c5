package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.management.HookInfo;
import org.alcazar.vmm.management.StuckCall;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What VMs do: figures, hooks, events. */
final class WatchCommands {
    private WatchCommands() {}

    static List<Command> all() {
        return List.of(
                Command.of(
                        "vm:list",
                        "",
                        "lists the VMs and what they do",
                        "vm:list",
                        WatchCommands::list),
                Command.of(
                        "vm:stats",
                        "VM",
                        "shows all figures of a VM; times are in seconds",
                        "vm:stats linux --json",
                        call -> Shown.tree(call.vmm().control().statistics(call.vm().id()))),
                Command.of(
                        "vm:exits",
                        "VM",
                        "counts the exits of a VM by their reason",
                        "vm:exits linux",
                        WatchCommands::exits),
                Command.of(
                        "vm:counters",
                        "VM [DEVICE]",
                        "shows the counters of devices and of the engine",
                        "vm:counters linux com1",
                        WatchCommands::counters),
                Command.of(
                        "vm:hooks",
                        "VM [DEVICE]",
                        "lists the hooked ranges with their owners and counts",
                        "vm:hooks linux",
                        WatchCommands::hooks),
                Command.of(
                        "vm:top",
                        "[--every SECONDS] [--count N]",
                        "shows what the VMs do, live; q ends it",
                        "vm:top --every 2",
                        Top::show),
                Command.of(
                        "vm:events",
                        "[VM] [--last N] [--follow] [--count N]",
                        "lists what has happened to VMs; --follow goes on until Ctrl-C, --count"
                                + " until N more have come",
                        "vm:events linux --follow",
                        Events::show),
                Command.of(
                        "vm:stuck",
                        "",
                        "lists calls into plugins that were given up because they did not return",
                        "vm:stuck",
                        WatchCommands::stuck));
    }

    private static Shown list(Call call) throws HostRefusal {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (VirtualMachine vm : call.vmm().machines().all()) {
            Map<String, Object> figures = call.vmm().control().statistics(vm.id());
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("id", vm.id());
            row.put("name", vm.name());
            row.put("state", LifeCycleCommands.word(vm.state()));
            row.put("cpus", vm.vcores().size());
            row.put("memory", Text.size(Figures.number(figures, "memory", "guest-bytes")));
            row.put("engine", figures.getOrDefault("engine", ""));
            row.put("instructions", Figures.number(figures, "instructions"));
            row.put("seconds", Figures.real(figures, "time", "run"));
            row.put("mips", Figures.real(figures, "mips"));
            row.put("end", figures.getOrDefault("reason", ""));
            rows.add(row);
        }
        return Shown.table(rows, "there are no VMs; vm:create makes one");
    }

    private static Shown exits(Call call) throws HostRefusal {
        Map<String, Object> figures = call.vmm().control().statistics(call.vm().id());
        Map<String, Object> exits = Figures.tree(figures, "exits");
        List<Map<String, Object>> rows =
                exits.keySet().stream()
                        .filter(reason -> Figures.number(exits, reason) > 0)
                        .sorted(
                                Comparator.comparingLong(
                                        (String reason) -> -Figures.number(exits, reason)))
                        .map(reason ->
                                LifeCycleCommands.ordered(
                                        "exit", reason, "count", Figures.number(exits, reason)))
                        .toList();
        return Shown.table(rows, "no exits yet");
    }

    private static Shown counters(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        Map<String, Object> figures = call.vmm().control().statistics(vm.id());
        Map<String, Object> devices = Figures.tree(figures, "devices");
        if (call.optional("DEVICE").isPresent()) {
            String device = call.text("DEVICE");
            DeviceCommands.requirePart(call, vm, device);
            Map<String, Object> counters = Figures.tree(devices, device);
            return new Shown(
                    counters,
                    () -> counters.isEmpty() ? device + " counts nothing" : Text.tree(counters));
        }
        return Shown.tree(
                LifeCycleCommands.ordered(
                        "devices", devices, "engine", Figures.tree(figures, "engine-counters")));
    }

    private static Shown hooks(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        if (call.optional("DEVICE").isPresent()) {
            DeviceCommands.requirePart(call, vm, call.text("DEVICE"));
        }
        List<Map<String, Object>> rows = new ArrayList<>();
        for (HookInfo hook : call.vmm().management().hooks(vm.id())) {
            if (call.optional("DEVICE").map(hook.owner()::equals).orElse(true)) {
                rows.add(
                        LifeCycleCommands.ordered(
                                "space", hook.space(),
                                "first", CpuCommands.hex(hook.first()),
                                "last", CpuCommands.hex(hook.last()),
                                "owner", hook.owner(),
                                "reads", hook.reads(),
                                "writes", hook.writes()));
            }
        }
        return Shown.table(rows, "no hooks");
    }

    private static Shown stuck(Call call) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (StuckCall stuck : call.vmm().management().stuck()) {
            rows.add(
                    LifeCycleCommands.ordered(
                            "vm", stuck.vm(),
                            "name", stuck.vmName(),
                            "seconds", stuck.seconds(),
                            "call", stuck.what()));
        }
        return Shown.table(rows, "none");
    }
}
