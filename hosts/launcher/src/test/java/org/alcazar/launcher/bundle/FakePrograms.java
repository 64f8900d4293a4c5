package org.alcazar.launcher.bundle;

import org.alcazar.launcher.guest.CommandRunner;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Programs that a test plays itself. */
class FakePrograms implements CommandRunner {
    private final BlockingQueue<List<String>> commands = new LinkedBlockingQueue<>();

    /** What each run gives; tests override it. */
    protected Result play(Path directory, List<String> command) throws IOException {
        return new Result(0, "", "");
    }

    /** The next command that was run, waited for. */
    List<String> next() throws InterruptedException {
        List<String> command = commands.poll(60, TimeUnit.SECONDS);
        if (command == null) {
            throw new AssertionError("no program was run");
        }
        return command;
    }

    boolean noneMore() {
        return commands.isEmpty();
    }

    @Override
    public boolean has(String program) {
        return true;
    }

    @Override
    public Result run(Path directory, List<String> command) throws IOException {
        Result result = play(directory, command);
        commands.add(command);
        return result;
    }

    @Override
    public Result run(Path directory, List<String> command, Reader reader) throws IOException {
        throw new IOException("not played");
    }
}
