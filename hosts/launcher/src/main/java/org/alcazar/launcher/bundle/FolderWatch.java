package org.alcazar.launcher.bundle;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Waits for saves in a Maven project: its pom.xml, and everything below src. */
final class FolderWatch implements AutoCloseable {
    /** An editor writes several files, or one in several steps: a save ends with this much rest. */
    private static final long REST_MILLIS = 150;

    private final Path project;
    private final WatchService service;
    private final Map<WatchKey, Path> folders = new HashMap<>();

    FolderWatch(Path project) throws IOException {
        this.project = project;
        service = project.getFileSystem().newWatchService();
        register(project);
        registerAll(project.resolve("src"));
    }

    private void register(Path folder) throws IOException {
        folders.put(
                folder.register(
                        service,
                        StandardWatchEventKinds.ENTRY_CREATE,
                        StandardWatchEventKinds.ENTRY_MODIFY,
                        StandardWatchEventKinds.ENTRY_DELETE),
                folder);
    }

    private void registerAll(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path at, BasicFileAttributes of)
                            throws IOException {
                        register(at);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path at, IOException e) {
                        return FileVisitResult.CONTINUE; // it is gone again
                    }
                });
    }

    /** Returns when something was saved since the last call and nothing is being saved any more. */
    void awaitSave() throws InterruptedException, IOException {
        boolean saved = false;
        while (!saved) {
            saved = take(service.take());
        }
        WatchKey more = service.poll(REST_MILLIS, TimeUnit.MILLISECONDS);
        while (more != null) {
            take(more);
            more = service.poll(REST_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** Whether an event is about the bundle's sources. */
    private boolean take(WatchKey key) throws IOException {
        Path folder = folders.get(key);
        boolean relevant = false;
        for (WatchEvent<?> event : key.pollEvents()) {
            if (folder == null || !(event.context() instanceof Path name)) {
                registerAll(project.resolve("src")); // more has happened than was kept
                relevant = true;
                continue;
            }
            Path file = folder.resolve(name);
            if (folder.equals(project) ? isOurs(name) : !name.toString().endsWith("~")) {
                relevant = true;
                registerAll(file); // if it is a new folder
            }
        }
        if (!key.reset()) {
            folders.remove(key); // the folder is gone
        }
        return relevant;
    }

    private static boolean isOurs(Path name) {
        return name.toString().equals("pom.xml") || name.toString().equals("src");
    }

    @Override
    public void close() throws IOException {
        service.close();
    }
}
