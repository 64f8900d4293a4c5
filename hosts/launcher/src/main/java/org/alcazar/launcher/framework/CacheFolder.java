package org.alcazar.launcher.framework;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * This process's folder for the framework, below the system's folder for temporary files.
 *
 * <p>Its name tells the process and a file in it is locked as long as the process lives, so that
 * another one can sweep what a killed process has left behind.
 */
final class CacheFolder implements AutoCloseable {
    private static final String PREFIX = "alcazar-cache-";
    private static final Pattern NAME = Pattern.compile(PREFIX + "(\\d+)-.*");
    private static final String LOCK = "in-use";
    private static final String STORAGE = "framework";

    private final Path folder;
    private final FileChannel channel;

    private CacheFolder(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /** Makes a fresh folder that only this user may see. */
    static CacheFolder create(Path temporary) throws IOException {
        long pid = ProcessHandle.current().pid();
        Path folder = Files.createTempDirectory(temporary, PREFIX + pid + "-");
        FileChannel channel =
                FileChannel.open(
                        folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.tryLock() == null) {
            throw new IOException(folder + ": somebody else has locked it");
        }
        return new CacheFolder(folder, channel);
    }

    /** Where the framework keeps its files. */
    Path storage() {
        return folder.resolve(STORAGE);
    }

    @Override
    public void close() {
        try {
            channel.close();
            delete(folder);
        } catch (IOException e) {
            // The next process sweeps it.
        }
    }

    /**
     * Deletes the folders of processes that are no more.
     *
     * @param alive whether there is a process with that id
     */
    static void sweep(Path temporary, LongPredicate alive) {
        List<Path> candidates;
        try (Stream<Path> files = Files.list(temporary)) {
            candidates = files.filter(file -> isLeftBehind(file, alive)).toList();
        } catch (IOException e) {
            return;
        }
        for (Path folder : candidates) {
            try {
                if (!isLocked(folder)) {
                    delete(folder);
                }
            } catch (IOException e) {
                // Another user's, or another process sweeps it at this moment.
            }
        }
    }

    private static boolean isLeftBehind(Path file, LongPredicate alive) {
        Matcher name = NAME.matcher(String.valueOf(file.getFileName()));
        return name.matches()
                && Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)
                && !alive.test(Long.parseLong(name.group(1)));
    }

    /** Process ids repeat between containers that share a folder; locks do not. */
    private static boolean isLocked(Path folder) throws IOException {
        Path file = folder.resolve(LOCK);
        if (!Files.exists(file)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock == null;
        } catch (OverlappingFileLockException e) {
            return true;
        }
    }

    private static void delete(Path root) throws IOException {
        Files.walkFileTree(
                root,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
                            throws IOException {
                        Files.deleteIfExists(folder);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
