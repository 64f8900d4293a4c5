package org.alcazar.management.shell;

import org.alcazar.host.GuestDescriptions;
import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VmState;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;

/** From a VM's making to its end. */
final class LifeCycleCommands {
    private static final long NANOS_PER_MILLISECOND = 1_000_000;

    private LifeCycleCommands() {}

    static List<Command> all() {
        return List.of(
                Command.of(
                        "vm:create",
                        "[GUEST] [KEY=VALUE...]",
                        "makes a VM of a guest by name or YAML file, of keys as in such a file, or"
                                + " of both; it does not run yet",
                        "vm:create linux memory=1G",
                        LifeCycleCommands::create),
                Command.of(
                        "vm:start",
                        "VM",
                        "starts a VM that was made",
                        "vm:start tiny",
                        call -> change(call, call.vmm().control()::start)),
                Command.of(
                        "vm:pause",
                        "VM",
                        "stops all vcores and agents at a clean point",
                        "vm:pause linux",
                        call -> change(call, call.vmm().control()::pause)),
                Command.of(
                        "vm:resume",
                        "VM",
                        "goes on after a pause",
                        "vm:resume linux",
                        call -> change(call, call.vmm().control()::resume)),
                Command.of(
                        "vm:stop",
                        "VM",
                        "ends a VM whatever it does; its figures stay until vm:destroy",
                        "vm:stop linux",
                        call -> change(call, call.vmm().control()::stop)),
                Command.of(
                        "vm:reset",
                        "VM",
                        "presses the reset button",
                        "vm:reset linux",
                        call -> change(call, call.vmm().control()::reset)),
                Command.of(
                        "vm:simulate",
                        "VM MILLISECONDS",
                        "runs a created or paused VM for so long in guest time, and pauses it",
                        "vm:simulate linux 100",
                        LifeCycleCommands::simulate),
                Command.of(
                        "vm:destroy",
                        "VM",
                        "gives back everything that a VM holds",
                        "vm:destroy tiny",
                        LifeCycleCommands::destroy),
                Command.of(
                        "vm:wait",
                        "VM",
                        "waits until a VM has ended, and says how",
                        "vm:wait tiny",
                        LifeCycleCommands::waitForEnd),
                Command.of(
                        "vm:save",
                        "VM FILE",
                        "writes a paused VM to a file",
                        "vm:save linux /tmp/linux.state",
                        LifeCycleCommands::save),
                Command.of(
                        "vm:load",
                        "FILE [KEY=VALUE...]",
                        "makes a paused VM from a saved file; keys differ from the saved ones",
                        "vm:load /tmp/linux.state name=copy console=none",
                        LifeCycleCommands::load),
                Command.of(
                        "vm:event",
                        "VM EVENT",
                        "gives an event of the host to a VM",
                        "vm:event linux power-button",
                        LifeCycleCommands::event),
                Command.of(
                        "vm:engine",
                        "VM ENGINE",
                        "has a VM go on with another execution engine; it stands for a moment",
                        "vm:engine linux interpreter",
                        call -> exchange(call, "ENGINE", call.vmm().management()::engine)),
                Command.of(
                        "vm:paging",
                        "VM MODE [KEY=VALUE...]",
                        "has a VM go on with another paging mode; it stands for a moment",
                        "vm:paging linux shadow strategy=cache",
                        LifeCycleCommands::paging),
                Command.of(
                        "vm:move-core",
                        "VM CORE CPU|any",
                        "has a vcore run on one processor of the host, or anywhere",
                        "vm:move-core linux 0 1",
                        LifeCycleCommands::moveCore),
                Command.of(
                        "vm:stop-core",
                        "VM CORE",
                        "stops one vcore; the others go on",
                        "vm:stop-core linux 1",
                        call -> core(call, call.vmm().control()::stopCore)),
                Command.of(
                        "vm:start-core",
                        "VM CORE",
                        "goes on with a vcore that was stopped",
                        "vm:start-core linux 1",
                        call -> core(call, call.vmm().control()::startCore)));
    }

    private interface Change {
        void of(int vm) throws HostRefusal;
    }

    private interface CoreChange {
        void of(int vm, int core) throws HostRefusal;
    }

    private static Shown create(Call call)
            throws HostRefusal, UsageException, InterruptedException {
        Map<String, Object> given = givenConsole(call.settings());
        Map<String, Object> tree;
        if (call.optional("GUEST").isPresent()) {
            tree = guest(call, call.text("GUEST"), given);
        } else if (given.isEmpty()) {
            throw new UsageException("a GUEST is missing, or the key kernel=FILE");
        } else {
            given.putIfAbsent("console", "none");
            tree = VmKeys.tree(given, call.screen().folder());
        }
        int id = call.vmm().control().create(tree);
        return state(call.vm(Integer.toString(id)));
    }

    /** This process's own console belongs to somebody else, or to the shell itself. */
    private static Map<String, Object> givenConsole(Map<String, Object> given) throws HostRefusal {
        if ("stdio".equals(given.get("console"))) {
            throw new HostRefusal(
                    "console=stdio: this terminal is the shell's; leave it out and use vm:console,"
                            + " or give file:PATH");
        }
        return given;
    }

    /** What the launcher's {@code run} would tell the VMM; the bundles that it takes are there. */
    private static Map<String, Object> guest(Call call, String name, Map<String, Object> given)
            throws HostRefusal, UsageException, InterruptedException {
        GuestDescriptions known =
                call.vmm()
                        .guests()
                        .get()
                        .orElseThrow(() ->
                                new HostRefusal(
                                        "this process knows no guests by name; give keys, such as"
                                                + " kernel=FILE"));
        Map<String, List<String>> keys = new LinkedHashMap<>();
        given.forEach((key, value) ->
                keys.put(
                        key,
                        value instanceof List<?> list
                                ? list.stream().map(String::valueOf).toList()
                                : List.of(value.toString())));
        GuestDescriptions.Guest guest =
                known.read(name, keys, call.screen().folder().toString(), call::progress);
        for (String bundle : guest.bundles()) {
            BundleCommands.installIfMissing(call, bundle);
        }
        return guest.configuration();
    }

