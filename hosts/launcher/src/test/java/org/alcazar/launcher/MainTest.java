package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.guest.CommandRunner;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.run.FakeVmm;
import org.alcazar.launcher.run.Phases;
import org.alcazar.launcher.terminal.EscapeKeys;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The command line with a VMM that is not one. */
class MainTest {
    @TempDir private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private FakeVmm vmm =
            new FakeVmm() {
                @Override
                protected void started() {
                    end(33, "debug-exit", "");
                }
            };

    /** A machine with no programs at all. */
    private static final class NoPrograms implements CommandRunner {
        @Override
        public boolean has(String program) {
            return false;
        }

        @Override
        public Result run(Path directory, List<String> command) throws IOException {
            throw new IOException("no " + command);
        }

        @Override
        public Result run(Path directory, List<String> command, Reader reader) throws IOException {
            throw new IOException("no " + command);
        }
    }

    @BeforeEach
    void files() throws IOException {
        Files.writeString(folder.resolve("k"), "kernel");
        Files.createDirectories(folder.resolve("guests/tiny"));
        Files.writeString(folder.resolve("guests/tiny/k"), "kernel");
        Files.writeString(
                folder.resolve("guests/tiny/tiny.yaml"), "description: a tiny one\nkernel: k\n");
    }

    private int alcazar(String... arguments) {
        Surroundings surroundings =
                new Surroundings(
                        folder,
                        folder.resolve("home"),
                        folder,
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new Messages(err, false, 80),
                        new NoPrograms());
        return new Main(surroundings, vmm, new Phases(() -> 0)).run(arguments);
    }

    private String said() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aKernelRunsWithItsOptions() {
        int status =
                alcazar(
                        "run",
                        "--kernel",
                        "k",
                        "--append",
                        "-s a,b=${c}",
                        "--memory",
                        "64M",
                        "--cpus=2",
                        "--device",
                        "rtc,x=1",
                        "--device",
                        "acpi",
                        "--no-reboot",
                        "--console",
                        "none",
                        "--clock",
                        "instructions",
                        "--seed",
                        "-7");
        assertEquals("", said());
        assertEquals(33, status);
        assertEquals(
                Map.ofEntries(
                        Map.entry("name", "k"),
                        Map.entry("kernel", folder.resolve("k").toString()),
                        Map.entry("append", "-s a,b=${c}"),
                        Map.entry("memory", 64L << 20),
                        Map.entry("cpus", 2L),
                        Map.entry(
                                "devices",
                                List.of(Map.of("type", "rtc", "x", "1"), Map.of("type", "acpi"))),
                        Map.entry("no-reboot", true),
                        Map.entry("console", "none"),
                        Map.entry("clock", "instructions"),
                        Map.entry("seed", -7L)),
                vmm.configuration());
    }

    @Test
    void aGuestRunsByNameAndByFile() {
        assertEquals(33, alcazar("run", "tiny", "--console", "none"));
        assertEquals("tiny", vmm.configuration().get("name"));
        assertEquals(33, alcazar("run", "guests/tiny/tiny.yaml", "--console", "none"));
        assertEquals(folder.resolve("guests/tiny/k").toString(), vmm.configuration().get("kernel"));
    }

    @Test
    void furtherBundlesAndTheHostReachTheProvider() {
        alcazar("run", "--kernel", "k", "--console", "none", "--bundle", "k", "--host", "linux");
        assertEquals("open linux [" + folder.resolve("k") + "]", vmm.calls().getFirst());
    }

