package org.alcazar.engines.x86.translator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.state.CpuModel;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;

/** The translator's thread. */
class BackgroundTest {
    private final Background background =
            new Background(new RegionTranslator(OpcodeTable.standard(), 10, false), CpuModel.MAX);

    /** mov $value,%eax; ret. */
    private static Candidate candidate(int value) {
        byte[] code = {(byte) 0xb8, (byte) value, 0, 0, 0, (byte) 0xc3};
        return new Candidate(64, List.of(new Candidate.Piece(0x40_0000, code, 2, new long[0])));
    }

    @Test
    void whatIsAskedForComes() throws ExecutionException, InterruptedException {
        CompletableFuture<Translation> answer = new CompletableFuture<>();
        background.translate(candidate(1), () -> 0, answer::complete);
        assertEquals(2, Objects.requireNonNull(answer.get()).instructions());
        background.close();
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
