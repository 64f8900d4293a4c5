package org.alcazar.host.tck;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where a thread runs, as Linux tells in {@code /proc}; for {@link HostTck#currentProcessor}. */
public final class CurrentProcessor {
    private static final Path SELF = Path.of("/proc/thread-self/stat");
    private static final Path PROCESS = Path.of("/proc/self/status");

    /** Field 39 of proc(5)'s stat, counted behind the name, which may have blanks. */
    private static final int PROCESSOR = 36;

    private CurrentProcessor() {}

    /** By the count of hosts, which starts at 0 and knows only what the process may use; or -1. */
    public static int number() {
        if (!Files.isReadable(SELF)) {
            return -1;
        }
        try {
            String stat = Files.readString(SELF);
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return usable().indexOf(Integer.parseInt(fields[PROCESSOR]));
        } catch (IOException e) {
            return -1;
        }
    }

    /** The main thread's processors, which nobody has changed. */
    private static List<Integer> usable() throws IOException {
        List<Integer> out = new ArrayList<>();
        for (String line : Files.readAllLines(PROCESS)) {
            if (line.startsWith("Cpus_allowed_list:")) {
                for (String part : line.substring(line.indexOf(':') + 1).strip().split(",")) {
                    String[] ends = part.split("-");
                    int last = Integer.parseInt(ends[ends.length - 1]);
                    for (int cpu = Integer.parseInt(ends[0]); cpu <= last; cpu++) {
                        out.add(cpu);
                    }
                }
            }
        }
        return out;
    }
}
