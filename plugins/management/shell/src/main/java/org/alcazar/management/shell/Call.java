package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.management.shell.Usage.Option;
import org.alcazar.management.shell.Usage.Parameter;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.plugin.Spelling;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A command with its arguments, as it was typed in a session. */
final class Call {
    private final Vmm vmm;
    private final Screen screen;
    private final PrintStream out;
    private final Map<String, List<String>> arguments;
    private final Map<String, String> options;

    private Call(
            Vmm vmm,
            Screen screen,
            PrintStream out,
            Map<String, List<String>> arguments,
            Map<String, String> options) {
        this.vmm = vmm;
        this.screen = screen;
        this.out = out;
        this.arguments = arguments;
        this.options = options;
    }

    /**
     * Gives each word its place.
     *
     * @throws UsageException if one is missing, unknown or too many
     */
    static Call parse(Usage usage, List<String> words, Vmm vmm, Screen screen, PrintStream out)
            throws UsageException {
        Map<String, String> options = new LinkedHashMap<>();
        List<String> plain = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (!word.startsWith("--")) {
                plain.add(word);
                continue;
            }
            Option option = option(usage, word);
            if (option.hasValue() && i + 1 == words.size()) {
                throw new UsageException(word + " takes a value: " + option.label());
            }
            options.put(word, option.hasValue() ? words.get(++i) : "");
        }
        return new Call(vmm, screen, out, places(usage, plain), options);
    }

    private static Option option(Usage usage, String word) throws UsageException {
        List<String> names = usage.options().stream().map(Option::name).toList();
        return usage.option(word)
                .orElseThrow(() ->
                        new UsageException(
                                "unknown option '" + word + "'" + Spelling.suggest(word, names)));
    }

    private static Map<String, List<String>> places(Usage usage, List<String> plain)
            throws UsageException {
        Map<String, List<String>> places = new LinkedHashMap<>();
        int skipped = 0;
        for (int i = 0; i < plain.size(); i++) {
            String word = plain.get(i);
            if (i == 0 && usage.skipsGuest(word)) {
                skipped = 1;
            }
            Parameter taker =
                    usage.parameter(i + skipped)
                            .orElseThrow(() ->
                                    new UsageException("'" + word + "' is one word too many"));
            places.computeIfAbsent(taker.label(), label -> new ArrayList<>()).add(word);
        }
        for (Parameter parameter : usage.parameters()) {
            if (!parameter.optional() && !places.containsKey(parameter.label())) {
                throw new UsageException(parameter.label() + " is missing");
            }
        }
        return places;
    }

    Vmm vmm() {
        return vmm;
    }

    Screen screen() {
        return screen;
    }

    /** Where a command prints that shows something while it runs. */
    PrintStream out() {
        return out;
    }

    /** Says what a command is at that takes long; programs are not told. */
    void progress(String text) {
        if (!json()) {
            out.println(text);
            out.flush();
        }
    }

    boolean has(String option) {
        return options.containsKey(option);
    }

    boolean json() {
        return has(Command.JSON) || screen.json();
    }

    /** An argument that is there. */
    String text(String label) {
        return all(label).getFirst();
    }

    Optional<String> optional(String label) {
        return all(label).stream().findFirst();
    }

    /** All words of a repeated argument. */
    List<String> all(String label) {
        return arguments.getOrDefault(label, List.of());
    }

    /** A whole number from a range, or the fallback where the argument is left out. */
    long number(String label, long minimum, long maximum, long fallback) throws UsageException {
        Optional<String> text = optional(label);
        return text.isEmpty() ? fallback : inRange(label, text.get(), minimum, maximum);
    }

    /** The same for the value of an option. */
    long option(String name, long minimum, long maximum, long fallback) throws UsageException {
        Optional<String> text = option(name);
        return text.isEmpty() ? fallback : inRange(name, text.get(), minimum, maximum);
    }

    /** An option's value. */
    Optional<String> option(String name) {
        return Optional.ofNullable(options.get(name));
    }

    private static long inRange(String where, String text, long minimum, long maximum)
            throws UsageException {
        long value = number(where, text);
        if (value < minimum || value > maximum) {
            throw new UsageException(
                    where
                            + ": "
                            + text
                            + " is not from "
                            + minimum
                            + (maximum == Long.MAX_VALUE ? " on" : " to " + maximum));
        }
        return value;
    }

    /** Decimal, or hexadecimal with 0x up to 64 bits. */
    static long number(String where, String text) throws UsageException {
        try {
            String digits = text.replace("_", "");
            return digits.startsWith("0x")
                    ? Long.parseUnsignedLong(digits.substring(2), 16)
                    : Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw new UsageException(
                    where + ": '" + text + "' is not a number such as 4096 or 0x1000");
        }
    }

    /** A path, relative to the client's folder. */
    Path file(String label) throws UsageException {
        return screen.resolve(text(label));
    }

    /** The VM that is meant, by number or name. */
    VirtualMachine vm() throws HostRefusal {
        return vm(text("VM"));
    }

    VirtualMachine vm(String given) throws HostRefusal {
        List<VirtualMachine> all = vmm.machines().all();
        return all.stream()
                .filter(vm -> given.equals(Integer.toString(vm.id())) || given.equals(vm.name()))
                .findFirst()
                .orElseThrow(() ->
                        new HostRefusal(
                                "there is no VM '"
                                        + given
                                        + "'"
                                        + (all.isEmpty()
                                                ? "; vm:create makes one"
                                                : Spelling.suggest(
                                                        given,
                                                        all.stream()
                                                                .map(VirtualMachine::name)
                                                                .toList()))));
    }

    /** The vcore of {@code --core}, or the first, of a VM that does not run. */
    Vcore standingCore() throws HostRefusal, UsageException {
        VirtualMachine vm = vm();
        if (runs(vm)) {
            throw new HostRefusal(
                    "VM " + vm.name() + " runs; `vm:pause " + vm.name() + "` stops it first");
        }
        return core(vm, option("--core", 0, Integer.MAX_VALUE, 0));
    }

    static boolean runs(VirtualMachine vm) {
        return vm.state() == VmState.RUNNING || vm.state() == VmState.SIMULATING;
    }

    /** A vcore by its number. */
    static Vcore core(VirtualMachine vm, long index) throws HostRefusal {
        if (index >= vm.vcores().size()) {
            throw new HostRefusal(
                    "VM "
                            + vm.name()
                            + " has no vcore "
                            + index
                            + "; its last is "
                            + (vm.vcores().size() - 1));
        }
        return vm.vcores().get((int) index);
    }

    /** Pairs {@code KEY=VALUE}; a key that is given again makes a list. */
    Map<String, Object> settings() throws UsageException {
        return settings(all("KEY=VALUE"));
    }

    static Map<String, Object> settings(List<String> pairs) throws UsageException {
        Map<String, Object> settings = new LinkedHashMap<>();
        for (String pair : pairs) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw new UsageException("'" + pair + "' is not KEY=VALUE");
            }
            String value = pair.substring(equals + 1);
            settings.merge(pair.substring(0, equals), value, Call::both);
        }
        return settings;
    }

    private static Object both(Object before, Object value) {
        List<Object> values = new ArrayList<>();
        if (before instanceof List<?> list) {
            values.addAll(list);
        } else {
            values.add(before);
        }
        values.add(value);
        return values;
    }

    /** A path as a file system has it. */
    static Path path(Path folder, String text) throws UsageException {
        try {
            return folder.resolve(text).normalize();
        } catch (InvalidPathException e) {
            throw new UsageException("'" + text + "' is no file name: " + e.getReason());
        }
    }
}
