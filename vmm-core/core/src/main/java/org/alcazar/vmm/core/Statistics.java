package org.alcazar.vmm.core;

import org.alcazar.machine.Exit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The tree of figures of one VM. Times are in seconds. */
final class Statistics {
    private static final double NANOS = 1e9;

    private Statistics() {}

    static Map<String, Object> of(Vm vm, long tableBytes, long memoryBytes) {
        Machine machine = vm.machine();
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("id", (long) vm.id());
        out.put("name", vm.name());
        out.put("state", vm.state().name().toLowerCase(java.util.Locale.ROOT));
        vm.end()
                .ifPresent(end -> {
                    out.put("status", (long) end.status());
                    out.put("reason", end.reason());
                });
        out.put("engine", machine.engineName());
        out.put("cpus", (long) machine.vcores().size());
        out.put("memory", memory(vm, tableBytes, memoryBytes));
        speed(vm, out);
        out.put("time", time(vm));
        out.put("exits", exits(machine.vcores()));
        out.put("vcores", vcores(machine));
        fingerprint(vm, out);
        out.put("hooks", hooks(machine.hooks()));
        out.put("paging", paging(machine.engines()));
        out.put("events", events(machine.events()));
        out.put("pauses", pauses(machine.barrier()));
        out.put("devices", machine.devices().counters());
        out.put("engine-counters", engine(machine.vcores()));
        return out;
    }

    private static Map<String, Object> memory(Vm vm, long tableBytes, long memoryBytes) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("guest-bytes", vm.configuration().memory());
        out.put("table-bytes", tableBytes);
        out.put("host-bytes", memoryBytes);
        return out;
    }

    private static void speed(Vm vm, Map<String, Object> out) {
        long retired = vm.machine().vcores().stream().mapToLong(VcoreImpl::retiredInAll).sum();
        long here = vm.machine().vcores().stream().mapToLong(VcoreImpl::retiredHere).sum();
        double busy = busy(vm);
        out.put("instructions", retired);
        out.put("mips", busy <= 0 ? 0.0 : here / busy / 1e6);
    }

    /** Seconds in which vcores ran or were served. */
    private static double busy(Vm vm) {
        Machine machine = vm.machine();
        long running = vm.phases().run() * threads(machine);
        return Math.max(0, running - machine.idleNanos()) / NANOS;
    }

    private static int threads(Machine machine) {
        return machine.clock() instanceof InstructionClock ? 1 : machine.vcores().size();
    }

    private static Map<String, Object> time(Vm vm) {
        Machine machine = vm.machine();
        double vmm = machine.vcores().stream().mapToLong(VcoreImpl::serviceNanos).sum() / NANOS;
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("create", vm.phases().create() / NANOS);
        out.put("load", vm.phases().load() / NANOS);
        out.put("run", vm.phases().run() / NANOS);
        out.put("guest", Math.max(0, busy(vm) - vmm));
        out.put("vmm", vmm);
        out.put("idle", machine.idleNanos() / NANOS);
        out.put("guest-clock", machine.clock().nanos() / NANOS);
        out.put("resets", (long) vm.phases().resets());
        return out;
    }

    private static Map<String, Object> exits(List<VcoreImpl> vcores) {
        Map<String, Object> out = new LinkedHashMap<>();
        for (int reason = 0; reason < Exit.COUNT; reason++) {
            int which = reason;
            out.put(
                    Exit.name(reason),
                    vcores.stream().mapToLong(vcore -> vcore.exits(which)).sum());
        }
        return out;
    }

    private static List<Map<String, Object>> vcores(Machine machine) {
        List<Map<String, Object>> out = new ArrayList<>();
        for (VcoreImpl vcore : machine.vcores()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("instructions", vcore.retiredInAll());
            one.put("cpu", (long) machine.placeOf(vcore.index()));
            one.put("stopped", vcore.stopped());
            one.put("idles", vcore.exits(Exit.IDLE));
            one.put("spins", vcore.exits(Exit.SPIN));
            one.put("kicks", vcore.exits(Exit.KICK));
            out.add(one);
        }
        return out;
    }

    /** What two runs on the clock of instructions are compared by. */
    private static void fingerprint(Vm vm, Map<String, Object> out) {
        Machine machine = vm.machine();
        if (machine.clock() instanceof InstructionClock) {
            List<String> traces =
                    machine.vcores().stream()
                            .map(vcore -> String.format("%016x", vcore.trace()))
                            .toList();
            out.put("exit-traces", traces);
            if (vm.end().isPresent()) {
                out.put("ram-crc32c", RamSections.checksum(machine.pages(), machine.map()));
            }
        }
    }

    private static Map<String, Object> hooks(HookMaps hooks) {
        Map<String, Object> out = new TreeMap<>();
        add(out, "port", hooks.ports.hooks());
        add(out, "memory", hooks.memory.hooks());
        add(out, "register", hooks.registers.hooks());
        add(out, "feature", hooks.features.hooks());
        add(out, "call", hooks.calls.hooks());
        return out;
    }

    private static void add(Map<String, Object> out, String space, List<AccessHook> hooks) {
        for (AccessHook hook : hooks) {
            Map<String, Object> counts = new LinkedHashMap<>();
            counts.put("reads", hook.reads);
            counts.put("writes", hook.writes);
            out.put(
                    String.format("%s %s 0x%x-0x%x", hook.owner, space, hook.first, hook.last),
                    counts);
        }
    }

    private static Map<String, Object> paging(Engines engines) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("mode", engines.pagingType().name());
        out.put("settings", engines.pagingSettings());
        out.put("table-pages", engines.paging().tablePages());
        out.put("counters", engines.paging().counters());
        return out;
    }

    private static Map<String, Object> events(EventQueue events) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("timers", events.timersFired());
        out.put("inputs", events.inputsTaken());
        return out;
    }

    private static Map<String, Object> pauses(Barrier barrier) {
        long[] figures = barrier.figures();
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("count", figures[0]);
        out.put("last", figures[1] / NANOS);
        out.put("longest", figures[2] / NANOS);
        out.put("total", figures[3] / NANOS);
        out.put("longest-wait", figures[4] / NANOS);
        return out;
    }

    private static Map<String, Object> engine(List<VcoreImpl> vcores) {
        Map<String, Long> sums = new TreeMap<>();
        for (VcoreImpl vcore : vcores) {
            vcore.engineCounters().forEach((name, count) -> sums.merge(name, count, Long::sum));
        }
        return new LinkedHashMap<>(sums);
    }
}
