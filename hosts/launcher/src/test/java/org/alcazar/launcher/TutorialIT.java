package org.alcazar.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.Tutorial.Step;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.stream.Collectors;

/** Does what plugins/TUTORIAL.md tells its reader, step by step, and sees what it says is seen. */
@Tag("machine")
class TutorialIT {
    private static final long LIMIT_SECONDS = 240;

    /** A folder with a short name: it has a socket. */
    @TempDir private Path folder;

    private final Map<String, Terminal> terminals = new LinkedHashMap<>();
    private Path here = Path.of("");

    /** A program that goes on running, and what it has printed that nobody has waited for yet. */
    private static final class Terminal {
        private final Process process;
        private final StringBuilder unread = new StringBuilder();
        private boolean ended;

        Terminal(Process process) {
            this.process = process;
            Thread.ofPlatform().daemon().start(this::read);
        }

        private void read() {
            byte[] bytes = new byte[4096];
            try (InputStream in = process.getInputStream()) {
                for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                    add(new String(bytes, 0, count, StandardCharsets.UTF_8));
                }
            } catch (IOException e) {
                add(e.toString());
            }
            end();
        }

        private synchronized void add(String text) {
            unread.append(text.replace("\r", ""));
            notifyAll();
        }

        private synchronized void end() {
            ended = true;
            notifyAll();
        }

        void type(String line) throws IOException {
            OutputStream keyboard = process.getOutputStream();
            keyboard.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            keyboard.flush();
        }

        /** Waits until lines have come in this order; what came before them is gone then. */
        synchronized void await(List<String> lines) throws InterruptedException {
            long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
            Matcher found = Tutorial.pattern(lines).matcher(unread);
            while (!found.find()) {
                long left = TimeUnit.NANOSECONDS.toMillis(limit - System.nanoTime());
                assertTrue(left > 0 && !ended, () -> "no " + lines + " in: " + unread);
                wait(left);
                found.reset();
            }
            unread.delete(0, found.end());
        }
    }

    @BeforeEach
    void aPathWithAlcazar() throws IOException {
        here = Files.createDirectory(folder.resolve("work"));
        Path script = Files.createDirectory(folder.resolve("bin")).resolve("alcazar");
        String command =
                ProgramRun.command(List.of()).stream()
                        .map(word -> "'" + word + "'")
                        .collect(Collectors.joining(" "));
        Files.writeString(script, "#!/bin/sh\nexec " + command + " \"$@\"\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void endPrograms() {
        for (Terminal terminal : terminals.values()) {
            terminal.process.descendants().forEach(ProcessHandle::destroy);
            terminal.process.destroy();
        }
    }

    @Test
    void theTutorialDoesWhatItSays() throws Exception {
        Tutorial tutorial = Tutorial.read(ProgramRun.root().resolve("plugins/TUTORIAL.md"));
        assertTrue(tutorial.steps().size() > 10, () -> "steps: " + tutorial);
        for (Step step : tutorial.steps()) {
            try {
                perform(step);
            } catch (AssertionError e) {
                throw new AssertionError("line " + step.line() + ": " + e.getMessage(), e);
            }
        }
    }

    private void perform(Step step) throws Exception {
        switch (step.kind()) {
            case "console" -> {
                for (Step.Command command : step.commands()) {
                    if (step.where().isEmpty()) {
                        run(command);
                    } else {
                        start(step.where(), command);
                    }
                }
            }
            case "guest" -> {
                Terminal terminal = terminal(step.where());
                for (Step.Command command : step.commands()) {
                    terminal.type(command.command());
                    terminal.await(command.prints());
                }
            }
            case "output" -> terminal(step.where()).await(step.text());
            case "diff" -> {
                Path file = here.resolve(step.where());
                Files.writeString(file, step.applied(Files.readString(file)));
            }
            default -> {
                Path file = here.resolve(step.where());
                Files.createDirectories(file.resolveSibling("."));
                Files.writeString(file, String.join("\n", step.text()) + "\n");
            }
        }
    }

    private Terminal terminal(String name) {
        Terminal terminal = terminals.get(name);
        assertTrue(terminal != null, () -> "nothing runs on " + name);
        return terminal;
    }

    private void start(String name, Step.Command command) throws Exception {
        Terminal terminal = new Terminal(bash("exec " + command.command()).start());
        terminals.put(name, terminal);
        terminal.await(command.prints());
    }

    /** A command that ends, at once in the folder where the last one was. */
    private void run(Step.Command command) throws Exception {
        Path where = folder.resolve("where");
        Process process = bash(command.command() + " && pwd > '" + where + "'").start();
        process.getOutputStream().close();
        String printed =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> command.command() + ":\n" + printed);
        assertTrue(
                Tutorial.pattern(command.prints()).matcher(printed).find(),
                () -> command + " printed:\n" + printed);
        here = Path.of(Files.readString(where).strip());
    }

    private ProcessBuilder bash(String command) {
        ProcessBuilder builder =
                new ProcessBuilder("bash", "-c", command)
                        .directory(here.toFile())
                        .redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.merge(
                "PATH",
                folder.resolve("bin").toString(),
                (path, own) -> own + File.pathSeparator + path);
        environment.put("XDG_RUNTIME_DIR", folder.toString());
        return builder;
    }
}
