package org.alcazar.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.guest.GuestCatalog.Guest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class GuestCatalogTest {
    @TempDir Path guests;

    private final FakeApt apt = new FakeApt();

    private void describe(String file) throws IOException {
        Path path = guests.resolve(file);
        Files.createDirectories(path.resolveSibling("."));
        Files.writeString(path, "memory: 64M\n");
    }

    private GuestCatalog catalog() {
        return new GuestCatalog(guests, apt);
    }

    private static String message(Executable call) {
        return String.valueOf(assertThrows(GuestException.class, call).getMessage());
    }

    @Test
    void everyDescriptionOneFolderDownIsAGuest() throws Exception {
        describe("linux/linux.yaml");
        describe("own/kernel.yaml");
        describe("own/deep/hidden.yaml");
        describe("stray.yaml");
        Files.writeString(guests.resolve("own/README.md"), "");
        assertEquals(
                List.of(
                        new Guest("kernel", guests.resolve("own/kernel.yaml"), false),
                        new Guest("linux", guests.resolve("linux/linux.yaml"), true)),
                catalog().list());
        assertTrue(catalog().find("kernel").isPresent());
        assertFalse(catalog().find("hidden").isPresent());
    }

    @Test
    void twoGuestsOfOneNameAreRefused() throws Exception {
        describe("a/same.yaml");
        describe("b/same.yaml");
        assertEquals(
                "two guests are named 'same': %s and %s"
                        .formatted(guests.resolve("a/same.yaml"), guests.resolve("b/same.yaml")),
                message(() -> catalog().list()));
    }

    @Test
    void aMissingFolderIsNamed() {
        Path missing = guests.resolve("missing");
        assertTrue(message(() -> GuestCatalog.list(missing)).startsWith(missing.toString()));
    }

    @Test
    void anUnknownNameIsAnsweredWithTheKnownOnes() throws Exception {
        describe("linux/linux.yaml");
        describe("own/kernel.yaml");
        assertEquals(
                "no guest 'minix'; known: kernel, linux, l4, litmus, micro",
                message(() -> catalog().prepare("minix", Progress.SILENT)));
    }

    @Test
    void aGuestWithoutRecipeIsReadyButCannotBeBuilt() throws Exception {
        describe("own/kernel.yaml");
        catalog().prepare("kernel", Progress.SILENT);
        assertEquals(
                "guest 'kernel' has no recipe; nothing to build",
                message(() -> catalog().build("kernel", Progress.SILENT)));
        assertEquals(List.of(), apt.log);
    }

    @Test
    void theMicroGuestsNeedACompiler() throws Exception {
        apt.programs.add("make");
        apt.programs.add("as");
        assertEquals(
                "the micro guests need gcc, ld, objcopy: install gcc, binutils and make",
                message(() -> catalog().build("micro", Progress.SILENT)));
        apt.programs.addAll(List.of("gcc", "ld", "objcopy"));
        catalog().build("micro", Progress.SILENT);
        assertEquals(List.of("make --no-print-directory -s"), apt.log);
        apt.failing = "make";
        assertEquals(
                "make in %s: W: a warning".formatted(guests.resolve("micro")),
                message(() -> catalog().build("micro", Progress.SILENT)));
    }

    @Test
    void theProgramsOfAGuestAreMadeBeforeIt() throws Exception {
        describe("linux/linux-bench.yaml");
        apt.programs.addAll(List.of("make", "gcc", "as", "ld", "objcopy"));
        String refusal = message(() -> catalog().prepare("linux-bench", Progress.SILENT));
        assertEquals("make --no-print-directory -s", apt.log.getFirst());
        assertTrue(refusal.contains("initramfs.list"), refusal); // there are no sources here
    }
}
