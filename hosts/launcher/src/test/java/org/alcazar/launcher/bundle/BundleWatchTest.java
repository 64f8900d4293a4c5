package org.alcazar.launcher.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Real saves, and programs that are played. */
class BundleWatchTest {
    @TempDir private Path folder;
    private Path project = Path.of("");
    private Path source = Path.of("");
    private volatile String mavenSays = "";
    private volatile String refusal = "";
    private final BlockingQueue<Path> swapped = new LinkedBlockingQueue<>();
    private final Screen screen = new Screen();
    private Thread watcher = new Thread();

    private final FakePrograms programs =
            new FakePrograms() {
                @Override
                protected Result play(Path directory, List<String> command) {
                    return new Result(mavenSays.isEmpty() ? 0 : 2, mavenSays, mavenSays);
                }
            };

    /** Standard error, which a test can wait for. */
    private static final class Screen extends OutputStream {
        private final ByteArrayOutputStream text = new ByteArrayOutputStream();

        @Override
        public synchronized void write(int octet) {
            text.write(octet);
            notifyAll();
        }

        synchronized void until(Predicate<String> wanted) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!wanted.test(text.toString(StandardCharsets.UTF_8))) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                assertTrue(left > 0, () -> "the screen shows " + text);
                wait(left);
            }
        }
    }

    @BeforeEach
    void aProject() throws IOException {
        project = Files.createDirectories(folder.resolve("project"));
        source = Files.createDirectories(project.resolve("src/main/java")).resolve("A.java");
        Files.writeString(project.resolve("pom.xml"), "<project/>");
        Files.writeString(source, "class A {}");
        Files.createDirectories(project.resolve("target"));
        Files.writeString(project.resolve("target/a-1.jar"), "");
    }

    @AfterEach
    void end() throws InterruptedException {
        watcher.interrupt();
        watcher.join();
    }

    private String swap(Path jar) throws Failure {
        if (!refusal.isEmpty()) {
            throw Failure.usage(refusal);
        }
        swapped.add(jar);
        return "VM linux: com1 exchanged";
    }

    private void watch() throws InterruptedException {
        BundleWatch watch =
                new BundleWatch(project, programs, this::swap, new Messages(screen, false, 80));
        CompletableFuture<Void> failed = new CompletableFuture<>();
        watcher =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                watch.run();
                            } catch (Failure e) {
                                failed.completeExceptionally(e);
                            } catch (InterruptedException e) {
                                failed.complete(null);
                            }
                        });
        screen.until(text -> text.contains("watching"));
    }

    private void assertBuilt() throws InterruptedException {
        assertTrue(programs.next().contains("mvn"));
    }

    @Test
    void aSaveIsBuiltAndSwapped() throws Exception {
        watch();
        Files.writeString(source, "class A { int a; }");
        assertBuilt();
        assertEquals(project.resolve("target/a-1.jar"), swapped.take());
        screen.until(text -> text.endsWith("a-1.jar is built\nVM linux: com1 exchanged\n"));
    }

    @Test
    void filesInNewFoldersAndThePomAreSourcesAndTargetIsNone() throws Exception {
        watch();
        Path fresh = Files.createDirectories(project.resolve("src/main/resources/deep"));
        assertBuilt();
        swapped.take();
        Files.writeString(fresh.resolve("text"), "text");
        assertBuilt();
        swapped.take();
        Files.writeString(project.resolve("target/other"), "made by a build");
        Files.writeString(project.resolve("notes"), "not a source");
        Files.writeString(project.resolve("pom.xml"), "<project>1</project>");
        assertBuilt();
        swapped.take();
        assertTrue(programs.noneMore());
    }

    @Test
    void errorsOfTheCompilerAreShownShortAndTheNextSaveIsBuilt() throws Exception {
        mavenSays =
                """
                [ERROR] COMPILATION ERROR:
                [ERROR] /p/A.java:[1,9] ';' expected
                [ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3:compile
                [ERROR] /p/A.java:[1,9] ';' expected
                [ERROR] -> [Help 1]
                [ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.
                """;
        watch();
        Files.writeString(source, "class A { int a }");
        assertBuilt();
        screen.until(text -> text.endsWith("alcazar: not built:\n/p/A.java:[1,9] ';' expected\n"));
        mavenSays = "";
        refusal = "com1: its state is of version 2, not 1";
        Files.writeString(source, "class A { int a; }");
        assertBuilt();
        screen.until(text ->
                text.contains("built, but not swapped: com1: its state is of version 2, not 1"));
    }

    @Test
    void aFolderWithoutAPomIsRefused() {
        BundleWatch watch =
                new BundleWatch(folder, programs, this::swap, new Messages(screen, false, 80));
        Failure failure = assertThrows(Failure.class, watch::run);
        assertTrue(String.valueOf(failure.getMessage()).contains("no pom.xml"));
    }
}
