package org.alcazar.devices.virtioballoon;

import static org.alcazar.devices.virtioballoon.VirtioBalloon.ACTUAL;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.DEFLATE;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.FREE_PAGE;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.INFLATE;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.NUM_PAGES;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.PAGE_POISON;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.POISON;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.REPORT;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.REPORTING;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.STATISTICS;
import static org.alcazar.devices.virtioballoon.VirtioBalloon.STATS_VQ;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.Width;
import org.alcazar.testkit.device.ArrayMemory;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.device.Balloon;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.Map;

/** A driver, written from the specification. */
class VirtioBalloonTest {
    /** Parts of the window. */
    private static final long COMMON = Bridge.WINDOW,
            ISR = COMMON + 0x1000,
            CONFIG = COMMON + 0x2000,
            NOTIFY = COMMON + 0x3000;

    /** Each queue has 16 KiB from here on: descriptors, available ring, used ring, data. */
    private static final long QUEUES = 0x1_0000, QUEUE = 0x4000, PART = 0x1000;

    private static final int WRITE = 2;
    private static final long PAGE = 4096;

    private final FakeDeviceContext context = new FakeDeviceContext(1);
    private final ArrayMemory memory = context.memory();
    private final int[] available = new int[5];
    private Device device = make(Map.of("statistics", 1));
    private Balloon balloon = context.find(Balloon.class).orElseThrow();

    private Device make(Map<String, Object> settings) {
        try {
            Bridge.provide(context);
            VirtioBalloonComponent type = new VirtioBalloonComponent();
            Device made =
                    type.create(context, Settings.check("device", type.configuration(), settings));
            made.reset();
            return made;
        } catch (ConfigurationException e) {
            throw new AssertionError(e);
        }
    }

    private void begin(long features) {
        agree(features);
        context.store(COMMON + 0x14, Width.BYTE, 15);
    }

    private void agree(long features) {
        context.store(COMMON + 0x14, Width.BYTE, 0);
        context.store(COMMON + 0x14, Width.BYTE, 3);
        context.store(COMMON + 0x08, Width.DWORD, 0);
        context.store(COMMON + 0x0c, Width.DWORD, features);
        context.store(COMMON + 0x08, Width.DWORD, 1);
        context.store(COMMON + 0x0c, Width.DWORD, 1); // VERSION_1
        context.store(COMMON + 0x14, Width.BYTE, 11);
        assertEquals(11, context.load(COMMON + 0x14, Width.BYTE), "the features are refused");
        for (int queue = 0; queue < available.length; queue++) {
            context.store(COMMON + 0x16, Width.WORD, queue);
            for (int part = 0; part < 3; part++) {
                context.store(COMMON + 0x20 + 8 * part, Width.QWORD, at(queue) + PART * part);
            }
            context.store(COMMON + 0x1c, Width.WORD, 1);
            memory.fill(at(queue), QUEUE, 0);
            available[queue] = 0;
        }
    }

    @BeforeEach
    void start() {
        begin(1 << STATS_VQ | 1 << REPORTING);
    }

    private static long at(int queue) {
        return QUEUES + QUEUE * queue;
    }

    private static long data(int queue) {
        return at(queue) + 3 * PART;
    }

    private void send(int queue, long address, int bytes, int flags) {
        memory.writeLong(at(queue), address);
        memory.writeInt(at(queue) + 8, bytes);
        memory.writeShort(at(queue) + 12, flags);
        memory.writeShort(at(queue) + PART + 4 + 2 * (available[queue]++ % 128), 0);
        memory.writeShort(at(queue) + PART + 2, available[queue]);
        context.store(NOTIFY + 4 * queue, Width.WORD, queue);
    }

    private int used(int queue) {
        return memory.readShort(at(queue) + 2 * PART + 2);
    }

    private void inflate(int... pages) {
        for (int i = 0; i < pages.length; i++) {
            memory.writeInt(data(INFLATE) + 4 * i, pages[i]);
        }
        send(INFLATE, data(INFLATE), 4 * pages.length, 0);
    }

    private boolean isZero(long page) {
        return memory.readLong(page * PAGE) == 0;
    }

    @Test
    void theDriverLearnsWhatIsWantedAndTellsWhatItGave() {
        balloon.ask(5 * PAGE + 1);
        assertEquals(5, context.load(CONFIG + NUM_PAGES, Width.DWORD));
        assertEquals(2, context.load(ISR, Width.BYTE), "the configuration has changed");
        context.store(CONFIG + NUM_PAGES, Width.DWORD, 9);
        assertEquals(5 * PAGE, balloon.asked());
        context.store(CONFIG + ACTUAL, Width.DWORD, 3);
        assertEquals(3 * PAGE, balloon.given());
        balloon.ask(5 * PAGE);
        assertEquals(0, context.load(ISR, Width.BYTE), "nothing has changed");
        balloon.ask(Long.MAX_VALUE);
        assertEquals(0xffff_ffffL, context.load(CONFIG + NUM_PAGES, Width.DWORD));
    }

    @Test
    void pagesThatAreGivenAreDiscardedAndNoOthers() {
        memory.fill(0x10_0000, 0x10_0000, 9);
        inflate(0x103, 0x101, 0x102, 0x120, 0x101);
        for (int page = 0x100; page < 0x130; page++) {
            boolean given = page >= 0x101 && page <= 0x103 || page == 0x120;
            assertEquals(given, isZero(page), "page 0x" + Integer.toHexString(page));
        }
        assertEquals(1, used(INFLATE));
        assertEquals(1, context.load(ISR, Width.BYTE));
        send(DEFLATE, data(INFLATE), 20, 0);
        assertEquals(1, used(DEFLATE));
    }

