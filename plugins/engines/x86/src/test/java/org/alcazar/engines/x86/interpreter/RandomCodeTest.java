package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.EngineProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * Random bytes as code, in every mode, with random registers, descriptors, gates, page tables,
 * breakpoints, intercepts, replies, interrupts and budgets, on guest memory under a second level
 * that maps a small part of the host's.
 *
 * <p>{@code -Dalcazar.random.rounds=N} or {@code -Dalcazar.random.minutes=N} say how long, {@code
 * -Dalcazar.random.seed=N} where to begin; a round depends on nothing but its seed.
 */
class RandomCodeTest {
    private static final long MINUTES = Long.getLong("alcazar.random.minutes", 0);
    private static final long SEED = Long.getLong("alcazar.random.seed", 1);

    /** Everything else than the guest's RAM is looked at every so many rounds. */
    private static final int LOOK = 500;

    private static final long CANARY_SEED = 0x5eed;

    private static final Set<RandomGuest.Mode> SEGMENTED =
            EnumSet.range(RandomGuest.Mode.REAL, RandomGuest.Mode.PROTECTED_32);

    private final Map<RandomGuest.Mode, Long> inRegions = new EnumMap<>(RandomGuest.Mode.class);

    /** Rounds, unless the system property says another number. */
    long usual() {
        return 1500;
    }

    @BeforeAll
    static void reserve() {
        TestMemory.reserve();
    }

    @Test
    @DisplayName("random bytes as code, in any mode, stay in the guest and always come back")
    void randomBytesNeverBreakTheEngine() {
        long rounds = Long.getLong("alcazar.random.rounds", usual());
        fillOutside();
        long before = outside();
        Map<RandomGuest.Mode, long[]> reached = new EnumMap<>(RandomGuest.Mode.class);
        long end = System.nanoTime() + MINUTES * 60_000_000_000L;
        long round = 0;
        try (Metronome ignored = new Metronome()) {
            while (MINUTES > 0 ? System.nanoTime() < end : round < rounds) {
                long seed = SEED + round;
                run(seed, ignored, reached);
                if (++round % LOOK == 0) {
                    assertEquals(before, outside(), "memory outside, before seed " + (seed + 1));
                }
            }
        }
        assertEquals(before, outside());
        assertEquals(Math.min(round, RandomGuest.Mode.values().length), reached.size());
        reached.forEach((mode, counts) -> {
            assertTrue(counts[0] > 0, mode.name());
            System.out.printf(
                    "%-12s %9d rounds %12d instructions %10d exits %9d died %4d kicked%n",
                    mode, counts[0], counts[1], counts[2], counts[3], counts[4]);
        });
    }

    private static void run(long seed, Metronome metronome, Map<RandomGuest.Mode, long[]> reached) {
        Random random = new Random(seed * 0x9e37_79b9_7f4a_7c15L);
        RandomGuest.Mode[] modes = RandomGuest.Mode.values();
        RandomGuest.Mode mode = modes[Math.floorMod(seed, modes.length)];
        boolean shadowed = Math.floorMod(seed / modes.length, 3) == 1;
        try (RandomGuest guest = new RandomGuest(random, mode, shadowed)) {
            metronome.drive(guest.block.requests());
            guest.run();
            long[] counts = reached.computeIfAbsent(mode, m -> new long[5]);
            counts[0]++;
            counts[1] += guest.block.retired;
            counts[2] += guest.exits;
            counts[3] += guest.died ? 1 : 0;
            counts[4] += guest.kicks;
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    "-Dalcazar.random.rounds=1 -Dalcazar.random.seed=" + seed + ": " + mode, e);
        }
    }

    private static void fillOutside() {
        Random random = new Random(CANARY_SEED);
        byte[] page = new byte[1 << 16];
        for (long at = 0; at < TestMemory.BYTES; at += page.length) {
            random.nextBytes(page);
            HostRam.write(at, page, 0, page.length);
        }
        RandomGuest.mapSecondLevel();
    }

    /** Checksum of all but the guest's RAM. */
    private static long outside() {
        CRC32C sum = new CRC32C();
        sum.update(HostRam.slice(0, RandomGuest.HOST).asByteBuffer());
        long after = RandomGuest.END;
        sum.update(HostRam.slice(after, TestMemory.BYTES - after).asByteBuffer());
        return sum.getValue();
    }

    @Test
    @DisplayName("a round is repeated exactly by its seed")
    void aRoundDependsOnItsSeedAlone() {
        fillOutside();
        EngineProvider engine = TestEngines.provider();
        for (long seed = 1; seed < 60; seed++) {
            boolean shadowed = seed % 2 == 0;
            long[] once = state(seed, shadowed, engine);
            assertTrue(Arrays.equals(once, state(seed, shadowed, engine)), "seed " + seed);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("a round comes to the same with and without translation, under shadow tables too")
    void aRoundDependsOnNoEngine(boolean shadowed) {
        fillOutside();
        inRegions.clear();
        for (long seed = 1; seed < 60; seed++) {
            long[] interpreted = state(seed, shadowed, TestEngines.provider(false));
            long[] translated = state(seed, shadowed, TestEngines.provider(true));
            assertTrue(Arrays.equals(interpreted, translated), "seed " + seed);
        }
        for (RandomGuest.Mode mode : SEGMENTED) {
            assertTrue(inRegions.get(mode) > 0, mode.name());
        }
    }

    private long[] state(long seed, boolean shadowed, EngineProvider engine) {
        Random random = new Random(seed);
        RandomGuest.Mode[] modes = RandomGuest.Mode.values();
        RandomGuest.Mode mode = modes[(int) seed % modes.length];
        try (RandomGuest guest = new RandomGuest(random, mode, shadowed, engine)) {
            guest.run();
            inRegions.merge(mode, guest.translated(), Long::sum);
            long[] general = guest.group(X86.GENERAL).clone();
            long[] all = Arrays.copyOf(general, general.length + 2);
            all[general.length] = guest.block.retired;
            CRC32C sum = new CRC32C();
            sum.update(HostRam.slice(RandomGuest.HOST, RandomGuest.BYTES).asByteBuffer());
            all[general.length + 1] = sum.getValue();
            return all;
        }
    }
}