    private static Shown change(Call call, Change change) throws HostRefusal {
        VirtualMachine vm = call.vm();
        change.of(vm.id());
        return state(vm);
    }

    private static Shown state(VirtualMachine vm) {
        String state = word(vm.state());
        return Shown.of(
                ordered("id", vm.id(), "name", vm.name(), "state", state),
                "VM " + vm.id() + " (" + vm.name() + ") is " + state);
    }

    /** Lower case, as everywhere in the shell. */
    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** A tree with its keys in the order given. */
    static Map<String, Object> ordered(Object... keysAndValues) {
        Map<String, Object> tree = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            tree.put(keysAndValues[i].toString(), keysAndValues[i + 1]);
        }
        return tree;
    }

    private static Shown simulate(Call call)
            throws HostRefusal, UsageException, InterruptedException {
        VirtualMachine vm = call.vm();
        long most = Long.MAX_VALUE / NANOS_PER_MILLISECOND;
        long millis = call.number("MILLISECONDS", 1, most, 1);
        CountDownLatch over = new CountDownLatch(1);
        Hook hook =
                call.vmm()
                        .machines()
                        .listen((changed, from, to) -> {
                            if (changed.id() == vm.id() && from == VmState.SIMULATING) {
                                over.countDown();
                            }
                        });
        try {
            call.vmm().control().simulate(vm.id(), millis * NANOS_PER_MILLISECOND);
            over.await();
        } finally {
            hook.close();
        }
        return state(vm);
    }

    private static Shown destroy(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        call.vmm().control().destroy(vm.id());
        return Shown.of(
                ordered("id", vm.id(), "name", vm.name(), "state", "destroyed"),
                "VM " + vm.id() + " (" + vm.name() + ") is no more");
    }

    private static Shown waitForEnd(Call call)
            throws HostRefusal, InterruptedException, ExecutionException {
        VirtualMachine vm = call.vm();
        CompletableFuture<Shown> ended = new CompletableFuture<>();
        call.vmm()
                .control()
                .onEnd(
                        vm.id(),
                        end ->
                                ended.complete(
                                        Shown.of(
                                                ordered(
                                                        "id", vm.id(),
                                                        "name", vm.name(),
                                                        "status", end.status(),
                                                        "reason", end.reason()),
                                                "VM "
                                                        + vm.id()
                                                        + " ("
                                                        + vm.name()
                                                        + ") has ended with status "
                                                        + end.status()
                                                        + ": "
                                                        + end.reason())));
        return ended.get();
    }

    private static Shown save(Call call) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        String file = call.file("FILE").toString();
        call.vmm().control().save(vm.id(), file);
        return Shown.of(
                ordered("id", vm.id(), "file", file), "VM " + vm.name() + " is saved in " + file);
    }

    private static Shown load(Call call) throws HostRefusal, UsageException {
        Map<String, Object> given = givenConsole(call.settings());
        given.putIfAbsent("console", "none");
        int id =
                call.vmm()
                        .control()
                        .load(
                                call.file("FILE").toString(),
                                VmKeys.tree(given, call.screen().folder()));
        return state(call.vm(Integer.toString(id)));
    }

    private static Shown event(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        call.vmm().control().deliver(vm.id(), call.text("EVENT"));
        return Shown.of(
                ordered("id", vm.id(), "event", call.text("EVENT")),
                "VM " + vm.name() + " has been told");
    }

    private static Shown moveCore(Call call) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        int core = (int) call.number("CORE", 0, Integer.MAX_VALUE, 0);
        boolean any = call.text("CPU|any").equals("any");
        int cpu =
                any
                        ? org.alcazar.host.HostThread.ANY_CPU
                        : (int) call.number("CPU|any", 0, Integer.MAX_VALUE, 0);
        call.vmm().control().moveCore(vm.id(), core, cpu);
        return Shown.of(
                ordered("id", vm.id(), "core", core, "cpu", any ? "any" : cpu),
                "vcore "
                        + core
                        + " of VM "
                        + vm.name()
                        + " runs on "
                        + (any ? "any processor" : "processor " + cpu));
    }

    private interface Exchange {
        long of(int vm, String type) throws HostRefusal;
    }

    private static Shown paging(Call call) throws HostRefusal, UsageException {
        Map<String, Object> settings = call.settings();
        return exchange(
                call, "MODE", (vm, mode) -> call.vmm().management().paging(vm, mode, settings));
    }

    private static Shown exchange(Call call, String parameter, Exchange exchange)
            throws HostRefusal {
        VirtualMachine vm = call.vm();
        String type = call.text(parameter);
        double millis = exchange.of(vm.id(), type) / (double) NANOS_PER_MILLISECOND;
        return Shown.of(
                ordered("id", vm.id(), "type", type, "pause-ms", millis),
                "VM %s goes on with %s; it stood still for %.2f ms"
                        .formatted(vm.name(), type, millis));
    }

    private static Shown core(Call call, CoreChange change) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        int core = (int) call.number("CORE", 0, Integer.MAX_VALUE, 0);
        change.of(vm.id(), core);
        return Shown.of(
                ordered("id", vm.id(), "core", core),
                "vcore " + core + " of VM " + vm.name() + ": done");
    }
}
