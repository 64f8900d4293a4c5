package org.alcazar.hosts.l4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Interrupts as IPC. */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InterruptsTest {
    @SuppressWarnings("NullAway.Init") // before each test
    private L4Host host;

    @BeforeEach
    void boot() throws HostRefusal {
        host = L4HostTest.open("memory=16M,interrupts=4");
    }

    @AfterEach
    void end() {
        host.close();
    }

    private HostInterruptPins pins() {
        return host.find(HostInterruptPins.class).orElseThrow();
    }

    @Test
    void aRaisedLineRunsItsHandlerOnceAndAgainAfterItsAcknowledgement() throws Exception {
        Semaphore ran = new Semaphore(0);
        AtomicInteger runs = new AtomicInteger();
        try (HostInterrupts.Registration _ =
                host.interrupts()
                        .hook(
                                2,
                                () -> {
                                    runs.incrementAndGet();
                                    ran.release();
                                })) {
            pins().raise(2);
            ran.acquire();
            pins().raise(2);
            pins().raise(2);
            pins().raise(3); // nobody's
            assertEquals(1, runs.get());
            host.interrupts().acknowledge(2);
            ran.acquire();
            assertEquals(2, runs.get(), "once however often it was asked for");
            host.interrupts().acknowledge(2);
            host.interrupts().acknowledge(2);
            pins().raise(2);
            ran.acquire();
            assertEquals(3, runs.get());
            assertEquals(3, host.kernel().primitives().counted(L4Primitive.INTERRUPT));
        }
    }

    @Test
    void aHandlerMayAcknowledgeRaiseAndClose() throws Exception {
        Semaphore ran = new Semaphore(0);
        HostInterrupts.Registration[] hook = new HostInterrupts.Registration[1];
        Semaphore hooked = new Semaphore(0);
        AtomicInteger runs = new AtomicInteger();
        hook[0] =
                host.interrupts()
                        .hook(
                                0,
                                () -> {
                                    hooked.acquireUninterruptibly();
                                    host.interrupts().acknowledge(0);
                                    if (runs.incrementAndGet() < 3) {
                                        pins().raise(0);
                                    } else {
                                        hook[0].close();
                                    }
                                    ran.release();
                                });
        pins().raise(0);
        hooked.release(3);
        ran.acquire(3);
        pins().raise(0);
        try (HostInterrupts.Registration _ = host.interrupts().hook(0, ran::release)) {
            pins().raise(0);
            ran.acquire();
        }
        assertEquals(3, runs.get());
    }

    @Test
    void linesThatDoNotExistAreRefused() {
        assertEquals(4, host.interrupts().lines());
        assertThrows(IllegalArgumentException.class, () -> pins().raise(4));
        assertThrows(IllegalArgumentException.class, () -> pins().raise(-1));
        HostRefusal refusal =
                assertThrows(HostRefusal.class, () -> host.interrupts().hook(9, () -> {}));
        assertEquals(
                "host l4: interrupt line 9 does not exist; there are 0 to 3", refusal.getMessage());
    }

    @Test
    void aHandlersThreadEndsWithItsHook() throws Exception {
        int before = host.kernel().threadsAlive();
        HostInterrupts.Registration hook = host.interrupts().hook(1, () -> {});
        assertEquals(before + 1, host.kernel().threadsAlive());
        hook.close();
        hook.close();
        while (host.kernel().threadsAlive() > before) {
            Thread.onSpinWait();
        }
    }
}
