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
    }

    private static List<String> hosts() throws Exception {
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
        Path stats = folder.resolve(host + ".json");
        End end =
                run(
                        "run",
                        "--kernel",
                        BootIT.micro("timer.elf"),
                        "--memory",
                        "64M",
                        "--clock",
                        "instructions",
                        "--seed",
                        "1",
                        "--host",
                        host,
                        "--stats",
                        stats.toString(),
                        "--timeout",
                        "100");
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
                exits.keySet().containsAll(List.of("jvm", "kitten", "linux", "minix")),
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
