package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.ProgramRun.End;
import org.alcazar.launcher.shell.Sockets;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The shell through the whole assembled program: in a process of its own, and attached to one. */
@Tag("machine")
class ShellIT {
    @TempDir private Path folder;

    @BeforeAll
    static void everythingIsThere() throws Exception {
        BootIT.everythingIsThere();
    }

    private static End shell(String... arguments) throws Exception {
        try (ProgramRun run = ProgramRun.start(arguments)) {
            return run.end();
        }
    }

    @Test
    void aScriptDrivesAGuestToItsEnd() throws Exception {
        Path guest = folder.resolve("echo.yaml");
        Files.writeString(guest, "kernel: " + BootIT.micro("echo.elf") + "\nmemory: 16M\n");
        Path script = folder.resolve("script");
        Files.writeString(
                script,
                """
                # the guest runs already
                vm:expect echo "quit ends"
                vm:type echo "hello\\n"
                vm:expect echo "echo: hello"
                vm:pause echo
                cpu:registers echo | grep rip
                cpu:disassemble echo rip 1
                device:attach echo uart16550 name=com2 base=0x2f8 irq=3 backend=none
                device:list echo | grep com2
                device:detach echo com2
                vm:resume echo
                vm:type echo "quit\\n"
                vm:wait echo
                """);
        End end = shell("shell", guest.toString(), "--script", script.toString());
        assertEquals(0, end.status(), end.err() + end.out());
        assertEquals("", end.err());
        assertTrue(end.out().contains("rip"), end.out());
        assertTrue(end.out().contains("com2        device  uart16550"), end.out());
        assertTrue(end.out().contains("VM 1 (echo) has ended with status 33"), end.out());
    }

    @Test
    void aVmIsMadeOfADescriptionAndTellsItsEvents() throws Exception {
        Path guest = folder.resolve("echo.yaml");
        Files.writeString(guest, "kernel: " + BootIT.micro("echo.elf") + "\nmemory: 16M\n");
        End end =
                shell(
                        "shell",
                        "-c",
                        """
                        vm:create %s name=second memory=8M
                        vm:start second
                        vm:expect second "quit ends"
                        vm:type second "quit\n"
                        vm:wait second
                        vm:list
                        vm:events second
                        vm:create ech
                        """
                                .formatted(guest));
        assertEquals(2, end.status(), end.err() + end.out());
        assertTrue(end.out().contains("VM 1 (second) is created"), end.out());
        assertTrue(end.out().contains("  8M  "), end.out());
        assertTrue(end.out().contains("state   running, was created"), end.out());
        assertTrue(end.out().contains("end     status 33: "), end.out());
        assertTrue(end.err().startsWith("vm:create: no guest 'ech'; there are: "), end.err());
    }

    @Test
    void wrongInputGetsTheUsageAndAStatus() throws Exception {
        End end = shell("shell", "-c", "vm:list; vm:start");
        assertEquals(2, end.status());
        assertEquals("there are no VMs; vm:create makes one\n", end.out());
        assertEquals("vm:start: VM is missing\nusage: vm:start VM [--json]\n", end.err());
    }

    @Test
    void aProcessThatRunsAGuestIsAttachedToAndGoesOn() throws Exception {
        try (ProgramRun run =
                ProgramRun.start("run", "--kernel", BootIT.micro("echo.elf"), "--memory", "16M")) {
            run.until("quit ends");
            String pid = Long.toString(run.pid());
            End list = shell("attach", pid, "--json", "-c", "vm:list");
            assertEquals(0, list.status(), list.err());
            Object tree = new Yaml().load(list.out()); // JSON is YAML
            assertTrue(
                    tree instanceof List<?> rows
                            && rows.size() == 1
                            && rows.getFirst() instanceof Map<?, ?> row
                            && "echo".equals(row.get("name"))
                            && "running".equals(row.get("state")),
                    list.out());
            End two = shell("attach", pid, "-c", "vm:pause echo; vm:resume echo; bundle:none");
            assertEquals(2, two.status());
            assertTrue(two.err().startsWith("unknown command 'bundle:none'"), two.err());
            assertTrue(Files.exists(Sockets.of(System.getenv()).of(run.pid())));
            End end = run.type("quit\n").end();
            assertEquals(33, end.status(), end.err());
            assertFalse(Files.exists(Sockets.of(System.getenv()).of(run.pid())));
        }
    }

    @Test
    void aPersonOnATerminalEndsItWithQuit() throws Exception {
        try (ProgramRun run =
                ProgramRun.onTerminal("stty -a | grep -o '[-]*icanon'; exit", "shell")) {
            run.until("alcazar> ").type("vm:li\t\r").until("there are no VMs");
            End end = run.type("quit 3\r").end();
            assertTrue(end.out().stripTrailing().endsWith("icanon"), end.out());
            assertFalse(end.out().contains("-icanon"), end.out());
        }
    }

    @Test
    void whatCannotBeAttachedToIsToldInOneLine() throws Exception {
        End end = shell("attach", "1");
        assertEquals(2, end.status());
        assertTrue(
                end.err().startsWith("alcazar: '1' is no process that can be attached to;"),
                end.err());
        assertEquals(1, end.err().lines().count());
    }
}
