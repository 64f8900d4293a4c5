package org.alcazar.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

class RamPagesTest {
    private static final long PAGE = HostMemory.PAGE_SIZE;

    /** More than one chunk of flags. */
    private static final int PAGES = 1100;

    private final List<String> heard = new ArrayList<>();
    private final RamPages.Listener listener =
            (page, flags) -> heard.add((page - arena()) / PAGE + ":" + flags);

    private long arena;

    private long arena() {
        return arena;
    }

    @BeforeAll
    static void reserve() {
        HostRange.reserve(() -> Arena.global().allocate(64L << 20, PAGE));
    }

    @BeforeEach
    void carve() throws HostRefusal {
        arena = HostRange.carve(PAGES * PAGE, PAGE);
        RamPages.addListener(listener);
    }

    @AfterEach
    void release() {
        RamPages.removeListener(listener);
        for (int i = 0; i < PAGES; i++) {
            RamPages.unmark(arena + i * PAGE, -1);
        }
        HostRange.release(arena);
    }

    @Test
    void flagsBelongToOnePageAndAreSetAndClearedApart() {
        RamPages.mark(arena + 3 * PAGE + 17, RamPages.CODE);
        RamPages.mark(arena + 3 * PAGE, RamPages.LOGGED);
        assertEquals(RamPages.CODE | RamPages.LOGGED, RamPages.flags(arena + 4 * PAGE - 1));
        assertEquals(0, RamPages.flags(arena + 4 * PAGE));
        assertEquals(0, RamPages.flags(arena + 3 * PAGE - 1));
        RamPages.unmark(arena + 3 * PAGE, RamPages.CODE);
        assertEquals(RamPages.LOGGED, RamPages.flags(arena + 3 * PAGE));
        RamPages.unmark(arena + 3 * PAGE, RamPages.LOGGED);
        assertEquals(0, RamPages.flags(arena + 3 * PAGE));
    }

    @Test
    void everyPageHasItsOwnFlagAlsoAcrossChunks() {
        for (int i = 0; i < PAGES; i += 3) {
            RamPages.mark(arena + i * PAGE, RamPages.CODE);
        }
        for (int i = 0; i < PAGES; i++) {
            assertEquals(i % 3 == 0 ? RamPages.CODE : 0, RamPages.flags(arena + i * PAGE));
        }
    }

    @Test
    void theLastPageOfTheRangeHasFlagsToo() {
        long last = HostRam.SIZE - 1;
        RamPages.mark(last, RamPages.LOGGED);
        assertEquals(RamPages.LOGGED, RamPages.flags(last));
        RamPages.unmark(last, RamPages.LOGGED);
        assertEquals(0, RamPages.flags(last));
    }

    @Test
    void writesToWatchedPagesAreHeardAfterTheyHappened() {
        RamPages.mark(arena + PAGE, RamPages.CODE);
        RamPages.Listener reader =
                (page, flags) -> assertEquals(0x1234, HostRam.getInt(arena + PAGE + 8));
        RamPages.addListener(reader);
        try {
            RamPages.setInt(arena + 8, 0x1234);
            assertTrue(heard.isEmpty(), "nobody watches that page");
            RamPages.setInt(arena + PAGE + 8, 0x1234);
        } finally {
            RamPages.removeListener(reader);
        }
        assertEquals(List.of("1:1"), heard);
    }

    @Test
    void everyKindOfWriteIsHeardAndDone() {
        RamPages.mark(arena, RamPages.CODE);
        RamPages.setByte(arena, (byte) 1);
        RamPages.setShort(arena + 1, (short) 0x0302);
        RamPages.setInt(arena + 3, 0x0706_0504);
        RamPages.setLong(arena + 7, 0x0f0e_0d0c_0b0a_0908L);
        RamPages.write(arena + 15, new byte[] {0, 16, 17}, 1, 2);
        RamPages.fill(arena + 17, 2, (byte) 18);
        assertEquals(6, heard.size());
        for (int i = 0; i < 18; i++) {
            assertEquals(i + 1, HostRam.getByte(arena + i));
        }
        assertEquals(18, HostRam.getByte(arena + 18));
    }

    @Test
    void aWriteAcrossPagesTellsOfEachWatchedOne() {
        RamPages.mark(arena + PAGE, RamPages.CODE);
        RamPages.setLong(arena + PAGE - 4, -1);
        RamPages.setShort(arena + PAGE - 1, (short) 0);
        RamPages.setLong(arena + PAGE - 8, -1);
        assertEquals(List.of("1:1", "1:1"), heard, "the third ends before the page");
        heard.clear();
        RamPages.mark(arena + 3 * PAGE, RamPages.LOGGED);
        RamPages.fill(arena + PAGE - 1, 2 * PAGE + 2, (byte) 7);
        assertEquals(List.of("1:1", "3:2"), heard);
        heard.clear();
        RamPages.write(arena + 2 * PAGE - 1, new byte[(int) PAGE + 2], 0, (int) PAGE + 2);
        assertEquals(List.of("1:1", "3:2"), heard);
    }

    @Test
    void nothingWrittenIsNothingHeard() {
        RamPages.mark(arena, RamPages.CODE);
        RamPages.write(arena, new byte[0], 0, 0);
        RamPages.fill(arena, 0, (byte) 1);
        RamPages.written(arena, 0);
        assertTrue(heard.isEmpty());
    }

    @Test
    void aListenerThatHasGoneHearsNothing() {
        RamPages.mark(arena, RamPages.CODE);
        RamPages.removeListener(listener);
        RamPages.setByte(arena, (byte) 1);
        assertTrue(heard.isEmpty());
    }

    /**
     * One thread writes, the other flags and reads. In no round may the writer miss the flag and
     * the reader the value.
     */
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void eitherTheWriterSeesTheFlagOrTheReaderTheValue() throws InterruptedException {
        RamPages.removeListener(listener);
        int rounds = 30_000;
        AtomicInteger told = new AtomicInteger();
        AtomicInteger go = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        RamPages.Listener counter = (page, flags) -> told.incrementAndGet();
        RamPages.addListener(counter);
        Thread writer =
                Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                            for (int i = 1; i <= rounds; i++) {
                                while (go.get() < i) {
                                    Thread.onSpinWait();
                                }
                                RamPages.setInt(arena + 64, i);
                                done.set(i);
                            }
                        });
        int missed = 0;
        for (int i = 1; i <= rounds; i++) {
            int before = told.get();
            go.set(i);
            RamPages.mark(arena, RamPages.CODE);
            int value = HostRam.getInt(arena + 64);
            while (done.get() < i) {
                Thread.onSpinWait();
            }
            missed += value != i && told.get() == before ? 1 : 0;
            RamPages.unmark(arena, RamPages.CODE);
        }
        writer.join();
        RamPages.removeListener(counter);
        RamPages.addListener(listener);
        assertEquals(0, missed);
    }
}
