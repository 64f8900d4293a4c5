package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.ProgramRun.End;
import org.alcazar.launcher.guest.GuestCatalog;
import org.alcazar.launcher.guest.MachineCommands;
import org.alcazar.launcher.guest.Progress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Every host of the distribution carries the same guest, and the guest can't tell them apart. */
@Tag("machine")
class HostsIT {
    private static final String PREFIX = "org.alcazar.hosts.";

    @TempDir private Path folder;

    @BeforeAll
    static void theGuestsAreBuilt() throws Exception {
        new GuestCatalog(ProgramRun.root().resolve("guests"), new MachineCommands(System.getenv()))
                .build("micro", Progress.SILENT);
        new GuestCatalog(ProgramRun.root().resolve("guests"), new MachineCommands(System.getenv()))
                .build("l4", Progress.SILENT);
    }

    static List<String> hosts() throws Exception {
        try (Stream<Path> files = Files.list(ProgramRun.home().resolve("bundles"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith(PREFIX))
                    .map(name -> name.substring(PREFIX.length(), name.length() - ".jar".length()))
                    .sorted()
                    .toList();
        }
    }

    private static End run(String... arguments) throws Exception {
        try (ProgramRun program = ProgramRun.start(arguments)) {
            return program.end();
        }
    }

    private Map<String, Object> statistics(String host) throws Exception {
        return statistics("apic.elf", host);
    }

    private Map<String, Object> statistics(String guest, String host, String... more)
            throws Exception {
        Path stats = folder.resolve(host + ".json");
        List<String> words = new ArrayList<>(List.of("run", "--kernel", BootIT.micro(guest)));
        words.addAll(List.of("--memory", "64M", "--clock", "instructions", "--seed", "1"));
        words.addAll(List.of("--host", host, "--stats", stats.toString(), "--timeout", "100"));
        words.addAll(List.of(more));
        End end = run(words.toArray(String[]::new));
        assertEquals("", end.err(), host);
        assertEquals(33, end.status(), host);
        return new Yaml().load(Files.readString(stats));
    }

    @Test
    void exitsAreTheSameOnAllOfThem() throws Exception {
        Map<String, Object> exits = new TreeMap<>();
        Map<String, Object> instructions = new TreeMap<>();
        for (String host : hosts()) {
            Map<String, Object> statistics = statistics(host);
            exits.put(host, statistics.get("exits"));
            instructions.put(host, statistics.get("instructions"));
            if (statistics.get("host") instanceof Map<?, ?> own) {
                assertEquals(host, own.get("name"));
            }
        }
        assertTrue(
                exits.keySet().containsAll(List.of("jvm", "kitten", "l4", "linux", "minix")),
                exits.toString());
        exits.forEach((host, found) -> assertEquals(exits.get("jvm"), found, host));
        instructions.forEach((host, found) -> assertEquals(instructions.get("jvm"), found, host));
    }

    @Test
    void whatALinuxHostDidIsCounted() throws Exception {
        assertTrue(
                statistics("linux").get("host") instanceof Map<?, ?> own
                        && own.get("counts") instanceof Map<?, ?> counts
                        && counts.get("page-allocation") instanceof Integer allocated
                        && allocated > 0);
    }

    @Test
    void registersComeWithEachExitIfTheyAreWished() throws Exception {
        Map<String, Object> plain = statistics("paging64.elf", "l4");
        Map<String, Object> more = statistics("paging64.elf", "l4", "--exit-registers", "general");
        assertEquals(plain.get("exit-traces"), more.get("exit-traces"));
        int exits =
                ((Map<?, ?>) plain.get("exits"))
                        .values().stream().mapToInt(count -> (Integer) count).sum();
        // The item's first word and 18 registers.
        assertEquals(messageWords(plain) + 19 * exits, messageWords(more));
    }

    private static int messageWords(Map<String, Object> statistics) {
        Map<?, ?> counts = (Map<?, ?>) ((Map<?, ?>) statistics.get("host")).get("counts");
        return (Integer) counts.get("message-word");
    }

    /** PM and tty while the guest runs, VM while it gets its memory. */
    @Test
    void aServerCrashesAndTheVmGoesOn() throws Exception {
        Map<String, Object> expected = statistics("jvm");
        for (String crash : List.of("pm:1000", "vm:2", "tty:3")) {
            Map<String, Object> found = statistics("minix,crash=" + crash);
            assertEquals(expected.get("exits"), found.get("exits"), crash);
            assertEquals(expected.get("instructions"), found.get("instructions"), crash);
            assertTrue(
                    found.get("host") instanceof Map<?, ?> own
                            && own.get("counts") instanceof Map<?, ?> counts
                            && Integer.valueOf(1).equals(counts.get("server-crash"))
                            && Integer.valueOf(1).equals(counts.get("server-restart")),
                    () -> crash + ": " + found.get("host"));
        }
    }

    private static String program(String name) {
        return ProgramRun.root().resolve("guests/l4/build/" + name + ".elf").toString();
    }

    private static End runNative(String name, String... more) throws Exception {
        List<String> words =
                new ArrayList<>(List.of("run", "--host", "l4", "--native", program(name)));
        words.addAll(List.of(more));
        if (!words.contains("--timeout")) {
            words.addAll(List.of("--timeout", "60"));
        }
        return run(words.toArray(String[]::new));
    }

    @Test
    void nativeProgramsRunOnTheMicroKernelAndReturnAll() throws Exception {
        Path stats = folder.resolve("native.json");
        End hello = runNative("hello", "--append", "one two", "--stats", stats.toString());
        assertEquals("hello from the micro-kernel one two\n", hello.out());
        assertEquals("", hello.err());
        assertEquals(5, hello.status(), "2v + 1 for the 2 that it ends with");
        assertTrue(
                new Yaml().load(Files.readString(stats)) instanceof Map<?, ?> tree
                        && tree.get("native") instanceof Map<?, ?> figures
                        && figures.get("memory-in-use") instanceof Integer left
                        && left == 0);
        for (String name : List.of("pager", "memory", "pingpong")) {
            End end = runNative(name, "--memory", "16M");
            assertTrue(end.out().startsWith("ok " + name), end.out() + end.err());
            assertEquals(0, end.status());
        }
    }

    @Test
    void aNativeProgramHearsWhatIsTyped() throws Exception {
        try (ProgramRun echo =
                ProgramRun.start(
                        "run", "--host", "l4", "--native", program("echo"), "--timeout", "60")) {
            End end = echo.until("ready").type("heard\nquit\n").end();
            assertEquals("ready\nheard\n", end.out());
            assertEquals("", end.err());
            assertEquals(0, end.status());
        }
    }

    /** What guests/l4/fault.c does in a thread of its own, and how its line begins. */
    private record Fault(String name, String why) {}

    private static final String PROTECTION = "raised a general-protection exception";

    private static final List<Fault> ENDED =
            List.of(
                    new Fault("null", "wrote to 0x8, where nothing is"),
                    new Fault("jump", "jumped to 0x50000000, where nothing is"),
                    new Fault("data", "jumped to 0x40"),
                    new Fault("code", "wrote to 0x40"),
                    new Fault("current", "wrote to 0x7feffffff000"),
                    new Fault("kernel", "wrote to 0xffff800000000000, where nothing is"),
                    new Fault("port", PROTECTION + ", by"),
                    new Fault("halt", PROTECTION + ", by"),
                    new Fault("mask", PROTECTION + ", by"),
                    new Fault("tables", PROTECTION + ", by"),
                    new Fault("msr", PROTECTION + ", by"),
                    new Fault("syscall", "raised an invalid opcode"),
                    new Fault("memory", "wrote to 0x10"),
                    new Fault("interrupt", PROTECTION + " (error code 0x402)"),
                    new Fault("call", "made the system call 999, which does not exist"));

    @Test
    void aNativeProgramThatDoesWhatItMayNotHearsItInALine() throws Exception {
        for (String engine : List.of("interpreter", "translator")) {
            End end = runNative("fault", "--append", "all", "--memory", "2M", "--engine", engine);
            assertEquals(4, end.status(), end.err());
            assertEquals(
                    ENDED.stream().map(fault -> "ended " + fault.name()).toList(),
                    end.out().lines().toList());
            List<String> lines = end.err().lines().toList();
            assertEquals(ENDED.size() + 1, lines.size(), end.err());
            for (int i = 0; i < ENDED.size(); i++) {
                String start = "alcazar: native program fault: thread 1 " + ENDED.get(i).why();
                assertTrue(lines.get(i).startsWith(start), lines.get(i));
            }
            assertEquals(
                    "alcazar: native program fault: each of its 2 threads waits for a message, and"
                            + " none is left to send it",
                    lines.getLast());
        }
        End bad = run("run", "--host", "l4", "--native", BootIT.micro("hello.elf"));
        assertEquals(2, bad.status());
        assertEquals("alcazar: native program hello: is not for x86-64", bad.err().strip());
    }

    @Test
    void aNativeProgramRunsBesideAVmAndAnEndlessOneIsStoppedWithIt() throws Exception {
        End end = runNative("hello", "--kernel", BootIT.micro("hello.elf"), "--memory", "64M");
        assertEquals(33, end.status(), end.err());
        assertTrue(end.out().contains("hello from the micro-kernel"), end.out());
        assertTrue(end.out().contains("ok hello"), end.out());
        End endless = runNative("fault", "--append", "ever", "--timeout", "1");
        assertEquals(124, endless.status());
        assertEquals("alcazar: ended after 1 s (--timeout)", endless.err().strip());
    }

    @Test
    void aHostRefusesOptionsThatItDoesNotHave() throws Exception {
        End end = run("run", "--kernel", BootIT.micro("hello.elf"), "--host", "linux,huge-page=2M");
        assertEquals(2, end.status());
        assertEquals(
                "alcazar: host linux: unknown option 'huge-page'; did you mean 'huge-pages'?",
                end.err().strip());
    }

    @Test
    void helpAndReadmesKnowAllOptions() throws Exception {
        String help = run("help", "run").out();
        for (String host : hosts()) {
            Path home = ProgramRun.root().resolve("hosts").resolve(host);
            String readme = Files.readString(home.resolve("README.md"));
            Path list = home.resolve("src/main/resources/org/alcazar/hosts/" + host + "/options");
            for (String line : Files.readAllLines(list)) {
                if (!line.startsWith("#")) {
                    String key = line.substring(0, line.indexOf('|')).strip();
                    assertTrue(help.contains("  " + key + "="), host + ": " + key);
                    assertTrue(readme.contains("| `" + key + "` |"), host + ": " + key);
                }
            }
        }
    }
}
