package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs the jcstress tests, in processes of their own. A sample; {@code -Dstress="-m default"} gives
 * jcstress other options, for a long run.
 */
class StressTest {
    private static final String SAMPLE = "-f 1 -fsm 1 -iters 1 -time 1000 -sc false";

    @Test
    void concurrentPartsKeepTheirPromises() throws Exception {
        Path folder = Files.createDirectories(Path.of("target", "jcstress"));
        Path output = folder.resolve("output.txt");
        Process process =
                new ProcessBuilder(command())
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        int status;
        try {
            status = process.waitFor();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String said = Files.readString(output);
        assertEquals(0, status, said);
        assertTrue(said.contains("Failed tests: No matches"), said);
        assertTrue(said.contains("Error tests: No matches"), said);
    }

    private static List<String> command() {
        String jvm = "--enable-native-access=ALL-UNNAMED";
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.add(jvm);
        command.add("-cp");
        command.add(
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")));
        command.add("org.openjdk.jcstress.Main");
        command.addAll(List.of("-af", "NONE"));
        command.addAll(List.of("-jvmArgs", jvm + " --sun-misc-unsafe-memory-access=allow"));
        command.addAll(List.of(System.getProperty("stress", SAMPLE).split(" ")));
        return command;
    }
}
