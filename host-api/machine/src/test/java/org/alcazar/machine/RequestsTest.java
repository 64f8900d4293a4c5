package org.alcazar.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

class RequestsTest {
    private final Requests requests = new Requests();

    @Test
    void bitsStayUntilTheyAreTaken() {
        requests.post(Requests.KICK | Requests.NMI);
        requests.post(Requests.KICK);
        assertEquals(Requests.KICK | Requests.NMI, requests.pending());
        assertEquals(Requests.KICK, requests.take(Requests.KICK | Requests.INIT));
        assertEquals(Requests.NMI, requests.pending());
        assertEquals(0, requests.take(Requests.KICK));
        assertEquals(Requests.NMI, requests.take(-1));
        assertEquals(0, requests.pending());
    }

    @Test
    void everyRequestHasItsOwnBit() {
        int all =
                Requests.KICK
                        | Requests.INTERRUPT
                        | Requests.NMI
                        | Requests.INIT
                        | Requests.STARTUP
                        | Requests.ENGINE;
        assertEquals(6, Integer.bitCount(all));
    }

    /** The poster waits for each of its bits to be taken: a lost or doubled one shows at once. */
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void noRequestOfTwoThreadsIsLostOrDoubled() throws InterruptedException {
        int rounds = 50_000;
        AtomicInteger kicks = new AtomicInteger();
        AtomicInteger interrupts = new AtomicInteger();
        Thread kicker = poster(Requests.KICK, rounds, kicks);
        Thread interrupter = poster(Requests.INTERRUPT, rounds, interrupts);
        while (kicker.isAlive() || interrupter.isAlive() || requests.pending() != 0) {
            int kick = requests.take(Requests.KICK);
            if (kick != 0) {
                kicks.incrementAndGet();
            }
            if (requests.take(Requests.INTERRUPT) != 0) {
                interrupts.incrementAndGet();
            }
            Thread.onSpinWait();
        }
        kicker.join();
        interrupter.join();
        assertEquals(rounds, kicks.get());
        assertEquals(rounds, interrupts.get());
    }

    private Thread poster(int bit, int rounds, AtomicInteger taken) {
        return Thread.ofPlatform()
                .daemon()
                .start(() -> {
                    for (int i = 0; i < rounds; i++) {
                        requests.post(bit);
                        while (taken.get() <= i) {
                            Thread.yield();
                        }
                    }
                });
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void whoSeesAStartUpSeesItsVector() throws InterruptedException {
        Thread poster =
                Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                            for (int i = 1; i <= 10_000; i++) {
                                while (requests.pending() != 0) {
                                    Thread.yield();
                                }
                                requests.postStartup(i);
                            }
                        });
        for (int i = 1; i <= 10_000; ) {
            if ((requests.pending() & Requests.STARTUP) != 0) {
                assertEquals(i, requests.startupVector());
                requests.take(Requests.STARTUP);
                i++;
            } else {
                Thread.yield();
            }
        }
        poster.join();
    }
}
