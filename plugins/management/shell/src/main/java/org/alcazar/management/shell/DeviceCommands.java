package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.management.HookInfo;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Spelling;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Devices and the other parts of VMs, and the types that there are. */
final class DeviceCommands {
    private static final String DEVICE = "device";

    private DeviceCommands() {}

    static List<Command> all() {
        return List.of(
                Command.of(
                        "device:list",
                        "VM",
                        "lists what a VM is made of, and the bundles that it comes from",
                        "device:list linux",
                        DeviceCommands::list),
                Command.of(
                        "device:types",
                        "[TYPE]",
                        "lists the types of devices, or the keys that one takes",
                        "device:types uart16550",
                        DeviceCommands::types),
                Command.of(
                        "device:attach",
                        "VM TYPE [KEY=VALUE...]",
                        "makes a device in a VM, which runs on",
                        "device:attach linux uart16550 name=com2",
                        DeviceCommands::attach),
                Command.of(
                        "device:detach",
                        "VM DEVICE",
                        "takes a device out of a VM, which runs on",
                        "device:detach linux com2",
                        DeviceCommands::detach),
                Command.of(
                        "device:inspect",
                        "VM DEVICE",
                        "shows the state of a device, its registers among it, and its hooks",
                        "device:inspect linux com1",
                        DeviceCommands::inspect),
                Command.of(
                        "plugin:types",
                        "[FAMILY]",
                        "lists the types of plugins of all families, or of one",
                        "plugin:types engine",
                        DeviceCommands::plugins));
    }

    static PartInfo requirePart(Call call, VirtualMachine vm, String name) throws HostRefusal {
        List<PartInfo> parts = call.vmm().management().parts(vm.id());
        return parts.stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new HostRefusal(
                                "VM "
                                        + vm.name()
                                        + " has no device '"
                                        + name
                                        + "'"
                                        + Spelling.suggest(
                                                name,
                                                parts.stream().map(PartInfo::name).toList())));
    }

    private static Shown list(Call call) throws HostRefusal {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (PartInfo part : call.vmm().management().parts(call.vm().id())) {
            rows.add(
                    LifeCycleCommands.ordered(
                            "name", part.name(),
                            "kind", part.kind(),
                            "type", part.type(),
                            "bundle", part.bundle(),
                            "class", part.implementation()));
        }
        return Shown.table(rows, "nothing");
    }

    private static Shown types(Call call) throws HostRefusal {
        Map<String, String> types = call.vmm().control().types().getOrDefault(DEVICE, Map.of());
        if (call.optional("TYPE").isEmpty()) {
            return Shown.table(rows(DEVICE, types), "no bundle offers a device");
        }
        String type = call.text("TYPE");
        Schema schema =
                call.vmm()
                        .management()
                        .schema(DEVICE, type)
                        .orElseThrow(() ->
                                new HostRefusal(
                                        "there is no device '"
                                                + type
                                                + "'"
                                                + Spelling.suggest(type, types.keySet())));
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Key key : schema.keys()) {
            rows.add(
                    LifeCycleCommands.ordered(
                            "key", key.name(),
                            "kind", LifeCycleCommands.word(key.kind()),
                            "default", key.required() ? "(must be given)" : key.fallback(),
                            "values", values(key),
                            "meaning", key.doc()));
        }
        return Shown.table(rows, type + " takes no keys");
    }

    private static String values(Key key) {
        return switch (key.kind()) {
            case CHOICE -> String.join("|", key.choices());
            case INTEGER, SIZE -> key.minimum() + " to " + key.maximum();
            default -> "";
        };
    }

    private static List<Map<String, Object>> rows(String family, Map<String, String> types) {
        List<Map<String, Object>> rows = new ArrayList<>();
        types.forEach((name, description) ->
                rows.add(
                        LifeCycleCommands.ordered(
                                "family", family, "type", name, "description", description)));
        return rows;
    }

    private static Shown plugins(Call call) throws HostRefusal {
        Map<String, Map<String, String>> types = call.vmm().control().types();
        Optional<String> wanted = call.optional("FAMILY");
        if (wanted.isPresent() && !types.containsKey(wanted.get())) {
            throw new HostRefusal(
                    "there is no family '"
                            + wanted.get()
                            + "'"
                            + Spelling.suggest(wanted.get(), types.keySet()));
        }
        List<Map<String, Object>> rows = new ArrayList<>();
        types.forEach((family, names) -> {
            if (wanted.map(family::equals).orElse(true)) {
                rows.addAll(rows(family, names));
            }
        });
        return Shown.table(rows, "no bundle offers any");
    }

    private static Shown attach(Call call) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        String name = call.vmm().management().attach(vm.id(), call.text("TYPE"), call.settings());
        return Shown.of(
                LifeCycleCommands.ordered("id", vm.id(), DEVICE, name),
                "VM " + vm.name() + " has the device " + name);
    }

    private static Shown detach(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        call.vmm().management().detach(vm.id(), call.text("DEVICE"));
        return Shown.of(
                LifeCycleCommands.ordered("id", vm.id(), DEVICE, call.text("DEVICE")),
                "VM " + vm.name() + " is without the device " + call.text("DEVICE"));
    }

    private static Shown inspect(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        String name = call.text("DEVICE");
        PartInfo part = requirePart(call, vm, name);
        Map<String, Object> hooks = new LinkedHashMap<>();
        for (HookInfo hook : call.vmm().management().hooks(vm.id())) {
            if (hook.owner().equals(name)) {
                hooks.put(
                        hook.space()
                                + " "
                                + CpuCommands.hex(hook.first())
                                + " to "
                                + CpuCommands.hex(hook.last()),
                        hook.reads() + " reads, " + hook.writes() + " writes");
            }
        }
        SavedState state = call.vmm().management().state(vm.id(), name);
        return Shown.tree(
                LifeCycleCommands.ordered(
                        "name",
                        part.name(),
                        "kind",
                        part.kind(),
                        "type",
                        part.type(),
                        "bundle",
                        part.bundle(),
                        "class",
                        part.implementation(),
                        "hooks",
                        hooks,
                        "state (" + state.type() + " version " + state.version() + ")",
                        plain(state)));
    }

    /** A state as a tree of JDK types; bytes as hexadecimal digits. */
    private static Object plain(Object value) {
        return switch (value) {
            case SavedState state -> plain(state.values());
            case Map<?, ?> map -> {
                Map<String, Object> plain = new LinkedHashMap<>();
                map.forEach((key, inner) -> plain.put(String.valueOf(key), plain(inner)));
                yield plain;
            }
            case List<?> list -> list.stream().map(DeviceCommands::plain).toList();
            case byte[] bytes -> HexFormat.of().formatHex(bytes);
            case Long number when number > 9 || number < 0 ->
                    number + " (" + CpuCommands.hex(number) + ")";
            default -> value;
        };
    }
}
