package org.alcazar.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StandstillTest {
    private static final int ROUNDS = 2000, SPINS = 50;

    private final Standstill standstill = new Standstill();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean over;

    /** Not atomic: only what the standstill excludes keeps it true. */
    private long count;

    private final class TestCore implements Runnable {
        final Requests requests = new Requests();
        final Standstill.Party party = standstill.join(requests);
        final Runnable block;
        volatile long blocks;

        TestCore(Runnable block) {
            this.block = block;
            Thread thread = new Thread(this);
            threads.add(thread);
        }

        @Override
        @SuppressWarnings("NonAtomicOperationOnVolatileField") // only this thread writes
        public void run() {
            party.go();
            while (!over) {
                block.run();
                blocks++;
                if (requests.take(Requests.ENGINE) != 0) {
                    party.pause();
                }
            }
            party.stand();
        }
    }

    private void start() {
        threads.forEach(Thread::start);
    }

    private void finish() throws InterruptedException {
        over = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void increment(int times) {
        for (int i = 0; i < times; i++) {
            standstill.begin();
            long seen = count;
            Thread.onSpinWait();
            count = seen + 1;
            standstill.end();
        }
    }

    @Test
    void nobodyMovesDuringAStandstillAndAllGoOnAfterIt() throws InterruptedException {
        TestCore a = new TestCore(Thread::onSpinWait);
        TestCore b = new TestCore(Thread::onSpinWait);
        start();
        for (int i = 0; i < ROUNDS; i++) {
            standstill.begin();
            long seenA = a.blocks;
            long seenB = b.blocks;
            // One may just say that it moves; it stands again before it does anything.
            for (int spin = 0; spin < SPINS; spin++) {
                Thread.onSpinWait();
            }
            assertEquals(seenA, a.blocks);
            assertEquals(seenB, b.blocks);
            standstill.end();
        }
        long before = a.blocks;
        while (a.blocks == before) {
            Thread.onSpinWait();
        }
        finish();
    }

    @Test
    void coresThatAllWantAStandstillGetItOneAfterTheOther() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            new TestCore(() -> increment(1));
        }
        start();
        increment(ROUNDS);
        over = true;
        for (Thread thread : threads) {
            thread.join();
        }
        long fromCores = count - ROUNDS;
        assertTrue(fromCores > 0);
        increment(1);
        assertEquals(ROUNDS + fromCores + 1, count);
    }

    @Test
    void incrementsAreNotLost() throws InterruptedException {
        CountDownLatch done = new CountDownLatch(3);
        for (int i = 0; i < 3; i++) {
            threads.add(
                    new Thread(() -> {
                        Standstill.Party party = standstill.join(new Requests());
                        party.go();
                        increment(ROUNDS);
                        party.stand();
                        done.countDown();
                    }));
        }
        start();
        done.await();
        finish();
        assertEquals(3 * ROUNDS, count);
    }

    @Test
    void coresThatBeginInsideADeviceAccessDoNotWaitForEachOther() throws InterruptedException {
        ReentrantLock guard = new ReentrantLock();
        List<TestCore> cores = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int n = i;
            cores.add(
                    new TestCore(() -> {
                        Standstill.Party party = cores.get(n).party;
                        party.stand();
                        guard.lock();
                        increment(1);
                        guard.unlock();
                        party.go();
                    }));
        }
        start();
        for (int i = 0; i < ROUNDS; i++) {
            guard.lock();
            increment(1);
            guard.unlock();
        }
        finish();
        assertEquals(ROUNDS + cores.get(0).blocks + cores.get(1).blocks, count);
    }

    @Test
    void aCoreOutsideIsNotWaitedForAndDoesNotGetInMeanwhile() throws InterruptedException {
        TestCore sleeper = new TestCore(Thread::onSpinWait);
        standstill.begin();
        threads.getFirst().start();
        while (threads.getFirst().getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        assertEquals(0, sleeper.blocks);
        standstill.end();
        while (sleeper.blocks == 0) {
            Thread.onSpinWait();
        }
        finish();
    }

    @Test
    void standstillsNestAndDeviceAccessesWithinDoNotWait() {
        Standstill.Party party = standstill.join(new Requests());
        party.go();
        standstill.begin();
        assertFalse(party.moves());
        standstill.begin();
        standstill.end();
        Standstill.Party other = standstill.join(new Requests());
        other.go();
        other.stand();
        standstill.end();
        assertTrue(party.moves());
        party.leave();
        assertFalse(party.moves());
    }
}
