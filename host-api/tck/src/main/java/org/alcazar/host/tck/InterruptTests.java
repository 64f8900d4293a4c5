package org.alcazar.host.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostInterrupts.Registration;
import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Interrupt lines; what they do can be seen where {@link HostInterruptPins} raise them. */
abstract class InterruptTests extends TimerTests {
    private HostInterrupts interrupts() {
        return host().interrupts();
    }

    private HostInterruptPins pins() {
        var pins = host().find(HostInterruptPins.class);
        assumeTrue(pins.isPresent(), "a host may have no way to raise its lines");
        assertTrue(interrupts().lines() > 0, "pins of no lines");
        return pins.orElseThrow();
    }

    private void awaitCount(AtomicInteger count, int wanted) {
        until(() -> count.get() >= wanted, "interrupt " + wanted);
    }

    /** Raises a line and waits for its handler: what was to come before has come then. */
    private void awaitOther(HostInterruptPins pins, int line) throws HostRefusal {
        CountDownLatch served = new CountDownLatch(1);
        try (Registration _ = interrupts().hook(line, served::countDown)) {
            pins.raise(line);
            await(served, "an interrupt");
            interrupts().acknowledge(line);
        }
    }

    @Test
    void linesThatAreNotThereAreRefused() {
        int lines = interrupts().lines();
        assertTrue(lines >= 0);
        for (int line : new int[] {-1, lines, Integer.MAX_VALUE}) {
            refused(() -> interrupts().hook(line, () -> {}));
        }
    }

    @Test
    void aLineBelongsToOneUntilItIsGivenBack() throws HostRefusal {
        List<Registration> all = new ArrayList<>();
        for (int line = 0; line < Math.min(interrupts().lines(), 8); line++) {
            int taken = line;
            all.add(interrupts().hook(line, () -> {}));
            refused(() -> interrupts().hook(taken, () -> {}));
        }
        all.forEach(Registration::close);
        for (int line = 0; line < all.size(); line++) {
            Registration again = interrupts().hook(line, () -> {});
            all.get(line).close(); // the old one a second time: takes nothing from the new one
            int taken = line;
            refused(() -> interrupts().hook(taken, () -> {}));
            again.close();
        }
    }

    @Test
    void aHandlerRunsOnceForEachInterrupt() throws HostRefusal {
        HostInterruptPins pins = pins();
        AtomicInteger served = new AtomicInteger();
        try (Registration _ = interrupts().hook(0, served::incrementAndGet)) {
            for (int i = 1; i <= 100; i++) {
                pins.raise(0);
                awaitCount(served, i);
                interrupts().acknowledge(0);
            }
            if (interrupts().lines() > 1) {
                awaitOther(pins, 1);
            }
        }
        assertEquals(100, served.get());
    }

    @Test
    void aLineRaisedAgainBeforeItsAcknowledgementIsRememberedOnce() throws HostRefusal {
        HostInterruptPins pins = pins();
        AtomicInteger served = new AtomicInteger();
        try (Registration _ = interrupts().hook(0, served::incrementAndGet)) {
            pins.raise(0);
            awaitCount(served, 1);
            for (int i = 0; i < 10; i++) {
                pins.raise(0);
            }
            if (interrupts().lines() > 1) {
                awaitOther(pins, 1); // another line is not held back
            }
            assertEquals(1, served.get(), "not acknowledged yet");
            interrupts().acknowledge(0);
            awaitCount(served, 2);
            interrupts().acknowledge(0);
            interrupts().acknowledge(0); // of nothing
            pins.raise(0);
            awaitCount(served, 3);
            interrupts().acknowledge(0);
            if (interrupts().lines() > 1) {
                awaitOther(pins, 1);
            }
            assertEquals(3, served.get());
        }
    }

    @Test
    void aHandlerMayAcknowledgeItself() throws HostRefusal {
        HostInterruptPins pins = pins();
        AtomicInteger served = new AtomicInteger();
        Runnable handler =
                () -> {
                    interrupts().acknowledge(0);
                    served.incrementAndGet();
                };
        try (Registration _ = interrupts().hook(0, handler)) {
            for (int i = 1; i <= 50; i++) {
                pins.raise(0);
                awaitCount(served, i);
            }
        }
    }

    @Test
    void nothingIsServedWithoutAHookOrAfterIt() throws HostRefusal {
        HostInterruptPins pins = pins();
        pins.raise(0); // nobody has hooked it
        AtomicInteger served = new AtomicInteger();
        Registration first = interrupts().hook(0, served::incrementAndGet);
        pins.raise(0);
        awaitCount(served, 1);
        interrupts().acknowledge(0);
        first.close();
        pins.raise(0);
        AtomicInteger next = new AtomicInteger();
        try (Registration _ = interrupts().hook(0, next::incrementAndGet)) {
            pins.raise(0);
            awaitCount(next, 1);
            interrupts().acknowledge(0);
            pins.raise(0);
            awaitCount(next, 2);
            interrupts().acknowledge(0);
        }
        assertEquals(1, served.get());
        assertEquals(2, next.get(), "what was raised before it was hooked is not its own");
    }

    @Test
    void aHookIsClosedWhenItsHandlerRunsNoMore() throws HostRefusal {
        HostInterruptPins pins = pins();
        for (int round = 0; round < 20; round++) {
            CountDownLatch entered = new CountDownLatch(1);
            AtomicBoolean closing = new AtomicBoolean();
            AtomicBoolean left = new AtomicBoolean();
            Runnable handler =
                    () -> {
                        entered.countDown();
                        for (int i = 0; i < 1000 || !closing.get(); i++) {
                            Thread.yield(); // long enough for a close that does not wait
                        }
                        left.set(true);
                    };
            Registration hook = interrupts().hook(0, handler);
            pins.raise(0);
            await(entered, "an interrupt");
            closing.set(true);
            hook.close();
            assertTrue(left.get(), "the handler may use what its owner drops after the close");
        }
    }

    @Test
    void aHandlerMayCloseItsOwnHook() throws HostRefusal {
        HostInterruptPins pins = pins();
        AtomicReference<Registration> hook = new AtomicReference<>();
        CountDownLatch hooked = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        Runnable handler =
                () -> {
                    await(hooked, "its hook");
                    hook.get().close();
                    closed.countDown();
                };
        hook.set(interrupts().hook(0, handler));
        pins.raise(0);
        hooked.countDown();
        await(closed, "the close");
        interrupts().hook(0, () -> {}).close();
    }

    @Test
    void linesAreRaisedFromSeveralThreads() throws HostRefusal {
        HostInterruptPins pins = pins();
        int lines = Math.min(interrupts().lines(), 4);
        together(
                lines,
                line -> {
                    AtomicInteger served = new AtomicInteger();
                    try (Registration _ = interrupts().hook(line, served::incrementAndGet)) {
                        for (int i = 1; i <= 100; i++) {
                            pins.raise(line);
                            awaitCount(served, i);
                            interrupts().acknowledge(line);
                        }
                    }
                    assertEquals(100, served.get());
                });
    }

    @Test
    void aMissingPinIsAnError() {
        HostInterruptPins pins = pins();
        for (int line : new int[] {-1, interrupts().lines(), Integer.MAX_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> pins.raise(line));
        }
    }
}
