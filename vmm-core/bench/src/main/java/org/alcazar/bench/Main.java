package org.alcazar.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Entry of {@code ./alcazar bench}. Without a name it lists the benchmarks. */
public final class Main {
    private static final Map<String, String> BENCHES =
            Map.of(
                    "boot",
                            "Debian kernel from start to init [--against qemu] [--rounds N] [--json FILE]",
                    "exits", "exit path and device access under JMH, with the allocation profiler",
                    "smp",
                            "what several vcores get done, as ratios [--rounds N] [--ms N] [--json FILE]");

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        List<String> rest = Arrays.asList(arguments);
        String name = rest.isEmpty() ? "" : rest.getFirst();
        int status =
                switch (name) {
                    case "boot" -> BootBench.run(rest.subList(1, rest.size()));
                    case "exits" -> ExitBench.run(rest.subList(1, rest.size()));
                    case "smp" -> SmpBench.run(rest.subList(1, rest.size()));
                    default -> list(name);
                };
        System.exit(status);
    }

    private static int list(String name) {
        if (!name.isEmpty()) {
            System.err.println(
                    "alcazar: no benchmark '" + name + "'; there are boot, exits and smp");
            return 2;
        }
        BENCHES.forEach((bench, what) -> System.out.println(bench + "\t" + what));
        return 0;
    }
}