    @Test
    void pagesThatAreNoneAreHarmless() {
        memory.fill(0x10_0000, 0x10_0000, 9);
        inflate(-1, 0x7fff_ffff, 0x200, 0x1ff);
        assertTrue(isZero(0x1ff));
        send(INFLATE, -8, 4096, 0);
        send(INFLATE, data(INFLATE), 3, 0);
        send(INFLATE, data(INFLATE), 0, 0);
        assertEquals(4, used(INFLATE));
    }

    @Test
    void whatIsReportedAsFreeIsDiscardedInEitherQueue() {
        for (int queue : new int[] {FREE_PAGE, REPORT}) {
            memory.fill(0x10_0000, 0x1_0000, 9);
            send(queue, 0x10_1000, 0x2000, WRITE);
            assertTrue(isZero(0x101) && isZero(0x102) && !isZero(0x103) && !isZero(0x100));
        }
    }

    @Test
    void aDriverWithoutStatisticsMayReportInTheirQueue() {
        begin(1 << REPORTING);
        memory.fill(0x10_0000, 0x1_0000, 9);
        send(STATISTICS, 0x10_1000, 0x2000, WRITE);
        assertEquals(1, used(STATISTICS));
        assertTrue(isZero(0x101));
    }

    @Test
    void buffersOfferedBeforeTheDriverIsReadyAreLookedAtThen() {
        agree(1 << STATS_VQ);
        memory.writeShort(data(STATISTICS), 4);
        memory.writeLong(data(STATISTICS) + 2, 99);
        send(STATISTICS, data(STATISTICS), 10, 0);
        assertTrue(balloon.statistics().isEmpty());
        context.store(COMMON + 0x14, Width.BYTE, 15);
        context.clock().advance(1);
        assertEquals(Map.of("free", 99L), balloon.statistics());
    }

    /** 200 requests of 64 Ki page numbers are more than one turn. */
    @Test
    void longRequestsAreServedInSeveralTurnsAndTooLongOnesNotAtAll() {
        memory.fill(0x10_0000, 0x10_0000, 9);
        memory.writeLong(at(INFLATE), 0x8_0000);
        memory.writeInt(at(INFLATE) + 8, 1 << 18);
        for (int i = 0; i < 128; i++) {
            memory.writeShort(at(INFLATE) + PART + 4 + 2 * i, 0);
        }
        memory.writeShort(at(INFLATE) + PART + 2, 128);
        context.store(NOTIFY, Width.WORD, INFLATE);
        assertEquals(1, used(INFLATE));
        context.clock().advance(1000);
        assertTrue(used(INFLATE) > 1 && used(INFLATE) <= 128, "served " + used(INFLATE));
        long before = context.counter("inflated-pages").value();
        memory.writeInt(at(INFLATE) + 8, (1 << 18) + 4);
        memory.writeShort(at(INFLATE) + PART + 2, 129);
        context.clock().advance(1_000_000);
        context.store(NOTIFY, Width.WORD, INFLATE);
        assertEquals(129, used(INFLATE));
        assertTrue(context.counter("refused-requests").value() > 0 && before > 0);
    }

    @Test
    void freePagesThatHoldAPatternStay() {
        begin(1 << PAGE_POISON | 1 << REPORTING);
        memory.fill(0x10_0000, 0x1_0000, 0xaa);
        context.store(CONFIG + POISON, Width.DWORD, 0xaaaa_aaaaL);
        send(REPORT, 0x10_1000, 0x2000, WRITE);
        assertEquals(1, used(REPORT));
        assertEquals(0xaaaa_aaaa, memory.readInt(0x10_1000));
    }

    @Test
    void statisticsAreAskedForAgainAndAgain() {
        memory.writeShort(data(STATISTICS), 4);
        memory.writeLong(data(STATISTICS) + 2, 1 << 20);
        memory.writeShort(data(STATISTICS) + 10, 0xffee);
        memory.writeShort(data(STATISTICS) + 20, 5);
        memory.writeLong(data(STATISTICS) + 22, 1 << 21);
        send(STATISTICS, data(STATISTICS), 30, 0);
        assertEquals(Map.of("free", 1L << 20, "total", 1L << 21), balloon.statistics());
        assertEquals(0, used(STATISTICS));
        context.clock().advance(1_000_000_000);
        assertEquals(1, used(STATISTICS));
        memory.writeLong(data(STATISTICS) + 2, 77);
        send(STATISTICS, data(STATISTICS), 10, 0);
        assertEquals(77, balloon.statistics().get("free"));
        balloon.ask(PAGE);
        assertEquals(2, used(STATISTICS), "asked for memory, it tells anew");
        context.clock().advance(1_000_000_000);
        assertEquals(2, used(STATISTICS), "the driver has the buffer");
    }

    @Test
    void aResetForgetsTheDriverAndNotWhatIsWanted() {
        balloon.ask(5 * PAGE);
        context.store(CONFIG + ACTUAL, Width.DWORD, 5);
        device.reset();
        assertEquals(0, balloon.given());
        assertEquals(5 * PAGE, balloon.asked());
        assertTrue(balloon.statistics().isEmpty());
    }
}
