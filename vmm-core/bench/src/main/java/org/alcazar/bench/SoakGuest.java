package org.alcazar.bench;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A process that runs the guest {@code linux-soak}, with threads that feed its serial line and
 * check what comes out of it.
 */
final class SoakGuest implements AutoCloseable {
    /** Lines on their way to the guest: fewer bytes than Linux keeps for a program that sleeps. */
    private static final int WINDOW = 64;

    private static final long BOOT_SECONDS = 180;
    private static final long END_SECONDS = 60;
    private static final String REPORT = "soak: ";

    private final Process process;
    private final Thread hook;
    private final InputStream from;
    private final SoakLines lines = new SoakLines();
    private final List<String> wrong = new ArrayList<>();
    private final Map<String, String> report = new LinkedHashMap<>();
    private final List<String> log = new ArrayList<>();
    private final CompletableFuture<Void> begun = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile boolean last;
    private volatile long lastLine;
    private boolean inLog;

    SoakGuest(List<String> command, Path errors) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        builder.environment().put("ALCAZAR_NO_BUILD", "1"); // what runs here has been built
        process = builder.start();
        hook = new Thread(process::destroyForcibly, "end-guest");
        Runtime.getRuntime().addShutdownHook(hook);
        from = new BufferedInputStream(process.getInputStream());
        Thread.ofPlatform().daemon().name("from-guest").start(this::receive);
    }

    long pid() {
        return process.pid();
    }

    /** Waits until the load runs. */
    void awaitBegin() throws IOException, InterruptedException {
        await(begun, BOOT_SECONDS, "the load has not begun");
        Thread.ofPlatform().daemon().name("to-guest").start(this::send);
    }

    /** Ends the load and waits for the guest to power off. */
    void end() throws IOException, InterruptedException {
        last = true;
        await(ended, END_SECONDS, "the guest does not come to its end");
        if (process.waitFor() != 0) {
            wrong("the guest's process ended with status " + process.exitValue());
        }
    }

    /** How far the streams have come, for a message. */
    private String state() {
        return "%d lines went in and %d came out, the last %.1f s ago; wrong: %s"
                .formatted(
                        lines.sent(),
                        lines.received(),
                        (System.nanoTime() - lastLine) / 1e9,
                        wrong());
    }

    private void await(CompletableFuture<Void> event, long seconds, String otherwise)
            throws IOException, InterruptedException {
        try {
            event.get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new IOException(otherwise + " after " + seconds + " s; " + state(), e);
        } catch (ExecutionException e) {
            throw new IOException(otherwise + ": its process has ended; " + state(), e);
        }
    }

    private void send() {
        try (OutputStream to = process.getOutputStream()) {
            boolean more = true;
            while (more) {
                lines.awaitRoom(WINDOW);
                more = !last;
                to.write((lines.next(!more) + "\n").getBytes(StandardCharsets.US_ASCII));
                to.flush();
            }
        } catch (IOException e) {
            wrong("nothing more goes into the guest: " + e.getMessage());
        } catch (InterruptedException e) {
            wrong("interrupted");
        }
    }

    private void receive() {
        try {
            Optional<String> line = readLine();
            while (line.isPresent()) {
                lastLine = System.nanoTime();
                take(line.get());
                line = readLine();
            }
        } catch (IOException e) {
            wrong("nothing more comes out of the guest: " + e.getMessage());
        }
        IOException early = new IOException("end of output");
        begun.completeExceptionally(early);
        ended.completeExceptionally(early);
    }

    /** To the byte, so that a stray carriage return shows. */
    private Optional<String> readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int octet = from.read();
        while (octet >= 0 && octet != '\n') {
            line.write(octet);
            octet = from.read();
        }
        return octet < 0
                ? Optional.empty()
                : Optional.of(line.toString(StandardCharsets.ISO_8859_1));
    }

    private synchronized void take(String line) {
        if (line.startsWith(REPORT)) {
            takeReport(line.strip().substring(REPORT.length()));
        } else if (inLog) {
            log.add(line.strip());
        } else if (begun.isDone() && report.isEmpty()) {
            lines.take(line).ifPresent(this::wrong);
        }
    }

    private void takeReport(String line) {
        String[] words = line.split(" ", 2);
        switch (words[0]) {
            case "begin" -> begun.complete(null);
            case "log" -> inLog = true;
            case "end" -> {
                inLog = false;
                ended.complete(null);
            }
            case "wrong" -> wrong("the guest: " + words[1]);
            default -> report.put(words[0], words.length > 1 ? words[1] : "");
        }
    }

    private synchronized void wrong(String what) {
        wrong.add(what);
    }

    /** What is wrong so far, the first first. */
    synchronized List<String> wrong() {
        return List.copyOf(wrong);
    }

    /** What the guest has counted, once it has ended. */
    synchronized Map<String, String> report() {
        return Map.copyOf(report);
    }

    /** The kernel's log, once the guest has ended. */
    synchronized List<String> log() {
        return List.copyOf(log);
    }

    SoakLines lines() {
        return lines;
    }

    @Override
    public void close() {
        process.destroyForcibly();
        TimedProcess.removeHook(hook);
    }
}
