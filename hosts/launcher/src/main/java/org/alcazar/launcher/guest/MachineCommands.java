package org.alcazar.launcher.guest;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Runs the programs of this machine as child processes. */
public final class MachineCommands implements CommandRunner {
    private static final Executor VIRTUAL_THREADS = task -> Thread.ofVirtual().start(task);

    private final Map<String, String> environment;

    /** Creates a runner that takes the search path from the given environment. */
    public MachineCommands(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    @Override
    public boolean has(String program) {
        for (String directory : environment.getOrDefault("PATH", "").split(File.pathSeparator)) {
            if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, program))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Result run(Path directory, List<String> command)
            throws IOException, InterruptedException {
        String[] output = {""};
        Result result =
                run(
                        directory,
                        command,
                        in -> output[0] = new String(in.readAllBytes(), StandardCharsets.UTF_8));
        return new Result(result.status(), output[0], result.errors());
    }

    @Override
    public Result run(Path directory, List<String> command, Reader reader)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        // A program does not outlive this one: nothing would take its output or clean up after it.
        Thread hook = new Thread(process::destroy, "end " + command.getFirst());
        Runtime.getRuntime().addShutdownHook(hook);
        try (InputStream output = process.getInputStream();
                InputStream errors = process.getErrorStream()) {
            process.getOutputStream().close();
            CompletableFuture<String> message =
                    CompletableFuture.supplyAsync(() -> text(errors), VIRTUAL_THREADS);
            reader.read(output);
            boolean stoppedEarly = output.read() >= 0;
            if (stoppedEarly) {
                process.destroy();
            }
            int status = process.waitFor();
            return new Result(stoppedEarly ? 0 : status, "", message.join());
        } finally {
            process.destroy();
            removeHook(hook);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // This program is going down, and the hook runs or has run.
        }
    }

    private static String text(InputStream in) {
        try {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "(no message: " + e.getMessage() + ")";
        }
    }
}
