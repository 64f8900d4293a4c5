package org.alcazar.launcher.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.message.Failure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

class SocketsTest {
    /** More than Linux gives any process. */
    private static final long NOBODY = 99_999_999;

    @TempDir private Path temporary;

    @Test
    void theFolderIsThisUsersAlone() throws IOException {
        Path folder = temporary.resolve("alcazar");
        Path socket = new Sockets(folder).prepare();
        assertEquals(
                "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
        assertEquals(folder.resolve(ProcessHandle.current().pid() + ".sock"), socket);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        IOException refused = assertThrows(IOException.class, () -> new Sockets(folder).prepare());
        assertTrue(String.valueOf(refused.getMessage()).contains("mode 0700"), refused::toString);
    }

    @Test
    void whatDeadProcessesLeftIsSweptAndWhoAnswersStays() throws IOException {
        Sockets sockets = new Sockets(temporary.resolve("alcazar"));
        sockets.prepare();
        Files.createFile(sockets.of(NOBODY));
        try (ShellSocket answering = ShellSocket.open(sockets.of(NOBODY + 1))) {
            answering.whenSomebodyKnocks(server -> {});
            assertEquals(List.of(NOBODY, NOBODY + 1), sockets.pids());
            sockets.prepare();
            assertEquals(List.of(NOBODY + 1), sockets.pids());
        }
        assertEquals(List.of(), sockets.pids());
    }

    private static String refusal(Sockets sockets, String given) {
        return String.valueOf(
                assertThrows(Failure.class, () -> sockets.choose(given)).getMessage());
    }

    @Test
    void thePersonMeansTheOnlyProcessThatLives() throws Exception {
        Sockets sockets = new Sockets(temporary.resolve("alcazar"));
        assertTrue(refusal(sockets, "").contains("none runs"));
        sockets.prepare();
        Files.createFile(sockets.of(NOBODY));
        long own = ProcessHandle.current().pid();
        Files.createFile(sockets.of(own));
        assertEquals(own, sockets.choose(""));
        assertEquals(own, sockets.choose(Long.toString(own)));
        assertTrue(refusal(sockets, "seven").startsWith("'seven' is no process"));
        try (ShellSocket answering = ShellSocket.open(sockets.of(NOBODY + 1))) {
            answering.whenSomebodyKnocks(server -> {});
            String both = own + ", " + (NOBODY + 1);
            assertEquals("say which process, by its id; there are: " + both, refusal(sockets, ""));
        }
    }

    @Test
    void theFirstClientIsWaitedForAndServed() throws Exception {
        Path path = temporary.resolve("socket");
        CompletableFuture<Integer> came = new CompletableFuture<>();
        try (ShellSocket socket = ShellSocket.open(path)) {
            socket.whenSomebodyKnocks(server -> {
                try (var client = server.accept()) {
                    came.complete(client.isConnected() ? 1 : 0);
                } catch (IOException e) {
                    came.completeExceptionally(e);
                }
            });
            assertFalse(came.isDone());
            Sockets.connect(path).close();
            assertEquals(1, came.get());
        }
        assertFalse(Files.exists(path));
    }

    @Test
    void theSessionsFolderIsPreferred() {
        assertEquals(
                temporary.resolve("alcazar").resolve("7.sock"),
                Sockets.of(Map.of("XDG_RUNTIME_DIR", temporary.toString())).of(7));
        assertTrue(Sockets.of(Map.of()).of(7).toString().contains("alcazar-"));
    }
}
