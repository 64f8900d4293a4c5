package org.alcazar.bench;

import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

import java.util.List;

/** Runs {@link ExitPath} with JMH's allocation profiler, which counts all threads of the JVM. */
final class ExitBench {
    private ExitBench() {}

    static int run(List<String> arguments) throws RunnerException {
        if (!arguments.isEmpty()) {
            System.err.println("alcazar: bench exits takes no options");
            return 2;
        }
        new Runner(
                        new OptionsBuilder()
                                .include(ExitPath.class.getName())
                                .addProfiler(GCProfiler.class)
                                .forks(1)
                                .warmupIterations(3)
                                .measurementIterations(5)
                                .warmupTime(TimeValue.seconds(2))
                                .measurementTime(TimeValue.seconds(2))
                                .jvmArgsAppend("--enable-native-access=ALL-UNNAMED")
                                .build())
                .run();
        return 0;
    }
}
