package org.alcazar.hosts.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.host.HostThread;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;

/** Threads run where they are told to, by what Linux says of each. */
class PlacementTest {
    private static final Path STATUS = Path.of("/proc/thread-self/status");

    private final ThreadProcessors processors = new ThreadProcessors("test");

    /** Processors of the current thread as Linux writes them. */
    private static String allowed() {
        try (var lines = Files.lines(STATUS)) {
            return lines.filter(line -> line.startsWith("Cpus_allowed_list:"))
                    .findFirst()
                    .orElseThrow()
                    .replaceAll(".*:\\s*", "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> numbers(String list) {
        List<String> out = new ArrayList<>();
        for (String part : list.split(",", -1)) {
            String[] ends = part.split("-", -1);
            for (int i = Integer.parseInt(ends[0]);
                    i <= Integer.parseInt(ends[ends.length - 1]);
                    i++) {
                out.add(String.valueOf(i));
            }
        }
        return out;
    }

    @Test
    void aThreadStaysWhereItIsPutUntilItIsFreed() throws Exception {
        assumeTrue(Files.exists(STATUS));
        List<String> all = numbers(allowed());
        assertEquals(all.size(), processors.count());
        BlockingQueue<Boolean> asked = new SynchronousQueue<>();
        BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        int last = all.size() - 1;
        HostThread thread =
                processors.start(
                        "placed",
                        last,
                        () -> {
                            try {
                                while (asked.take()) {
                                    answers.add(allowed());
                                }
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
        asked.put(true);
        assertEquals(all.get(last), answers.take());
        for (int cpu = 0; cpu <= last; cpu++) {
            thread.move(cpu);
            asked.put(true);
            assertEquals(all.get(cpu), answers.take());
        }
        thread.move(HostThread.ANY_CPU);
        asked.put(true);
        assertEquals(all, numbers(answers.take()));
        asked.put(false);
        assertTrue(thread.join(Long.MAX_VALUE));
    }

    @Test
    void aCallRunsOnItsProcessor() throws Exception {
        assumeTrue(Files.exists(STATUS));
        String number = numbers(allowed()).getFirst();
        BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        processors.callOn(0, () -> answers.add(allowed()));
        assertEquals(number, answers.take());
    }
}
