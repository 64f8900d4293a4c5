package org.alcazar.bench;

import org.alcazar.bench.Markers.Repetition;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * What all peers did in all rounds, and how they compare. A ratio is the peer's time over ours, so
 * that above 1 we are faster; that of a program is the median over the rounds.
 */
final class Results {
    /** Clocks of guest and machine may differ by this part, and so many seconds. */
    private static final double CLOCKS_AGREE = 0.05;

    private static final double CLOCKS_SECONDS = 0.1;

    /** The name under which the machine itself counts. */
    static final String NATIVE = "native";

    private final int warmUp;
    private final Map<String, String> checksums;
    private final Map<String, List<Markers>> rounds = new LinkedHashMap<>();

    /**
     * Creates an empty one.
     *
     * @param warmUp repetitions at the beginning that do not count
     * @param checksums the right ones, by program
     */
    Results(int warmUp, Map<String, String> checksums) {
        this.warmUp = warmUp;
        this.checksums = Map.copyOf(checksums);
    }

    /** A peer has done a round. */
    void add(String peer, Markers markers) {
        rounds.computeIfAbsent(peer, name -> new ArrayList<>()).add(markers);
    }

    /** Those that did a round. */
    Set<String> peers() {
        return rounds.keySet();
    }

    /** The rounds of a peer. */
    List<Markers> rounds(String peer) {
        return rounds.getOrDefault(peer, List.of());
    }

    /** Those repetitions that count: the later ones, or the last if there are not so many. */
    private List<Repetition> counted(Markers round, Program program) {
        List<Repetition> all = round.of(program);
        return all.subList(Math.max(0, Math.min(warmUp, all.size() - 1)), all.size());
    }

    /** Seconds for a repetition when warm, of all rounds. */
    Samples seconds(String peer, Program program) {
        return Samples.of(
                rounds(peer).stream()
                        .flatMap(round -> counted(round, program).stream())
                        .map(Repetition::seconds)
                        .toList());
    }

    /** A peer's time over ours when warm, one of each round in which both have finished. */
    Samples ratios(String peer, String ours, Program program) {
        return ratios(peer, ours, round -> median(round, program, Repetition::seconds));
    }

    /** The same of processor time, which others on this machine disturb less. */
    Samples cpuRatios(String peer, String ours, Program program) {
        return ratios(peer, ours, round -> median(round, program, Repetition::cpuSeconds));
    }

    /** The same of the first repetitions. */
    Samples coldRatios(String peer, String ours, Program program) {
        return ratios(
                peer,
                ours,
                round ->
                        round.of(program).stream()
                                .mapToDouble(Repetition::seconds)
                                .findFirst()
                                .orElse(Double.NaN));
    }

    private Samples ratios(String peer, String ours, ToDoubleFunction<Markers> time) {
        int both = Math.min(rounds(peer).size(), rounds(ours).size());
        return Samples.of(
                IntStream.range(0, both)
                        .mapToObj(i ->
                                time.applyAsDouble(rounds(peer).get(i))
                                        / time.applyAsDouble(rounds(ours).get(i)))
                        .filter(ratio -> Double.isFinite(ratio) && ratio > 0)
                        .toList());
    }

    private double median(Markers round, Program program, Function<Repetition, Double> time) {
        return Samples.of(counted(round, program).stream().map(time).toList()).median();
    }

    /** What is wrong with a program under a peer, or empty: not done, or a wrong checksum. */
    Optional<String> trouble(String peer, Program program) {
        for (Markers round : rounds(peer)) {
            List<Repetition> all = round.of(program);
            if (!round.isFinished(program)) {
                return Optional.of(
                        "%s: %s ended after %d repetitions"
                                .formatted(peer, program.name(), all.size()));
            }
            Optional<String> wrong =
                    all.stream()
                            .map(Repetition::checksum)
                            .filter(sum -> !Objects.equals(checksums.get(program.name()), sum))
                            .findFirst();
            if (wrong.isPresent() && !program.equals(Program.BOOT)) {
                return Optional.of(
                        "%s: %s has checksum %s instead of %s"
                                .formatted(
                                        peer,
                                        program.name(),
                                        wrong.get(),
                                        checksums.getOrDefault(program.name(), "(none is known)")));
            }
        }
        return Optional.empty();
    }

    /** A sentence when a guest's clock went faster or slower than this machine's, or empty. */
    Optional<String> clock(String peer, Program program) {
        List<Repetition> all =
                rounds(peer).stream().flatMap(round -> round.of(program).stream()).toList();
        double machine = all.stream().mapToDouble(Repetition::seconds).sum();
        double guest = all.stream().mapToDouble(Repetition::guestSeconds).sum();
        boolean agree =
                Math.abs(guest - machine) <= Math.max(CLOCKS_SECONDS, CLOCKS_AGREE * machine);
        return agree
                ? Optional.empty()
                : Optional.of(
                        "%s: the guest's clock counted %.2f s for %.2f s of %s"
                                .formatted(peer, guest, machine, program.name()));
    }
}
