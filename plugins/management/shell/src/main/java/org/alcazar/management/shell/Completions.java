package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.management.shell.Usage.Option;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.management.BundleInfo;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What may come next, from the table of commands and from what there is now. */
final class Completions implements Completer {
    private final Vmm vmm;
    private final Screen screen;
    private final CommandTable table;

    Completions(Vmm vmm, Screen screen, CommandTable table) {
        this.vmm = vmm;
        this.screen = screen;
        this.table = table;
    }

    @Override
    public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
        try {
            candidates.addAll(at(line.words(), line.wordIndex()));
        } catch (HostRefusal | UsageException e) {
            // What is typed before makes no sense: nothing fits behind it.
        }
    }

    /**
     * What may stand at a place; the reader takes from it what begins as the word there does.
     *
     * @param index of the word that is typed
     */
    List<Candidate> at(List<String> words, int index) throws HostRefusal, UsageException {
        if (index == 0) {
            List<Candidate> names = new ArrayList<>();
            table.all().forEach(command -> names.add(word(command.name(), command.summary())));
            ShellSession.posix().forEach(name -> names.add(word(name, "")));
            vmm.foreign().names().forEach(name -> names.add(word(name, "")));
            return names;
        }
        Optional<Command> command = table.find(words.getFirst());
        if (command.isEmpty()) {
            return List.of();
        }
        Usage usage = command.get().usage();
        String typed = words.get(index);
        if (typed.startsWith("--")) {
            return usage.options().stream()
                    .map(option -> word(option.name(), option.label()))
                    .toList();
        }
        Optional<Option> before = usage.option(words.get(index - 1));
        if (before.isPresent() && before.get().hasValue()) {
            return candidates(before.get().word(), Map.of(), typed);
        }
        List<String> plain = plain(usage, words.subList(1, index));
        return usage.parameter(plain.size())
                .map(Usage.Parameter::word)
                .map(word -> safely(word, named(usage, plain), typed))
                .orElse(List.of());
    }

    /** The words that are neither options nor their values. */
    private static List<String> plain(Usage usage, List<String> words) {
        List<String> plain = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            if (!words.get(i).startsWith("--")) {
                plain.add(words.get(i));
            } else if (usage.option(words.get(i)).map(Option::hasValue).orElse(false)) {
                i++;
            }
        }
        return plain;
    }

    private static Map<String, String> named(Usage usage, List<String> plain) {
        Map<String, String> named = new java.util.HashMap<>();
        IntStream.range(0, plain.size())
                .forEach(i ->
                        usage.parameter(i)
                                .ifPresent(
                                        parameter -> named.put(parameter.label(), plain.get(i))));
        return named;
    }

    private List<Candidate> safely(Word word, Map<String, String> before, String typed) {
        try {
            return candidates(word, before, typed);
        } catch (HostRefusal | UsageException e) {
            return List.of();
        }
    }

    private List<Candidate> candidates(Word word, Map<String, String> before, String typed)
            throws HostRefusal, UsageException {
        return switch (word) {
            case VM -> machines();
            case CORE -> cores(before);
            case DEVICE -> devices(before);
            case TYPE -> types("device");
            case ENGINE -> types("engine");
            case MODE -> types("paging");
            case SETTING -> settings(before, typed);
            case BUNDLE -> bundles();
            case GUEST -> guests(before, typed);
            case FILE -> files("", typed);
            case REGISTER, ADDRESS -> words(vm(before).map(CpuCommands::names));
            case GROUP -> words(vm(before).map(CpuCommands::groups));
            case EVENT -> List.of(word("power-button", ""));
            case COMMAND ->
                    table.all().stream()
                            .map(command -> word(command.name(), command.summary()))
                            .toList();
            case FAMILY ->
                    vmm.control().types().keySet().stream().map(name -> word(name, "")).toList();
            case OTHER -> List.of();
        };
    }

    private static Candidate word(String value, String description) {
        return candidate(value, description, true);
    }

    /**
     * @param complete whether a space follows
     */
    @SuppressWarnings("NullAway") // JLine's word for what is not there
    private static Candidate candidate(String value, String description, boolean complete) {
        return new Candidate(
                value,
                value,
                null,
                description.isEmpty() ? null : description,
                null,
                null,
                complete);
    }

    private static List<Candidate> words(Optional<List<String>> words) {
        return words.orElse(List.of()).stream().map(name -> word(name, "")).toList();
    }

    private List<Candidate> machines() {
        List<Candidate> found = new ArrayList<>();
        for (VirtualMachine vm : vmm.machines().all()) {
            String state = LifeCycleCommands.word(vm.state());
            found.add(word(vm.name(), vm.id() + ", " + state));
            found.add(word(Integer.toString(vm.id()), vm.name() + ", " + state));
        }
        return found;
    }

    private Optional<VirtualMachine> vm(Map<String, String> before) {
        String given = before.getOrDefault("VM", "");
        return vmm.machines().all().stream()
                .filter(vm -> vm.name().equals(given) || Integer.toString(vm.id()).equals(given))
                .findFirst();
    }

    private List<Candidate> cores(Map<String, String> before) {
        return vm(before)
                .map(vm ->
                        IntStream.range(0, vm.vcores().size())
                                .mapToObj(i -> word(Integer.toString(i), ""))
                                .toList())
                .orElse(List.of());
    }

    private List<Candidate> devices(Map<String, String> before) throws HostRefusal {
        List<Candidate> found = new ArrayList<>();
        Optional<VirtualMachine> vm = vm(before);
        if (vm.isPresent()) {
            for (PartInfo part : vmm.management().parts(vm.get().id())) {
                if (part.kind().equals("device") || part.kind().equals("extension")) {
                    found.add(word(part.name(), part.type()));
                }
            }
        }
        return found;
    }

    private List<Candidate> types(String family) {
        List<Candidate> found = new ArrayList<>();
        vmm.control()
                .types()
                .getOrDefault(family, Map.of())
                .forEach((name, description) -> found.add(word(name, description)));
        return found;
    }

    private List<Candidate> bundles() {
        List<Candidate> found = new ArrayList<>();
        vmm.optionalBundles()
                .get()
                .ifPresent(bundles -> {
                    for (BundleInfo bundle : bundles.all()) {
                        found.add(word(bundle.name(), bundle.id() + ", " + bundle.state()));
                        found.add(word(BundleCommands.shortName(bundle.name()), bundle.name()));
                    }
                });
        return found;
    }

    /** Names, files, or the keys of a guest without a description. */
    private List<Candidate> guests(Map<String, String> before, String typed)
            throws HostRefusal, UsageException {
        List<Candidate> found = new ArrayList<>();
        if (vmm.guests().get().isPresent()) {
            vmm.guests()
                    .get()
                    .get()
                    .names()
                    .forEach((name, description) -> found.add(word(name, description)));
            found.addAll(files("", typed));
        }
        found.addAll(settings(before, typed));
        return found;
    }

    /** Keys, and behind a key and its sign what it takes. */
    private List<Candidate> settings(Map<String, String> before, String typed)
            throws UsageException {
        Schema schema =
                before.containsKey("TYPE")
                        ? vmm.management().schema("device", before.get("TYPE")).orElse(Schema.EMPTY)
                        : VmKeys.SCHEMA;
        List<Candidate> found = new ArrayList<>();
        if (before.containsKey("TYPE")) {
            found.add(candidate("name=", "name of the device", false));
        }
        for (Key key : schema.keys()) {
            String start = key.name() + "=";
            if (typed.startsWith(start)) {
                found.addAll(values(key, start, typed.substring(start.length())));
            } else {
                found.add(candidate(start, key.doc(), false));
            }
        }
        return found;
    }

    private List<Candidate> values(Key key, String start, String typed) throws UsageException {
        if (VmKeys.FAMILIES.containsKey(key.name())) {
            return vmm
                    .control()
                    .types()
                    .getOrDefault(VmKeys.FAMILIES.get(key.name()), Map.of())
                    .keySet()
                    .stream()
                    .map(name -> candidate(start + name, "", true))
                    .toList();
        }
        return switch (key.kind()) {
            case CHOICE -> key.choices().stream().map(choice -> word(start + choice, "")).toList();
            case BOOLEAN -> List.of(word(start + "true", ""), word(start + "false", ""));
            case PATH -> files(start, typed);
            default -> List.of();
        };
    }

    private List<Candidate> files(String start, String typed) throws UsageException {
        String folder = typed.substring(0, typed.lastIndexOf('/') + 1);
        List<Candidate> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(screen.resolve(folder))) {
            files.sorted()
                    .forEach(file -> {
                        boolean inner = Files.isDirectory(file);
                        found.add(
                                candidate(
                                        start + folder + file.getFileName() + (inner ? "/" : ""),
                                        "",
                                        !inner));
                    });
        } catch (IOException e) {
            // There is no such folder.
        }
        return found;
    }
}
