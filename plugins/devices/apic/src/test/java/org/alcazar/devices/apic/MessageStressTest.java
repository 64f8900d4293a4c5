package org.alcazar.devices.apic;

import static org.alcazar.devices.apic.Registers.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Requests;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.platforms.pc.api.PcLayout;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.testkit.device.StubVcore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Cores on threads of their own that send each other messages as fast as they can. Each keeps one
 * interrupt under way to each other core, so that none may merge with the next: as many have to
 * arrive as were sent. A lost one stops its sender for good.
 */
@Timeout(120)
class MessageStressTest {
    private static final int CORES = 4;
    private static final int ROUNDS = 3_000;

    private final StubVcore[] cores = new StubVcore[CORES];
    private final LocalApic[] each = new LocalApic[CORES];
    private final Apics apics = new Apics();

    /** Interrupts under way, at CORES times the sender plus the receiver. */
    private final AtomicIntegerArray underWay = new AtomicIntegerArray(CORES * CORES);

    private final AtomicIntegerArray received = new AtomicIntegerArray(CORES * CORES);
    private final AtomicInteger nmisTaken = new AtomicInteger();
    private final AtomicInteger busy = new AtomicInteger(CORES);
    private final AtomicBoolean failed = new AtomicBoolean();

    MessageStressTest() {
        for (int i = 0; i < CORES; i++) {
            cores[i] = new StubVcore(i);
            each[i] =
                    new LocalApic(
                            i,
                            cores[i],
                            new ManualClock(),
                            LocalApic.ExternalInterrupts.ABSENT,
                            apics,
                            false);
            apics.add(each[i]);
        }
    }

    private static int vector(int sender) {
        return 0x30 + (sender << 4);
    }

    /** One core's life: it takes what comes, and sends to all cores, itself included. */
    private void core(int self, boolean wide) {
        int[] left = new int[CORES];
        java.util.Arrays.fill(left, ROUNDS);
        int toSend = ROUNDS * CORES;
        while (toSend > 0 || busy.get() > 0) {
            takeAll(self);
            for (int to = 0; to < CORES && toSend > 0; to++) {
                if (left[to] > 0 && underWay.compareAndSet(self * CORES + to, 0, 1)) {
                    send(self, to, wide, left[to]);
                    left[to]--;
                    if (--toSend == 0) {
                        busy.decrementAndGet();
                    }
                }
            }
            if (failed.get() || Thread.currentThread().isInterrupted()) {
                return;
            }
            Thread.yield();
        }
        takeAll(self);
    }

    private void send(int self, int to, boolean wide, int round) {
        long vector = vector(self);
        boolean logical = (round & 1) != 0;
        if (wide) {
            long destination = logical ? 1L << to : to;
            each[self].writeWide(ICR_LOW, destination << 32 | (logical ? ICR_LOGICAL : 0) | vector);
        } else {
            each[self].write(ICR_HIGH, (logical ? 1 << to : to) << 24);
            each[self].write(ICR_LOW, (logical ? ICR_LOGICAL : 0) | (int) vector);
        }
        if ((round & 0xff) == 0) {
            apics.deliver(to, false, ApicBus.NMI, 0, false);
        }
    }

    private void takeAll(int self) {
        if (cores[self].take(Requests.NMI)) {
            nmisTaken.incrementAndGet();
        }
        while (cores[self].take(Requests.INTERRUPT)) {
            int vector = each[self].acknowledge();
            if (vector != InterruptSource.NONE) {
                int sender = vector - 0x30 >> 4;
                received.incrementAndGet(sender * CORES + self);
                if (each[self].wide()) {
                    each[self].writeWide(EOI, 0);
                } else {
                    each[self].write(EOI, 0);
                }
                underWay.set(sender * CORES + self, 0);
            }
        }
    }

    private void storm(boolean wide) throws InterruptedException, ExecutionException {
        for (int i = 0; i < CORES; i++) {
            each[i].write(SVR, SVR_ENABLE | 0xff);
            each[i].write(LDR, 1 << 24 + i);
            if (wide) {
                each[i].coreRegister(
                        X86.APIC_BASE, PcLayout.LOCAL_APIC | BASE_ENABLE | BASE_X2APIC);
            }
        }
        ExecutorService threads = Executors.newFixedThreadPool(CORES);
        try {
            List<Future<?>> ends = new ArrayList<>();
            for (int i = 0; i < CORES; i++) {
                int self = i;
                ends.add(threads.submit(() -> live(self, wide)));
            }
            for (Future<?> end : ends) {
                end.get();
            }
        } finally {
            threads.shutdownNow();
        }
        for (int i = 0; i < CORES * CORES; i++) {
            assertEquals(ROUNDS, received.get(i), "from " + i / CORES + " to " + i % CORES);
        }
        assertTrue(nmisTaken.get() > 0);
    }

    private void live(int self, boolean wide) {
        boolean ended = false;
        try {
            core(self, wide);
            ended = true;
        } finally {
            if (!ended) {
                failed.set(true);
            }
        }
    }

    @Test
    void noMessageIsLostOrDoubledInXapicMode() throws Exception {
        storm(false);
    }

    @Test
    void noMessageIsLostOrDoubledInX2apicMode() throws Exception {
        storm(true);
    }
}
