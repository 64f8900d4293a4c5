package org.alcazar.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.guest.GuestCatalog.Guest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The guests of this source tree. */
class OwnGuestsTest {
    @TempDir Path folder;

    private static Path guests() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(at.resolve("guests/linux"))) {
            at = at.resolve("..").normalize();
        }
        return at.resolve("guests");
    }

    @Test
    void everyRecipeHasADescriptionAndTheOtherWayRound() throws Exception {
        List<String> buildable =
                GuestCatalog.list(guests()).stream()
                        .filter(Guest::buildable)
                        .map(Guest::name)
                        .toList();
        assertEquals(LinuxRecipe.names(), buildable);
    }

    @Test
    void theInitialFileSystemHasWhatAKernelStarts() throws Exception {
        Path busybox = Files.write(folder.resolve("busybox"), FakeApt.busybox());
        Initramfs files =
                InitramfsList.read(
                        guests().resolve("linux/initramfs.list"), Map.of("busybox", busybox));
        for (String path :
                List.of(
                        "/init",
                        "/bin/busybox",
                        "/bin/sh",
                        "/dev/console",
                        "/dev/null",
                        "/scripts/hello")) {
            assertTrue(files.contains(path), path);
        }
    }
}
