package org.alcazar.launcher.bundle;

import org.alcazar.launcher.guest.CommandRunner;
import org.alcazar.launcher.guest.CommandRunner.Result;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * Brings a bundle's new version into a running VM: {@code alcazar attach PID -c "bundle:swap
 * FILE"}, in a process of its own.
 */
public final class Swap {
    private final Path root;
    private final CommandRunner programs;
    private final RunningProcesses running;
    private final OptionalLong chosen;

    /**
     * A way to swap.
     *
     * @param root the source tree, whose script attaches
     * @param chosen a process's id; without one it is the only Alcazar process there is at the time
     */
    public Swap(Path root, CommandRunner programs, RunningProcesses running, OptionalLong chosen) {
        this.root = root;
        this.programs = programs;
        this.running = running;
        this.chosen = chosen;
    }

    /**
     * Swaps a bundle.
     *
     * @return the process that has the new version
     * @throws Failure if there is no such process, or it has refused: the old version runs on
     */
    long swap(Path bundle) throws Failure, InterruptedException {
        long pid = chosen.isPresent() ? chosen.getAsLong() : running.only();
        // Quoted for the shell of the other process, whose words end at blanks.
        String line = "bundle:swap '" + bundle.toAbsolutePath() + "'";
        String script = root.resolve("alcazar").toString();
        try {
            Result result =
                    programs.run(root, List.of(script, "attach", Long.toString(pid), "-c", line));
            if (!result.ok()) {
                String why = result.errors().strip().replaceFirst("(?m)^alcazar: ", "");
                throw Failure.usage(why.isEmpty() ? "process " + pid + " refuses it" : why);
            }
            return pid;
        } catch (IOException e) {
            throw new Failure(Status.USAGE, script + " cannot be run: " + e.getMessage(), e);
        }
    }
}
