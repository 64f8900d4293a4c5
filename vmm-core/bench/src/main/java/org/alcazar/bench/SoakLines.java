package org.alcazar.bench;

import java.util.Optional;

/**
 * The two streams between the load in {@code guests/soak} and this machine, whose README has their
 * form: makes the lines that go in and checks those that come out, to the byte. Safe from two
 * threads, one for each direction.
 */
final class SoakLines {
    /** Bytes of a line, its end included. */
    static final int IN = 44, OUT = 53;

    private static final long UNSIGNED = 0xffff_ffffL;

    private long sent;
    private long received;
    private long confirmed;

    /** A number without pattern for each argument (splitmix64). */
    private static long scramble(long number) {
        long x = number + 0x9e3779b97f4a7c15L;
        x = (x ^ x >>> 30) * 0xbf58476d1ce4e5b9L;
        x = (x ^ x >>> 27) * 0x94d049bb133111ebL;
        return x ^ x >>> 31;
    }

    /** The next line to send, without its end; the last asks the guest to come to an end. */
    synchronized String next(boolean last) {
        long number = sent++;
        return "%s %08x %016x%016x"
                .formatted(last ? "q" : "i", number, scramble(number), scramble(~number));
    }

    /** Takes the next line, without its end. @return what is wrong with it */
    synchronized Optional<String> take(String line) {
        Optional<Long> tells = confirmedBy(line);
        long now = tells.orElse(-1L);
        long both = now << 32 | received & UNSIGNED;
        String right =
                "o %08x %08x %016x%016x".formatted(received, now, scramble(both), scramble(~both));
        if (now < confirmed || now > sent || !line.equals(right)) {
            return Optional.of("line %d came out as '%s'".formatted(received, line));
        }
        received++;
        confirmed = now;
        notifyAll();
        return Optional.empty();
    }

    /** How many lines have come in, as a line says. */
    private static Optional<Long> confirmedBy(String line) {
        return line.matches("o [0-9a-f]{8} [0-9a-f]{8} .*")
                ? Optional.of(Long.parseLong(line.substring(11, 19), 16))
                : Optional.empty();
    }

    /** Waits until fewer lines than a limit are on their way to the guest. */
    synchronized void awaitRoom(int limit) throws InterruptedException {
        while (sent - confirmed >= limit) {
            wait();
        }
    }

    /** Lines that went in. */
    synchronized long sent() {
        return sent;
    }

    /** Lines that came out. */
    synchronized long received() {
        return received;
    }
}
