package org.alcazar.launcher.bundle;

import org.alcazar.launcher.message.Failure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** This user's Alcazar processes, by the sockets that they listen on. */
public final class RunningProcesses {
    private static final Pattern SOCKET = Pattern.compile("(\\d+)\\.sock");

    private final Path folder;
    private final LongPredicate lives;

    /**
     * Those of a folder of sockets.
     *
     * @param lives whether there is a process of that id: a killed one leaves its socket behind
     */
    public RunningProcesses(Path folder, LongPredicate lives) {
        this.folder = folder;
        this.lives = lives;
    }

    /** The id of the only one. */
    long only() throws Failure {
        List<Long> all = all();
        if (all.size() == 1) {
            return all.getFirst();
        }
        throw Failure.usage(
                all.isEmpty()
                        ? "no process of Alcazar runs; start a VM with `alcazar run` or `alcazar"
                                + " shell`"
                        : "there are several processes of Alcazar: choose one with --pid: "
                                + String.join(", ", all.stream().map(String::valueOf).toList()));
    }

    private List<Long> all() {
        List<Long> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                Matcher name = SOCKET.matcher(String.valueOf(file.getFileName()));
                if (name.matches() && lives.test(Long.parseLong(name.group(1)))) {
                    found.add(Long.parseLong(name.group(1)));
                }
            }
        } catch (IOException e) {
            // Nobody has made the folder yet.
        }
        return found;
    }
}
