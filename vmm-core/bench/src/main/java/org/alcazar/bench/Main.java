package org.alcazar.bench;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Entry of {@code ./alcazar bench}. Without a name it lists the benchmarks; options alone are for
 * the one of whole guests.
 */
public final class Main {
    private static final String GUESTS = "guests";
    private static final Map<String, String> BENCHES =
            new TreeMap<>(
                    Map.of(
                            "boot",
                            "Debian kernel from start to init " + options(BootBench.OPTIONS),
                            "exits",
                            "exit path and device access under JMH, with the allocation profiler",
                            GUESTS,
                            "programs in a Linux guest; the name may be left out before options "
                                    + options(GuestBench.OPTIONS),
                            "hosts",
                            "the same guests on each host and on jvm in turn "
                                    + options(HostBench.OPTIONS),
                            "hotswap",
                            "swaps of device bundles under a busy Linux guest "
                                    + options(HotSwapBench.OPTIONS),
                            "paging",
                            "what each paging mode costs a Linux guest "
                                    + options(PagingBench.OPTIONS),
                            "smp",
                            "what several vcores get done, as ratios "
                                    + options(SmpBench.OPTIONS)));

    /** What Alcazar's own faults end with; see DESIGN, "The command line". */
    static final int FAULT = 6;

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        List<String> words = Arrays.asList(arguments);
        boolean named = !words.isEmpty() && !words.getFirst().startsWith("--");
        String name = words.isEmpty() ? "" : named ? words.getFirst() : GUESTS;
        System.exit(run(name, named ? words.subList(1, words.size()) : words));
    }

    private static int run(String name, List<String> options) throws Exception {
        try {
            return switch (name) {
                case "" -> list();
                case "boot" -> BootBench.run(options);
                case "exits" -> ExitBench.run(options);
                case GUESTS -> GuestBench.run(options);
                case "hosts" -> HostBench.run(options);
                case "hotswap" -> HotSwapBench.run(options);
                case "paging" -> PagingBench.run(options);
                case "smp" -> SmpBench.run(options);
                default ->
                        throw new Options.Wrong(
                                "no benchmark '%s'; there are %s"
                                        .formatted(name, String.join(", ", BENCHES.keySet())));
            };
        } catch (Options.Wrong e) {
            System.err.println("alcazar: " + e.getMessage());
            return 2;
        } catch (IOException e) {
            System.err.println("alcazar: bench " + name + ": " + e.getMessage());
            return FAULT;
        }
    }

    private static int list() {
        BENCHES.forEach((bench, what) -> System.out.printf("%-8s%s%n", bench, what));
        return 0;
    }

    private static String options(List<Options.Option> options) {
        return options.stream().map(option -> "[" + option + "]").collect(Collectors.joining(" "));
    }
}
