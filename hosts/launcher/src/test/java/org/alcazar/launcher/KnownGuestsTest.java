package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.GuestDescriptions.Guest;
import org.alcazar.host.HostRefusal;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.guest.MachineCommands;
import org.alcazar.launcher.message.Messages;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Guests for the shell, read from real files. */
class KnownGuestsTest {
    @TempDir private Path root;
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeEach
    void aGuest() throws IOException {
        Path own = Files.createDirectories(root.resolve("guests/own"));
        Files.writeString(own.resolve("k.elf"), "kernel");
        Files.writeString(own.resolve("plug.jar"), "bundle");
        Files.writeString(
                own.resolve("tiny.yaml"),
                """
                description: a tiny kernel
                kernel: k.elf
                memory: 16M
                devices: rtc
                bundles: plug.jar
                timeout: 5
                """);
    }

    private KnownGuests known(String host) {
        Surroundings surroundings =
                new Surroundings(
                        root,
                        root.resolve("home"),
                        root.resolve("elsewhere"),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        new Messages(err, false, 80),
                        new MachineCommands(Map.of())); // this guest needs none
        return new KnownGuests(surroundings, HostChoice.of(host));
    }

    private Guest read(String guest, Map<String, List<String>> keys) throws Exception {
        return known("jvm").read(guest, keys, root.resolve("guests/own").toString(), text -> {});
    }

    private String refused(String guest, Map<String, List<String>> keys) {
        String said =
                String.valueOf(
                        assertThrows(HostRefusal.class, () -> read(guest, keys)).getMessage());
        assertEquals(1, said.lines().count(), said);
        return said;
    }

    @Test
    void aGuestIsWhatRunWouldMakeOfItWithKeysThatWin() throws Exception {
        Guest guest =
                read("tiny", Map.of("memory", List.of("1G"), "devices", List.of("nic,irq=3")));
        Path own = root.resolve("guests/own");
        assertEquals(own.resolve("k.elf").toString(), guest.configuration().get("kernel"));
        assertEquals(1L << 30, guest.configuration().get("memory"));
        assertEquals("none", guest.configuration().get("console"));
        assertEquals("tiny", guest.configuration().get("name"));
        assertTrue(String.valueOf(guest.configuration().get("devices")).contains("irq"));
        assertEquals(2, ((List<?>) guest.configuration().get("devices")).size());
        assertTrue(!guest.configuration().containsKey("timeout"), "is the launcher's own");
        assertEquals(List.of(own.resolve("plug.jar").toString()), guest.bundles());
        assertEquals(guest.configuration().get("kernel"), fromFile().configuration().get("kernel"));
        assertEquals(Map.of("tiny", "a tiny kernel"), known("jvm").names());
    }

    /** By a path that counts from the client's folder. */
    private Guest fromFile() throws Exception {
        return read("./tiny.yaml", Map.of());
    }

    @Test
    void whatIsWrongIsToldInOneLine() throws IOException {
        assertEquals("no guest 'tinny'; did you mean 'tiny'?", refused("tinny", Map.of()));
        assertEquals(
                "unknown key 'memroy'; did you mean 'memory'?",
                refused("tiny", Map.of("memroy", List.of("1G"))));
        assertTrue(
                refused("tiny", Map.of("timeout", List.of("1")))
                        .startsWith("unknown key 'timeout'"));
        assertEquals(
                "memory: must be one value, not several",
                refused("tiny", Map.of("memory", List.of("1G", "2G"))));
        Files.writeString(root.resolve("guests/own/bad.yaml"), "kernel: k.elf\ncolour: red\n");
        assertTrue(refused("./bad.yaml", Map.of()).contains("unknown key 'colour'"));
        assertTrue(refused("a/kernel", Map.of()).contains("ends in .yaml"));
    }

    @Test
    void aGuestForAnotherHostIsRefused() throws Exception {
        Files.writeString(root.resolve("guests/own/l.yaml"), "kernel: k.elf\nhost: linux\n");
        assertEquals("l: is for the host linux; this process runs on jvm", refused("l", Map.of()));
        String folder = root.toString();
        known("linux").read("l", Map.of(), folder, text -> {});
        known("linux").read("tiny", Map.of(), folder, text -> {}); // any host will do
    }
}
