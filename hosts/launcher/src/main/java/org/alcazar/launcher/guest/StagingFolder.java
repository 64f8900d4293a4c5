package org.alcazar.launcher.guest;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder in which files are made ready before they appear, all at once, under their final name.
 *
 * <p>It lies beside the final folder and is deleted by {@link #close}, or by a shutdown hook when
 * the program is interrupted, unless {@link #publish} has moved it. What a killed program left
 * behind is deleted by the next one. A lock keeps two programs from building the same guest.
 */
final class StagingFolder implements AutoCloseable {
    private static final int DELETE_ROUNDS = 5;

    private final Path target;
    private final Path folder;
    private final Path old;
    private final FileChannel lockFile;
    private final FileLock lock;
    private final Thread hook;

    /** Waits for the lock, deletes left-overs and creates an empty folder. */
    StagingFolder(Path target) throws IOException {
        this.target = target.toAbsolutePath();
        Path parent = Files.createDirectories(this.target.resolveSibling("."));
        String name = "." + this.target.getFileName();
        folder = parent.resolve(name + ".new").normalize();
        old = parent.resolve(name + ".old").normalize();
        lockFile =
                FileChannel.open(
                        parent.resolve(name + ".lock").normalize(),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
        lock = lockFile.lock();
        hook = new Thread(this::deleteQuietly, "delete " + folder);
        try {
            recover();
            Runtime.getRuntime().addShutdownHook(hook);
            Files.createDirectory(folder);
        } catch (IOException | RuntimeException e) {
            lockFile.close();
            throw e;
        }
    }

    private void recover() throws IOException {
        deleteTree(folder);
        if (Files.exists(old) && !Files.exists(target)) {
            Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
        }
        deleteTree(old);
    }

    /** The folder to make files in. */
    Path path() {
        return folder;
    }

    /** Moves the folder to its final name, in place of what is there. */
    void publish() throws IOException {
        boolean replaces = Files.exists(target);
        if (replaces) {
            Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        }
        try {
            Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (replaces) {
                Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
            }
            throw e;
        }
        deleteTree(old);
    }

    @Override
    public void close() throws IOException {
        try {
            deleteTree(folder);
        } finally {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The program is going down, and the hook runs or has run.
            }
            lock.close();
            lockFile.close();
        }
    }

    /** For the end of the program: another thread may still be writing, so try a few times. */
    private void deleteQuietly() {
        for (int round = 0; round < DELETE_ROUNDS && Files.exists(folder); round++) {
            try {
                deleteTree(folder);
            } catch (IOException e) {
                // Written to at this moment; the next round or the next build deletes it.
            }
        }
    }

    /** Deletes a folder with all that is in it; does nothing when it is not there. */
    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
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
                    public FileVisitResult visitFileFailed(Path file, IOException e)
                            throws IOException {
                        if (e instanceof NoSuchFileException) {
                            return FileVisitResult.CONTINUE;
                        }
                        throw e;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
                            throws IOException {
                        if (e != null) {
                            throw e;
                        }
                        Files.deleteIfExists(folder);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    /** The names in a folder, sorted. */
    static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }
}
