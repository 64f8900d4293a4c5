package org.alcazar.launcher;

import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.run.VmmProvider;

import picocli.CommandLine.Model.CommandSpec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** {@code alcazar doctor}: what this machine has and lacks. */
final class DoctorCommand {
    private static final int NEEDED_JAVA = 25;
    private static final long NEEDED_MEMORY = 2L << 30;
    private static final int NEEDED_CPUS = 2;
    private static final long NEEDED_DISK = 256L << 20;

    private final Surroundings surroundings;
    private final VmmProvider provider;
    private final List<Check> checks = new ArrayList<>();

    DoctorCommand(Surroundings surroundings, VmmProvider provider) {
        this.surroundings = surroundings;
        this.provider = provider;
    }

    /** How a check came out. */
    private enum Result {
        OK("ok"),
        /** Something works only in part, or slowly. */
        POOR("poor"),
        MISSING("missing");

        private final String word;

        Result(String word) {
            this.word = word;
        }
    }

    /** A line of the table; {@code advice} is empty where all is well. */
    private record Check(Result result, String what, String found, String advice) {}

    static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("doctor");
        spec.usageMessage()
                .description(
                        "Checks this machine and says what is missing. Exit status 2 if something that"
                                + " is needed to build, test or run is missing, else 0.");
        return spec;
    }

    int run() {
        java();
        machine();
        temporaryFiles();
        program("maven", "building", "install the package maven", Result.MISSING, "mvn");
        program(
                "gcc and binutils",
                "the tests' tiny guests",
                "install the packages gcc and binutils",
                Result.MISSING,
                "gcc",
                "as",
                "ld",
                "objcopy");
        program(
                "make",
                "the tests' tiny guests",
                "install the package make",
                Result.MISSING,
                "make");
        packages();
        program(
                "qemu",
                "bench --against qemu",
                "install the package qemu-system-x86, only to compare speeds",
                Result.POOR,
                "qemu-system-x86_64");
        bundles();
        linuxHost();
        print();
        boolean wrong = checks.stream().anyMatch(check -> check.result() == Result.MISSING);
        return wrong ? Status.USAGE : Status.OK;
    }

    private void add(Result result, String what, String found, String advice) {
        checks.add(new Check(result, what, found, result == Result.OK ? "" : advice));
    }

    private void java() {
        int feature = Runtime.version().feature();
        add(
                feature >= NEEDED_JAVA ? Result.OK : Result.MISSING,
                "JDK",
                Runtime.version() + " in " + System.getProperty("java.home"),
                "install the package openjdk-25-jdk or temurin-25-jdk, or set JAVA_HOME");
        boolean granted = Main.class.getModule().isNativeAccessEnabled();
        add(
                granted ? Result.OK : Result.MISSING,
                "native access",
                granted ? "granted" : "not granted",
                "start with ./alcazar, or give java --enable-native-access=ALL-UNNAMED");
    }

    private void machine() {
        long memory = GuestConfiguration.machineMemory();
        long available = available(memory);
        add(
                available >= NEEDED_MEMORY ? Result.OK : Result.POOR,
                "memory",
                "%d MiB free of %d MiB".formatted(available >> 20, memory >> 20),
                "2 GiB are right; give guests less with --memory");
        int cpus = Runtime.getRuntime().availableProcessors();
        add(
                cpus >= NEEDED_CPUS ? Result.OK : Result.POOR,
                "processors",
                Integer.toString(cpus),
                "two are right: one runs the guest, one compiles for it");
    }

    private static long available(long otherwise) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith("MemAvailable:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElse(otherwise);
        } catch (IOException e) {
            return otherwise;
        }
    }

    private void temporaryFiles() {
        Path folder = Path.of(System.getProperty("java.io.tmpdir"));
        try {
            long free = Files.getFileStore(folder).getUsableSpace();
            boolean writable = Files.isWritable(folder);
            add(
                    !writable ? Result.MISSING : free < NEEDED_DISK ? Result.POOR : Result.OK,
                    "temporary files",
                    writable
                            ? "%d MiB free in %s".formatted(free >> 20, folder)
                            : folder + " cannot be written",
                    "make room there, or set ALCAZAR_JAVA_OPTS=-Djava.io.tmpdir=FOLDER");
        } catch (IOException e) {
            add(Result.MISSING, "temporary files", "no folder " + folder, "make it");
        }
    }

    private void program(
            String what, String purpose, String advice, Result otherwise, String... programs) {
        List<String> missing =
                Stream.of(programs).filter(name -> !surroundings.programs().has(name)).toList();
        add(
                missing.isEmpty() ? Result.OK : otherwise,
                what,
                missing.isEmpty()
                        ? String.join(", ", programs)
                        : "no " + String.join(", ", missing) + " (for " + purpose + ")",
                advice);
    }

    private void packages() {
        List<String> missing =
                Stream.of("apt-get", "apt-cache", "dpkg-deb")
                        .filter(name -> !surroundings.programs().has(name))
                        .toList();
        boolean built =
                Files.isRegularFile(surroundings.guests().resolve("linux/build/linux/vmlinuz"))
                        || Files.isRegularFile(
                                surroundings.guests().resolve("linux/given/linux/vmlinuz"));
        add(
                missing.isEmpty() ? Result.OK : built ? Result.POOR : Result.MISSING,
                "package manager",
                missing.isEmpty()
                        ? "apt-get, apt-cache, dpkg-deb"
                        : "no " + String.join(", ", missing) + " (for `run linux`)",
                "put a kernel and a static BusyBox at guests/linux/given/linux/{vmlinuz,busybox}, or"
                        + " run with --kernel FILE --initrd FILE");
    }

    private void bundles() {
        try (VmmProvider.Vmm vmm = provider.open(HostChoice.DEFAULT, List.of())) {
            Map<String, Map<String, String>> types = vmm.control().types();
            int plugins = types.values().stream().mapToInt(Map::size).sum();
            add(
                    plugins > 0 ? Result.OK : Result.MISSING,
                    "bundles",
                    "the VMM runs, with " + plugins + " types of plugins",
                    "run ./alcazar build");
        } catch (Failure e) {
            add(Result.MISSING, "bundles", String.valueOf(e.getMessage()), "run ./alcazar build");
        } catch (RuntimeException e) {
            add(Result.MISSING, "bundles", "a fault of the VMM: " + e, "run ./alcazar build");
        }
    }

    /** What the host that uses Linux itself finds here; nothing needs it. */
    private void linuxHost() {
        try (VmmProvider.Vmm vmm = provider.open(HostChoice.of("linux"), List.of())) {
            for (String note : vmm.hostNotes()) {
                add(Result.OK, "host linux", note, "");
            }
        } catch (Failure | RuntimeException e) {
            add(Result.POOR, "host linux", String.valueOf(e.getMessage()), "use --host jvm");
        }
    }

    private void print() {
        int width = checks.stream().mapToInt(check -> check.what().length()).max().orElse(0);
        for (Check check : checks) {
            surroundings
                    .out()
                    .println(
                            ("%-7s  %-" + width + "s  %s%s")
                                    .formatted(
                                            check.result().word,
                                            check.what(),
                                            check.found(),
                                            check.advice().isEmpty() ? "" : ": " + check.advice()));
        }
    }
}
