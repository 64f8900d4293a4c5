package org.alcazar.launcher.bundle;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How Maven is called: on this program's JDK, and for a run of a few seconds. */
final class Maven {
    /** The JVM's second compiler costs such a run more than it gives. */
    private static final String QUICK =
            "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC --sun-misc-unsafe-memory-access=allow";

    private Maven() {}

    /** The command for Maven with some arguments. */
    static List<String> command(List<String> arguments) {
        String own = Optional.ofNullable(System.getenv("MAVEN_OPTS")).orElse("");
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "env",
                                "JAVA_HOME=" + System.getProperty("java.home"),
                                "MAVEN_OPTS=" + QUICK + " " + own,
                                "mvn",
                                "-B",
                                "-q"));
        command.addAll(arguments);
        return List.copyOf(command);
    }
}
