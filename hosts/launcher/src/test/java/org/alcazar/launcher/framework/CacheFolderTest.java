package org.alcazar.launcher.framework;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

class CacheFolderTest {
    @TempDir private Path temporary;

    private Path leftBehind(String name) throws IOException {
        Path folder = Files.createDirectories(temporary.resolve(name));
        Files.createDirectories(folder.resolve("framework/bundle1"));
        Files.writeString(folder.resolve("framework/bundle1/state"), "x");
        Files.writeString(folder.resolve("in-use"), "");
        return folder;
    }

    @Test
    void aFreshCacheIsThisUsersAloneAndGoneAfterClose() throws IOException {
        CacheFolder cache = CacheFolder.create(temporary);
        Path folder = cache.storage().resolveSibling(".").normalize();
        Files.createDirectories(cache.storage().resolve("bundle0"));
        assertEquals(
                "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
        cache.close();
        assertFalse(Files.exists(folder));
    }

    @Test
    void theSweepTakesWhatAKilledProcessLeft() throws IOException {
        Path dead = leftBehind("alcazar-cache-41-123");
        CacheFolder.sweep(temporary, pid -> pid != 41);
        assertFalse(Files.exists(dead));
    }

    @Test
    void theSweepSparesALivingProcess() throws IOException {
        Path alive = leftBehind("alcazar-cache-42-123");
        CacheFolder.sweep(temporary, pid -> pid == 42);
        assertTrue(Files.exists(alive.resolve("framework/bundle1/state")));
    }

    @Test
    void theSweepSparesAFolderThatIsLocked() throws IOException {
        // A process of another container: its id means nothing here, its lock does.
        Path locked = leftBehind("alcazar-cache-43-123");
        try (FileChannel channel =
                        FileChannel.open(locked.resolve("in-use"), StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            assertTrue(lock.isValid());
            CacheFolder.sweep(temporary, pid -> false);
        }
        assertTrue(Files.exists(locked));
    }

    @Test
    void theSweepSparesWhatIsNotOurs() throws IOException {
        Path other = leftBehind("somebody-else-41");
        Path file = Files.writeString(temporary.resolve("alcazar-cache-41-file"), "x");
        Path target = leftBehind("precious");
        Path link = Files.createSymbolicLink(temporary.resolve("alcazar-cache-41-link"), target);
        CacheFolder.sweep(temporary, pid -> false);
        assertTrue(Files.exists(other.resolve("in-use")));
        assertTrue(Files.exists(file));
        assertTrue(Files.exists(link));
        assertTrue(Files.exists(target.resolve("framework/bundle1/state")));
    }
}
