package org.alcazar.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What one run of the guest {@code linux-soak} has shown. */
final class SoakRun {
    /** What nobody wants to see in the kernel's log. */
    private static final Pattern COMPLAINT =
            Pattern.compile(
                    "\\bBUG\\b|WARNING|panic|\\bOops\\b|Call Trace|lockup|\\bstall|hung task"
                            + "|blocked for more than|nobody cared|lost interrupt|spurious"
                            + "|unhandled|unexpected|unstable|skew|time went backwards|overrun"
                            + "|unable to read current time|rtc_cmos.*(fail|miss|error)"
                            + "|too much work|ttyS0: .*(error|overflow)|timed? ?out\\b",
                    Pattern.CASE_INSENSITIVE);

    private static final Pattern TIME = Pattern.compile("^\\[ *[0-9.]+\\] ");
    private static final Pattern SERIAL_ERRORS = Pattern.compile("\\b(fe|pe|brk|oe|bo):\\d+");
    private static final double NANOS = 1e9;

    /**
     * A look at the JVM's memory.
     *
     * @param swaps of each bundle until then
     */
    record Look(int swaps, double seconds, Footprint memory) {}

    private final SoakGuest guest;
    private final List<Look> looks = new ArrayList<>();
    private long begin;

    SoakRun(SoakGuest guest) {
        this.guest = guest;
    }

    /** The load begins now. */
    void begin() {
        begin = System.nanoTime();
    }

    /** Seconds since the load's begin. */
    double seconds() {
        return (System.nanoTime() - begin) / NANOS;
    }

    /** Looks at the JVM's memory. @return when it did, in seconds since the load's begin */
    double look(int swaps) throws IOException, InterruptedException {
        double seconds = seconds();
        looks.add(new Look(swaps, seconds, Footprint.of(guest.pid())));
        return seconds;
    }

    List<Look> looks() {
        return looks;
    }

    /** A figure that the guest has counted; NaN if it did not tell. */
    double counted(String name) {
        String text = guest.report().getOrDefault(name, "");
        return text.matches("\\d+") ? Double.parseDouble(text) : Double.NaN;
    }

    long bytesIn() {
        return guest.lines().sent() * SoakLines.IN;
    }

    long bytesOut() {
        return guest.lines().received() * SoakLines.OUT;
    }

    /** What the streams' two ends and the guest's other processes found wrong. */
    List<String> wrong() {
        List<String> wrong = new ArrayList<>(guest.wrong());
        if (counted("lines-in") != guest.lines().sent()) {
            wrong.add(
                    "%d lines went in, the guest has %.0f"
                            .formatted(guest.lines().sent(), counted("lines-in")));
        }
        if (counted("lines-out") != guest.lines().received()) {
            wrong.add(
                    "the guest sent %.0f lines, %d came out"
                            .formatted(counted("lines-out"), guest.lines().received()));
        }
        String serial = guest.report().getOrDefault("serial", "nothing");
        if (SERIAL_ERRORS.matcher(serial).find() || !serial.contains("tx:")) {
            wrong.add("the serial port's driver tells of '" + serial + "'");
        }
        return wrong;
    }

    /** Lines of the kernel's log that complain, without their time. */
    List<String> complaints() {
        return guest.log().stream()
                .filter(line -> COMPLAINT.matcher(line).find())
                .map(line -> TIME.matcher(line).replaceFirst(""))
                .toList();
    }

    Map<String, Object> tree() {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("bytes-in", bytesIn());
        tree.put("bytes-out", bytesOut());
        tree.put("wrong", wrong());
        tree.put("complaints", complaints());
        tree.put("guest", guest.report());
        List<Object> memory = new ArrayList<>();
        for (Look look : looks) {
            memory.add(
                    Map.of(
                            "swaps", look.swaps(),
                            "seconds", look.seconds(),
                            "heap-bytes", look.memory().heap(),
                            "metaspace-bytes", look.memory().metaspace(),
                            "classes", look.memory().classes(),
                            "bundle-loaders", look.memory().loaders()));
        }
        tree.put("memory", memory);
        return tree;
    }
}
