package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.plugin.Spelling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Guest memory, and the registers and code of vcores. */
final class CpuCommands {
    private static final int MOST_BYTES = 1 << 20;
    private static final String ALL = "all";
    private static final int MOST_LINES = 10_000;

    private CpuCommands() {}

    static List<Command> all() {
        return List.of(
                Command.of(
                        "mem:read",
                        "VM ADDRESS [LENGTH] [--virtual] [--core N]",
                        "shows guest memory; addresses are guest-physical, or a vcore's virtual ones",
                        "mem:read linux 0x100000 64",
                        standing(CpuCommands::read)),
                Command.of(
                        "mem:write",
                        "VM ADDRESS BYTE... [--virtual] [--core N]",
                        "writes bytes, in hexadecimal, into guest memory",
                        "mem:write linux 0x1000 90 90 f4",
                        standing(CpuCommands::write)),
                Command.of(
                        "cpu:registers",
                        "VM [GROUP] [--core N]",
                        "shows a group of registers of a vcore of a paused VM: the first, or 'all'",
                        "cpu:registers linux control --core 1",
                        standing(CpuCommands::registers)),
                Command.of(
                        "cpu:set",
                        "VM REGISTER NUMBER [--core N]",
                        "sets a register of a paused VM",
                        "cpu:set linux rax 0x10",
                        standing(CpuCommands::set)),
                Command.of(
                        "cpu:disassemble",
                        "VM ADDRESS [COUNT] [--core N]",
                        "shows code from a virtual address on; of a paused VM",
                        "cpu:disassemble linux rip 10",
                        standing(CpuCommands::disassemble)),
                Command.of(
                        "cpu:walk",
                        "VM ADDRESS [--core N]",
                        "shows how a virtual address is translated, step by step; of a paused VM",
                        "cpu:walk linux rsp",
                        standing(CpuCommands::walk)),
                Command.of(
                        "cpu:show",
                        "VM [--core N]",
                        "shows registers, code and page walk of a vcore of a paused VM",
                        "cpu:show linux",
                        standing(CpuCommands::show)));
    }

    /** Nobody sets a paused VM going while its cores are looked at. */
    private static Command.Action standing(Command.Action action) {
        return call -> {
            VirtualMachine vm = call.vm();
            return Call.runs(vm)
                    ? action.run(call)
                    : call.vmm().management().standing(vm.id(), () -> action.run(call));
        };
    }

    private static Shown show(Call call) throws HostRefusal, UsageException {
        return Shown.lines(call.standingCore().describe().stripTrailing().lines().toList(), "");
    }