    @Test
    void theHostsOptionsReachTheProviderAsTheyAreGiven() {
        alcazar("run", "--kernel", "k", "--console", "none", "--host", "linux,a=2M,b=true");
        assertEquals("open linux,a=2M,b=true", vmm.calls().getFirst());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | say what to do, for instance `run linux`; `help` lists the commands",
                "rnu | unknown command 'rnu'; did you mean 'run'?",
                "frobnicate | unknown command 'frobnicate'; there are: ",
                "run --kernl k | run: unknown option '--kernl'; did you mean '--kernel'?",
                "run --kernl=k | run: unknown option '--kernl'; did you mean '--kernel'?",
                "run --colour | run: unknown option '--colour'; `help run` lists them",
                "run --kernel | run: missing required parameter for option '--kernel' (FILE)",
                "run --kernel --initrd | run: expected parameter for option '--kernel'",
                "run --memory 1M --memory 2M | run: option '--memory' (SIZE) should be specified",
                "run tiny more | run: 'more' is one word too many; `help run` says more",
                "run tyni | no guest 'tyni'; did you mean 'tiny'?",
                "run no.yaml | no.yaml: there is no such file",
                "run ./k | ./k: a guest's description ends in .yaml, .xml or .properties; a kernel",
                "run | no guest is given: a name, a description in YAML, or --kernel FILE",
                "run --kernel nowhere | --kernel: there is no file ",
                "run tiny --memory 0 | --memory: a machine needs more than 0 bytes",
                "run tiny --memory 999999T | --memory: '999999T' is more than the ",
                "run tiny --disk d | --disk: no disk device exists yet",
                "run --bios k | --bios: firmware cannot be loaded yet; give a kernel",
                "run tiny --timeout 1e10 | --timeout: '1e10' is not a number of seconds greater",
                "run tiny --stats no/s.json | --stats: there is no folder ",
                "help nosuch | unknown command 'nosuch'; there are: ",
                "help rnu | unknown command 'rnu'; did you mean 'run'?",
                "help guest lsit | guest: unknown command 'lsit'; did you mean 'list'?",
                "guest build | guest build: say which guest; there are: tiny, l4, litmus, micro",
                "run --native e | --native: there is no file ",
                "run --native k --cpus 2 | --cpus: is for guests; a native program has host",
                "shell -c x --script y | shell: -c and --script: one of them is enough",
                "shell --script no/such | --script: ",
                "attach 0 | '0' is no process that can be attached to",
                "attach me -c vm:list | 'me' is no process that can be attached to",
                "bundle | bundle: say what to do: there are new FAMILY NAME, watch DIR and doctor",
                "bundle nwe | bundle: unknown command 'nwe'; did you mean 'new'?",
                "bundle new device | bundle new: missing required parameter: 'NAME'",
                "bundle watch --pid x . | bundle watch: invalid value for option '--pid': 'x'",
                "repository | repository: is done by the script ./alcazar itself",
                "build | build: is done by the script ./alcazar itself",
                "guest | guest: say what to do: there are list and build NAME",
                "guest lsit | guest: unknown command 'lsit'; did you mean 'list'?",
                "guest build tyni | no guest 'tyni'; did you mean 'tiny'?",
                "guest build tiny | guest 'tiny' has no recipe; nothing to build",
                "guest build micro | the micro guests need make, gcc, as, ld, objcopy: install",
                "bench boot | there are no benchmarks in ",
            })
    void wrongUsageIsOneLineAndStatus2(String line, String begin) {
        String[] words =
                Arrays.stream(line.split(" ")).filter(w -> !w.isEmpty()).toArray(String[]::new);
        assertEquals(2, alcazar(words));
        assertTrue(said().startsWith("alcazar: " + begin), said());
        assertEquals(1, said().lines().count(), said());
        assertEquals("", printed());
        assertEquals(List.of(), vmm.calls());
    }

    @Test
    void aHostWithoutNativeProgramsRefusesThem() {
        assertEquals(2, alcazar("run", "--native", "k"));
        assertEquals(
                "alcazar: --native: host jvm runs no native programs; --host l4 does",
                said().strip());
    }

    @Test
    void helpOfRunNamesEveryOptionKeyAndStatus() {
        assertEquals(0, alcazar("run", "--help"));
        String help = printed();
        for (GuestKey key : GuestKey.values()) {
            assertTrue(help.contains(key.option()), key.option());
        }
        assertTrue(help.contains(EscapeKeys.help()), help);
        for (String status :
                List.of("0 the guest", "2 wrong", "4 the", "6 a", "8 reset", "124", "130")) {
            assertTrue(help.contains(status), status);
        }
        assertTrue(help.contains("--native"), help);
        assertEquals("", said());
    }

    @Test
    void helpListsTheCommands() {
        assertEquals(0, alcazar("help"));
        for (String command :
                List.of("run", "guest", "doctor", "bench", "build", "test", "format")) {
            assertTrue(printed().contains("\n  " + command + " "), command);
        }
    }

    @Test
    void helpOfHelpIsHelp() {
        assertEquals(0, alcazar("help", "help"));
        assertTrue(printed().contains("\n  run "), printed());
        assertEquals("", said());
    }

    @Test
    void guestListShowsNamesAndDescriptions() {
        assertEquals(0, alcazar("guest", "list"));
        assertEquals("tiny  a tiny one\n", printed());
    }

    @Test
    void guestListShowsWhatIsWrongWithADescription() throws IOException {
        Files.writeString(folder.resolve("guests/tiny/bad.yaml"), "kernl: k\n");
        assertEquals(0, alcazar("guest", "list"));
        assertTrue(printed().contains("unknown key 'kernl'; did you mean 'kernel'?"), printed());
    }

    @Test
    void doctorTellsWhatIsMissingAndWhatToDo() {
        assertEquals(2, alcazar("doctor"));
        assertTrue(printed().contains("missing  gcc and binutils"), printed());
        assertTrue(printed().contains("install the packages gcc and binutils"), printed());
        assertTrue(printed().contains("poor     qemu"), printed());
        assertTrue(printed().contains("ok       bundles"), printed());
        assertEquals("close", vmm.calls().getLast());
    }

    @Test
    void doctorShowsWhyTheBundlesDoNotStart() {
        vmm =
                new FakeVmm() {
                    @Override
                    public Vmm open(HostChoice host, List<Path> bundles) throws Failure {
                        throw new Failure(
                                6, "bundle x needs the package y, which no bundle exports");
                    }
                };
        assertEquals(2, alcazar("doctor"));
        assertTrue(printed().contains("bundle x needs the package y"), printed());
    }
}
