package org.alcazar.hosts.minix;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostInterruptPins;
import org.alcazar.host.HostPrimitives;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;

/** What messages cost and what servers refuse. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MessagesTest {
    private static long count(MinixHost host, String name) {
        return host.find(HostPrimitives.class).orElseThrow().counts().getOrDefault(name, -1L);
    }

    @Test
    void aCallIsTwoMessagesAndTheTimeAKernelCall() throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=16M")) {
            host.memory().free(host.memory().allocate(PageRequest.of("a", 1)));
            long messages = count(host, "message");
            long calls = count(host, "kernel-call");
            for (int i = 0; i < 100; i++) {
                assertTrue(host.clock().nanoTime() != 0);
            }
            assertEquals(messages + 200, count(host, "message"));
            assertEquals(calls + 100, count(host, "kernel-call"));
            assertEquals(1, count(host, "page-allocation"));
            assertEquals(1, count(host, "page-free"));
        }
    }

    @Test
    void messagesHaveMinixSizeAndEndpointsTheirGeneration() throws Exception {
        assertEquals(64, 2 * Integer.BYTES + Message.WORDS * Long.BYTES);
        try (MinixHost host = MinixHostTest.open("memory=16M,crash=vm:1")) {
            assertEquals((1 << 15) + 8, host.kernel().mailbox(ServerName.VM).endpoint());
            host.memory().free(host.memory().allocate(PageRequest.of("a", 1)));
            assertEquals((2 << 15) + 8, host.kernel().mailbox(ServerName.VM).endpoint());
        }
    }

    /** 30000 calls that made an object each would show by half a megabyte. */
    @Test
    void askingForTheTimeMakesNoGarbage() throws Exception {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (MinixHost host = MinixHostTest.open("memory=16M")) {
            long sum = 0;
            for (int i = 0; i < 10_000; i++) {
                sum += host.clock().nanoTime();
            }
            long before = allocated(threads);
            for (int i = 0; i < 30_000; i++) {
                sum += host.clock().nanoTime();
            }
            long bytes = allocated(threads) - before;
            assertTrue(sum != 0 && bytes < 200_000, bytes + " bytes");
        }
    }

    private static long allocated(com.sun.management.ThreadMXBean threads) {
        long bytes = threads.getCurrentThreadAllocatedBytes();
        for (long id : threads.getAllThreadIds()) {
            var info = threads.getThreadInfo(id);
            if (info != null && info.getThreadName().equals("minix-pm")) {
                bytes += threads.getThreadAllocatedBytes(id);
            }
        }
        return bytes;
    }

    @Test
    void aProcessGetsNoMoreThanItsLimit() throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=64M,process-memory=1M")) {
            assertEquals(1 << 20, host.memory().totalBytes());
            PageExtent held = host.memory().allocate(PageRequest.of("a", 200));
            HostRefusal refusal =
                    assertThrows(
                            HostRefusal.class,
                            () -> host.memory().allocate(PageRequest.of("b", 57)));
            assertEquals(
                    "host minix: b wants 228 KiB of memory; VM gives one process 1024 KiB at most and the VMM has 800; raise process-memory",
                    refusal.getMessage());
            PageExtent rest = host.memory().allocate(PageRequest.of("b", 56));
            host.memory().free(held);
            host.memory().free(rest);
            assertEquals(0, host.kernel().memory().inUse());
        }
    }

    @Test
    void aMachineThatWasShutDownStillTellsTheTimeAndTakesMemoryBack() throws Exception {
        MinixHost host = MinixHostTest.open("memory=16M");
        PageExtent held = host.memory().allocate(PageRequest.of("a", 1));
        long before = host.clock().nanoTime();
        host.close();
        assertTrue(host.clock().nanoTime() >= before);
        assertTrue(host.clock().epochNanos() > 0);
        assertThrows(HostRefusal.class, () -> host.memory().allocate(PageRequest.of("a", 1)));
        host.memory().free(held);
        assertEquals(0, host.kernel().memory().inUse());
    }

    @Test
    void anInterruptIsANotificationToAThreadOfTheVmm() throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=16M")) {
            HostInterruptPins pins = host.find(HostInterruptPins.class).orElseThrow();
            CountDownLatch reached = new CountDownLatch(2);
            host.interrupts()
                    .hook(
                            15,
                            () -> {
                                reached.countDown();
                                host.interrupts().acknowledge(15);
                            });
            pins.raise(15);
            while (reached.getCount() == 2) {
                Thread.onSpinWait();
            }
            pins.raise(15);
            reached.await();
            assertEquals(2, count(host, "interrupt"));
            assertTrue(count(host, "notification") >= 2);
        }
    }

    @Test
    void theClockTicksSixtyTimesASecond() throws Exception {
        try (MinixHost host = MinixHostTest.open("memory=16M")) {
            assertEquals(
                    60, host.find(HostPrimitives.class).orElseThrow().noise().ticksPerSecond());
            while (count(host, "clock-tick") < 2) {
                Thread.yield();
            }
        }
    }
}
