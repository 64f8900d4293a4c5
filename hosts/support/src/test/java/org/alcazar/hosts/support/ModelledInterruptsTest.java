package org.alcazar.hosts.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostInterrupts.Registration;
import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Lines, raised and acknowledged; the test itself is the thread that hears of them. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ModelledInterruptsTest {
    private final Deque<Integer> under = new ArrayDeque<>();
    private final ModelledInterrupts interrupts = new ModelledInterrupts("h", 4, under::add);
    private final AtomicInteger handled = new AtomicInteger();

    private void deliverAll() {
        while (!under.isEmpty()) {
            interrupts.deliver(under.remove());
        }
    }

    @Test
    void aRaisedLineInterruptsOnce() throws HostRefusal {
        interrupts.hook(1, handled::incrementAndGet);
        interrupts.raise(1);
        deliverAll();
        assertEquals(1, handled.get());
        interrupts.acknowledge(1);
        deliverAll();
        assertEquals(1, handled.get());
    }

    @Test
    void whatIsRaisedBeforeTheAcknowledgeIsRememberedOnce() throws HostRefusal {
        interrupts.hook(1, handled::incrementAndGet);
        for (int i = 0; i < 5; i++) {
            interrupts.raise(1);
        }
        deliverAll();
        assertEquals(1, handled.get(), "masked until it is acknowledged");
        interrupts.raise(1);
        interrupts.acknowledge(1);
        deliverAll();
        assertEquals(2, handled.get());
        interrupts.acknowledge(1);
        deliverAll();
        assertEquals(2, handled.get());
    }

    @Test
    void aHandlerMayAcknowledgeItsOwnLine() throws HostRefusal {
        interrupts.hook(
                0,
                () -> {
                    if (handled.incrementAndGet() < 3) {
                        interrupts.raise(0);
                    }
                    interrupts.acknowledge(0);
                });
        interrupts.raise(0);
        deliverAll();
        assertEquals(3, handled.get());
    }

    @Test
    void anAcknowledgeOfAnInterruptUnderWayLosesNothing() throws HostRefusal {
        interrupts.hook(2, handled::incrementAndGet);
        interrupts.raise(2);
        interrupts.acknowledge(2);
        interrupts.raise(2);
        deliverAll();
        interrupts.acknowledge(2);
        deliverAll();
        assertEquals(2, handled.get());
    }

    @Test
    void nobodyHearsOfALineThatIsNotHooked() throws HostRefusal {
        interrupts.raise(3);
        Registration hook = interrupts.hook(3, handled::incrementAndGet);
        deliverAll();
        interrupts.raise(3);
        interrupts.raise(3);
        hook.close();
        interrupts.hook(3, handled::incrementAndGet);
        deliverAll();
        interrupts.acknowledge(3);
        deliverAll();
        assertEquals(0, handled.get(), "it was raised for somebody else");
        hook.close();
        interrupts.raise(3);
        deliverAll();
        assertEquals(1, handled.get(), "an old hook closes nobody else's");
    }

    @Test
    void linesAreHookedOnceAndOnlyIfTheyAreThere() throws HostRefusal {
        interrupts.hook(0, () -> {});
        assertEquals(
                "host h: interrupt line 0 is hooked already; close that hook first",
                assertThrows(HostRefusal.class, () -> interrupts.hook(0, () -> {})).getMessage());
        assertEquals(
                "host h: interrupt line 4 does not exist; there are 0 to 3",
                assertThrows(HostRefusal.class, () -> interrupts.hook(4, () -> {})).getMessage());
        assertThrows(IllegalArgumentException.class, () -> interrupts.raise(4));
        assertThrows(IllegalArgumentException.class, () -> interrupts.raise(-1));
    }

    @Test
    void aHandlerThatFailsFailsAlone() throws HostRefusal {
        interrupts.hook(
                0,
                () -> {
                    if (handled.incrementAndGet() == 1) {
                        throw new AssertionError("as the test wants");
                    }
                    throw new IllegalStateException("as the test wants");
                });
        interrupts.raise(0);
        deliverAll();
        interrupts.acknowledge(0);
        interrupts.raise(0);
        deliverAll();
        assertEquals(2, handled.get());
    }

    @Test
    void closingWaitsForTheHandler() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean ended = new AtomicBoolean();
        Registration hook =
                interrupts.hook(
                        0,
                        () -> {
                            inside.countDown();
                            try {
                                go.await();
                            } catch (InterruptedException e) {
                                return;
                            }
                            ended.set(true);
                        });
        interrupts.raise(0);
        Thread host = Thread.ofPlatform().start(this::deliverAll);
        inside.await();
        AtomicBoolean endedBefore = new AtomicBoolean();
        Thread closer =
                Thread.ofPlatform()
                        .start(() -> {
                            hook.close();
                            endedBefore.set(ended.get());
                        });
        while (closer.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        go.countDown();
        closer.join();
        host.join();
        assertTrue(endedBefore.get());
    }
}
