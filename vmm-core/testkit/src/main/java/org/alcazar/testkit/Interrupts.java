package org.alcazar.testkit;

import org.junit.jupiter.api.Assertions;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The vectors that the vcores of a test's VM have taken from their interrupt controllers since the
 * VM was made or loaded here: what reached the guest, unlike the levels of lines. Exceptions,
 * software interrupts and non-maskable ones are none of them.
 */
public final class Interrupts {
    private static final int VECTORS = 256;

    private final VectorRecord[] records;

    Interrupts(int vcores) {
        records = new VectorRecord[vcores];
        Arrays.setAll(records, i -> new VectorRecord());
    }

    VectorRecord record(int vcore) {
        return records[vcore];
    }

    /**
     * How often a vector was delivered, to all vcores together. Any time.
     *
     * @param vector 0 to 255
     */
    public long delivered(int vector) {
        return Arrays.stream(records).mapToLong(record -> record.count(vector)).sum();
    }

    /** The same for one vcore, from 0. */
    public long delivered(int vcore, int vector) {
        return records[vcore].count(vector);
    }

    /** The last vectors of a vcore, at most 64, the oldest first; while the VM does not run. */
    public List<Integer> last(int vcore) {
        return records[vcore].last();
    }

    /** A vector was delivered so many times, to all vcores together. */
    public Interrupts assertDelivered(int vector, long count) {
        Assertions.assertEquals(
                count,
                delivered(vector),
                () -> "deliveries of vector 0x%x; all: %s".formatted(vector, this));
        return this;
    }

    /** A vcore's last vectors, the newest at the end, are these; while the VM does not run. */
    public Interrupts assertLast(int vcore, int... vectors) {
        List<Integer> last = last(vcore);
        Assertions.assertEquals(
                hex(Arrays.stream(vectors).boxed().toList()),
                hex(last.subList(Math.max(0, last.size() - vectors.length), last.size())),
                () -> "last vectors of vcore " + vcore);
        return this;
    }

    private static List<String> hex(List<Integer> vectors) {
        return vectors.stream().map(vector -> "0x" + Integer.toHexString(vector)).toList();
    }

    /** Which vectors were delivered how often, in one line. */
    @Override
    public String toString() {
        Map<Integer, Long> counts = new TreeMap<>();
        IntStream.range(0, VECTORS)
                .filter(vector -> delivered(vector) != 0)
                .forEach(vector -> counts.put(vector, delivered(vector)));
        return counts.isEmpty()
                ? "none"
                : counts.entrySet().stream()
                        .map(entry -> "0x%x x %d".formatted(entry.getKey(), entry.getValue()))
                        .collect(Collectors.joining(", "));
    }
}
