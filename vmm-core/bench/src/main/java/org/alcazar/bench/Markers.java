package org.alcazar.bench;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the marker lines of one run ({@code guests/bench/runtime.c} says what they look like) and
 * takes the time between their arrivals.
 */
final class Markers implements TimedProcess.Lines {
    /**
     * One repetition.
     *
     * @param seconds by this machine's clock
     * @param cpuSeconds of processor time, by all threads of the peer
     * @param guestSeconds by the guest's clock
     * @param checksum 16 hexadecimal digits
     */
    record Repetition(double seconds, double cpuSeconds, double guestSeconds, String checksum) {}

    /** Told when a program has done its last repetition. */
    @FunctionalInterface
    interface Finished {
        void finished(String program, List<Repetition> repetitions);
    }

    private static final String INIT = "alcazar: init reached";
    private static final Pattern BEGIN = Pattern.compile("bench (\\w+) begin ([0-9]+\\.[0-9]+)");
    private static final Pattern DONE =
            Pattern.compile("bench (\\w+) ([0-9]+) ([0-9a-f]{16}) ([0-9]+\\.[0-9]+)");

    private static final Pattern ENOUGH = Pattern.compile("bench (\\w+) enough .*");

    private final int expected;
    private final Finished listener;
    private final Map<String, List<Repetition>> programs = new LinkedHashMap<>();
    private final Set<String> finished = new HashSet<>();
    private Optional<Repetition> boot = Optional.empty();
    private String current = "";
    private double since;
    private double cpuSince;
    private double guestSince;

    /**
     * Creates a reader.
     *
     * @param expected how many repetitions each program is to do
     */
    Markers(int expected, Finished listener) {
        this.expected = expected;
        this.listener = listener;
    }

    @Override
    public void line(String line, double seconds, double cpu) {
        if (boot.isEmpty() && line.contains(INIT)) {
            boot = Optional.of(new Repetition(seconds, cpu, seconds, ""));
            finish(Program.BOOT.name(), boot.stream().toList());
            return;
        }
        Matcher begin = BEGIN.matcher(line);
        if (begin.matches()) {
            current = begin.group(1);
            programs.put(current, new ArrayList<>());
            from(seconds, cpu, begin.group(2));
            return;
        }
        Matcher enough = ENOUGH.matcher(line);
        if (enough.matches() && enough.group(1).equals(current)) {
            finish(current, programs.getOrDefault(current, List.of()));
            return;
        }
        Matcher done = DONE.matcher(line);
        if (done.matches() && done.group(1).equals(current)) {
            repetition(done, seconds, cpu);
        }
    }

    private void repetition(Matcher done, double seconds, double cpu) {
        List<Repetition> repetitions = programs.getOrDefault(current, List.of());
        if (Integer.parseInt(done.group(2)) != repetitions.size() + 1) {
            current = ""; // a line is lost; what follows would be measured from the wrong one
            return;
        }
        repetitions.add(
                new Repetition(
                        seconds - since,
                        cpu - cpuSince,
                        Double.parseDouble(done.group(4)) - guestSince,
                        done.group(3)));
        from(seconds, cpu, done.group(4));
        if (repetitions.size() == expected) {
            finish(current, repetitions);
        }
    }

    private void finish(String program, List<Repetition> repetitions) {
        finished.add(program);
        listener.finished(program, List.copyOf(repetitions));
    }

    /** Whether a program did all its repetitions, or as many as its time allowed. */
    boolean isFinished(Program program) {
        return finished.contains(program.name());
    }

    private void from(double seconds, double cpu, String guestSeconds) {
        since = seconds;
        cpuSince = cpu;
        guestSince = Double.parseDouble(guestSeconds);
    }

    /** What a program did, in order; empty when it did not run. */
    List<Repetition> of(Program program) {
        return program.equals(Program.BOOT)
                ? boot.stream().toList()
                : List.copyOf(programs.getOrDefault(program.name(), List.of()));
    }
}
