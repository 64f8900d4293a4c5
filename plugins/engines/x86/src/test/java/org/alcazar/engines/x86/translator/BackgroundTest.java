package org.alcazar.engines.x86.translator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.state.CpuModel;
import org.junit.jupiter.api.Test;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;

/** The translator's thread. */
class BackgroundTest {
    private final Background background =
            new Background(new RegionTranslator(OpcodeTable.standard(), 10, false), CpuModel.MAX);

    /** mov $value,%eax; ret. */
    private static Candidate candidate(int value) {
        byte[] code = {(byte) 0xb8, (byte) value, 0, 0, 0, (byte) 0xc3};
        Candidate.Piece piece = new Candidate.Piece(0x40_0000, code, 2, new long[0]);
        return new Candidate(64, true, false, List.of(piece));
    }

    @Test
    void whatIsAskedForComes() throws ExecutionException, InterruptedException {
        CompletableFuture<Translation> answer = new CompletableFuture<>();
        background.translate(candidate(1), () -> 0, answer::complete);
        assertEquals(2, Objects.requireNonNull(answer.get()).instructions());
        background.close();
    }

    @Test
    void countersTellWhoWaitsAndHaveWaited() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch over = new CountDownLatch(1);
        CountDownLatch last = new CountDownLatch(1);
        background.translate(
                candidate(1),
                () -> 0,
                made -> {
                    begun.countDown();
                    wait(over);
                });
        begun.await();
        background.translate(candidate(2), () -> 2, made -> {});
        background.translate(candidate(3), () -> 1, made -> last.countDown());
        assertEquals(2, background.waiting());
        assertEquals(2, count("translation-queue"));
        over.countDown();
        last.await();
        assertEquals(0, count("translation-queue"));
        assertEquals(2, count("translation-queue-most"));
        assertEquals(3, count("translations"));
        background.close();
    }

    private static void wait(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private long count(String name) {
        Map<String, Long> all = new HashMap<>();
        background.count(all);
        return Objects.requireNonNull(all.get(name));
    }

    @Test
    void nothingRunsAfterItIsClosed() throws ExecutionException, InterruptedException {
        AtomicReference<Thread> worker = new AtomicReference<>();
        CompletableFuture<Thread> started = new CompletableFuture<>();
        background.translate(
                candidate(1),
                () -> 0,
                made -> {
                    worker.set(Thread.currentThread());
                    started.complete(Thread.currentThread());
                });
        for (int i = 2; i < 100; i++) {
            background.translate(candidate(i), () -> 0, made -> {});
        }
        started.get();
        background.close();
        assertFalse(Objects.requireNonNull(worker.get()).isAlive());
        CompletableFuture<Boolean> refused = new CompletableFuture<>();
        background.translate(candidate(1), () -> 0, made -> refused.complete(made == null));
        assertTrue(refused.getNow(false));
    }
}
