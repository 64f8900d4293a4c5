package org.alcazar.hosts.l4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.Primitives;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.TimeUnit;

/** Synchronous IPC: begun without blocking, so that one test's thread plays all parts. */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IpcTest {
    @SuppressWarnings("NullAway.Init") // before each test
    private MicroKernel kernel;

    @SuppressWarnings("NullAway.Init")
    private Tcb client;

    @SuppressWarnings("NullAway.Init")
    private Tcb server;

    @SuppressWarnings("NullAway.Init")
    private Tcb other;

    @BeforeEach
    void boot() throws HostRefusal {
        kernel =
                new MicroKernel(Primitives.read("l4", L4Primitive.class, ""), 10, System::nanoTime);
        client = thread("client");
        server = thread("server");
        other = thread("other");
    }

    private Tcb thread(String name) throws HostRefusal {
        return kernel.newThread(name, name);
    }

    private static void say(Tcb thread, long label) {
        thread.registers[0] = HostExitPortal.tag(label, 0, 0);
    }

    private static long heard(Tcb thread) {
        assertEquals(IpcError.NONE, thread.error);
        return HostExitPortal.label(thread.registers[0]);
    }

    @Test
    void aSenderWaitsForItsReceiverAndAReceiverForItsSender() {
        say(client, 1);
        kernel.begin(client, server, ThreadIds.NIL);
        assertEquals(Tcb.SENDING, client.state);
        kernel.begin(server, null, ThreadIds.ANY);
        assertEquals(Tcb.RUNNING, client.state);
        assertEquals(Tcb.RUNNING, server.state);
        assertEquals(1, heard(server));
        assertEquals(client.id, server.sender);
        kernel.begin(server, null, other.id);
        say(client, 2);
        kernel.begin(client, server, ThreadIds.NIL);
        assertEquals(Tcb.SENDING, client.state, "the server waits for another one");
        say(other, 3);
        kernel.begin(other, server, ThreadIds.NIL);
        assertEquals(3, heard(server));
        assertEquals(Tcb.SENDING, client.state);
    }

    @Test
    void aCallWaitsForTheAnswerOfItsServerWithoutAGap() {
        say(client, 1);
        kernel.begin(client, server, server.id);
        say(other, 2);
        kernel.begin(other, server, server.id);
        kernel.begin(server, null, ThreadIds.ANY);
        assertEquals(1, heard(server));
        assertEquals(Tcb.RECEIVING, client.state);
        say(server, 11);
        kernel.begin(server, client, ThreadIds.ANY); // reply and wait
        assertEquals(11, heard(client));
        assertEquals(2, heard(server));
        say(server, 12);
        kernel.begin(server, other, ThreadIds.NIL);
        assertEquals(12, heard(other));
    }

    @Test
    void whoSendsToNobodyOrWaitsForOneThatEndsHearsIt() throws HostRefusal {
        kernel.begin(client, server, server.id);
        kernel.begin(other, null, server.id);
        kernel.kill(server, false);
        assertEquals(IpcError.NO_PARTNER, client.error);
        assertEquals(IpcError.NO_PARTNER | IpcError.RECEIVE_PHASE, other.error);
        kernel.begin(client, server, ThreadIds.NIL);
        assertEquals(IpcError.NO_PARTNER, client.error);
        assertEquals(Tcb.RUNNING, client.state);
        Tcb next = thread("next");
        assertEquals(ThreadIds.number(server.id), ThreadIds.number(next.id));
        assertNotEquals(server.id, next.id, "of another version");
        assertTrue(kernel.find(server.id) == null);
    }

    @Test
    void whoWouldWaitForOneThatEndedWhileItSentHearsIt() {
        say(client, 1);
        kernel.begin(client, other, server.id);
        kernel.kill(server, false);
        assertEquals(Tcb.SENDING, client.state);
        kernel.begin(other, null, ThreadIds.ANY);
        assertEquals(1, heard(other));
        assertEquals(Tcb.RUNNING, client.state);
        assertEquals(IpcError.NO_PARTNER | IpcError.RECEIVE_PHASE, client.error);
    }

    @Test
    void timeoutsEndBothPhases() {
        kernel.ipc(client, server, ThreadIds.NIL, Timeouts.ZERO, Timeouts.NEVER);
        assertEquals(IpcError.TIMEOUT, client.error);
        kernel.ipc(client, null, ThreadIds.ANY, Timeouts.NEVER, 0x400 | 1);
        assertEquals(IpcError.TIMEOUT | IpcError.RECEIVE_PHASE, client.error);
        kernel.begin(server, null, ThreadIds.ANY);
        assertEquals(Tcb.RECEIVING, server.state, "a sender that has given up is forgotten");
    }

    @Test
    void timeoutsAreMantissaAndExponent() {
        assertEquals(Long.MAX_VALUE, Timeouts.nanos(Timeouts.NEVER));
        assertEquals(0, Timeouts.nanos(Timeouts.ZERO));
        assertEquals(5L * 1024 * 1000, Timeouts.nanos(10 << 10 | 5));
        assertEquals((1023L << 31) * 1000, Timeouts.nanos(0x7fff));
        assertTrue(!Timeouts.known(0x8001));
    }

    @Test
    void whoIsCancelledHearsInWhichPhase() {
        kernel.begin(client, server, ThreadIds.NIL);
        assertTrue(kernel.cancel(client, IpcError.CANCELLED));
        assertEquals(IpcError.CANCELLED, client.error);
        kernel.begin(client, null, ThreadIds.ANY);
        kernel.close(client);
        assertEquals(IpcError.CANCELLED | IpcError.RECEIVE_PHASE, client.error);
        kernel.begin(client, null, ThreadIds.ANY);
        assertEquals(IpcError.CANCELLED | IpcError.RECEIVE_PHASE, client.error);
        assertEquals("cancelled receiving", IpcError.describe(client.error));
    }

    @Test
    void pagesAppearWithinTheReceiversWindow() {
        kernel.with(d -> {
            d.own(Flexpage.of(0x10_0000, 20, Flexpage.ALL));
            return d.map(d.sigma0(), Flexpage.of(0x10_0000, 20, 7), client.space, 0x40_0000);
        });
        client.registers[0] = HostExitPortal.tag(0, 0, 2);
        client.registers[1] = 0x3000 | HostExitPortal.MAP;
        client.registers[2] = Flexpage.of(0x40_1000, 12, Flexpage.READ);
        server.window = Flexpage.of(0x70_0000, 14, 0);
        kernel.begin(server, null, ThreadIds.ANY);
        kernel.begin(client, server, ThreadIds.NIL);
        Mapping page = server.space.find(0x70_3000);
        assertTrue(page != null && page.physical == 0x10_1000);
        client.registers[1] = 0x8000 | HostExitPortal.MAP;
        client.registers[2] = Flexpage.of(0x40_0000, 15, Flexpage.READ);
        kernel.begin(server, null, ThreadIds.ANY);
        kernel.begin(client, server, ThreadIds.NIL);
        assertEquals(1 << 14, at(server).bytes(), "as much as fits");
        server.window = Flexpage.NIL;
        kernel.begin(server, null, ThreadIds.ANY);
        kernel.begin(client, server, ThreadIds.NIL);
        assertEquals(IpcError.OVERFLOW, client.error);
        assertEquals(IpcError.OVERFLOW | IpcError.RECEIVE_PHASE, server.error);
    }

    private static Mapping at(Tcb thread) {
        Mapping found = thread.space.find(0x70_0000);
        assertTrue(found != null);
        return found;
    }
}