    private static Shown read(Call call) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        long address = address(call);
        int length = (int) call.number("LENGTH", 1, MOST_BYTES, 64);
        byte[] bytes = new byte[length];
        if (call.has("--virtual")) {
            Vcore core = call.standingCore();
            for (int i = 0; i < length; i++) {
                bytes[i] = (byte) vm.memory().readByte(physical(core, address + i));
            }
        } else {
            requireRam(vm, address, length);
            vm.memory().read(address, bytes, 0, length);
        }
        return new Shown(
                LifeCycleCommands.ordered("address", hex(address), "bytes", bytes),
                () -> String.join("\n", Text.dump(address, bytes)));
    }

    private static Shown write(Call call) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        GuestMemory memory = vm.memory();
        long address = address(call);
        byte[] bytes = bytes(call.all("BYTE"));
        if (call.has("--virtual")) {
            Vcore core = call.standingCore();
            long[] places = new long[bytes.length]; // all or nothing
            for (int i = 0; i < bytes.length; i++) {
                places[i] = physical(core, address + i);
                requireRam(vm, places[i], 1);
            }
            for (int i = 0; i < bytes.length; i++) {
                memory.writeByte(places[i], bytes[i]);
            }
        } else {
            requireRam(vm, address, bytes.length);
            memory.write(address, bytes, 0, bytes.length);
        }
        return Shown.of(
                LifeCycleCommands.ordered("address", hex(address), "bytes", bytes.length),
                bytes.length + " bytes written at " + hex(address));
    }

    private static byte[] bytes(List<String> words) throws UsageException {
        byte[] bytes = new byte[words.size()];
        for (int i = 0; i < bytes.length; i++) {
            String digits = words.get(i).replaceFirst("^0x", "");
            if (!digits.matches("[0-9a-fA-F]{1,2}")) {
                throw new UsageException("BYTE: '" + words.get(i) + "' is not from 00 to ff");
            }
            bytes[i] = (byte) Integer.parseInt(digits, 16);
        }
        return bytes;
    }

    private static void requireRam(VirtualMachine vm, long address, long bytes) throws HostRefusal {
        if (!vm.memory().isRam(address, bytes)) {
            throw new HostRefusal(
                    "VM "
                            + vm.name()
                            + " has no RAM at "
                            + hex(address)
                            + " for "
                            + bytes
                            + " bytes");
        }
    }

    private static long physical(Vcore core, long address) throws HostRefusal {
        long physical = core.translate(address);
        if (physical == -1) {
            throw new HostRefusal(
                    hex(address) + " is not mapped; `cpu:walk` shows where the walk ends");
        }
        return physical;
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    private record Register(RegisterGroup group, RegisterField field) {}

    private static Optional<Register> find(VirtualMachine vm, String name) {
        return vm.architecture().groups().stream()
                .flatMap(group ->
                        group.fields().stream()
                                .filter(field -> field.name().equals(name))
                                .map(field -> new Register(group, field)))
                .findFirst();
    }

    private static Register require(VirtualMachine vm, String name) throws UsageException {
        List<String> names = names(vm);
        return find(vm, name)
                .orElseThrow(() ->
                        new UsageException(
                                "REGISTER: '"
                                        + name
                                        + "' is none of "
                                        + vm.architecture().name()
                                        + (names.size() > 40
                                                ? near(name, names)
                                                : Spelling.suggest(name, names))));
    }

    /** No list of hundreds of names. */
    private static String near(String name, List<String> names) {
        String suggestion = Spelling.suggest(name, names);
        return suggestion.length() > 80 ? "; cpu:registers shows them" : suggestion;
    }

    static List<String> names(VirtualMachine vm) {
        return vm.architecture().groups().stream()
                .flatMap(group -> group.fields().stream().map(RegisterField::name))
                .toList();
    }

    private static Shown registers(Call call) throws HostRefusal, UsageException {
        Vcore core = call.standingCore();
        Optional<String> wanted = call.optional("GROUP");
        List<RegisterGroup> groups = core.vm().architecture().groups();
        List<String> known = groups.stream().map(RegisterGroup::name).toList();
        if (wanted.isPresent() && !wanted.get().equals(ALL) && !known.contains(wanted.get())) {
            throw new UsageException(
                    "GROUP: '"
                            + wanted.get()
                            + "' is none"
                            + Spelling.suggest(wanted.get(), known));
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        for (RegisterGroup group : groups) {
            String shown = wanted.orElse(known.getFirst());
            if (shown.equals(ALL) || shown.equals(group.name())) {
                core.fetch(group.mask());
                Map<String, Object> values = new LinkedHashMap<>();
                for (RegisterField field : group.fields()) {
                    values.put(field.name(), value(core.block().group(group.id()), field));
                }
                tree.put(group.name(), values);
            }
        }
        return Shown.tree(tree);
    }

    private static String value(long[] group, RegisterField field) {
        StringBuilder digits = new StringBuilder();
        for (int i = field.words() - 1; i >= 0; i--) {
            digits.append(String.format("%016x", group[field.index() + i]));
        }
        int wanted = (field.bits() + 3) / 4;
        return digits.substring(Math.max(0, digits.length() - wanted));
    }

    private static Shown set(Call call) throws HostRefusal, UsageException {
        Vcore core = call.standingCore();
        Register register = require(core.vm(), call.text("REGISTER"));
        if (register.field.bits() > 64) {
            throw new HostRefusal(register.field.name() + " is wider than 64 bits");
        }
        long value = Call.number("NUMBER", call.text("NUMBER"));
        int id = register.group.id();
        core.fetch(register.group.mask()); // the others of the group stay as they are
        core.block().group(id)[register.field.index()] = value;
        core.block().dirty |= register.group.mask();
        return Shown.of(
                LifeCycleCommands.ordered("register", register.field.name(), "value", hex(value)),
                register.field.name() + " is " + hex(value));
    }

    private static Shown disassemble(Call call) throws HostRefusal, UsageException {
        Vcore core = call.standingCore();
        int count = (int) call.number("COUNT", 1, MOST_LINES, 16);
        return Shown.lines(core.disassemble(address(call), count), "no memory there");
    }

    private static Shown walk(Call call) throws HostRefusal, UsageException {
        return Shown.lines(call.standingCore().walk(address(call)), "this engine shows no walk");
    }

    /** A sum of numbers and registers, such as {@code rsp+0x10}. */
    private static long address(Call call) throws HostRefusal, UsageException {
        long sum = 0;
        for (String part : Arrays.asList(call.text("ADDRESS").split("\\+", -1))) {
            Optional<Register> register = find(call.vm(), part);
            sum +=
                    register.isPresent()
                            ? value(call.standingCore(), register.get())
                            : Call.number("ADDRESS", part);
        }
        return sum;
    }

    private static long value(Vcore core, Register register) {
        core.fetch(register.group.mask());
        return core.block().group(register.group.id())[register.field.index()];
    }

    /** For completion. */
    static List<String> groups(VirtualMachine vm) {
        List<String> names = new ArrayList<>(List.of(ALL));
        vm.architecture().groups().forEach(group -> names.add(group.name()));
        return names;
    }
}
