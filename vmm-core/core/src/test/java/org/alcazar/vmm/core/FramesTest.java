package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.PageEntry;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class FramesTest {
    private static final long PAGE = HostMemory.PAGE_SIZE;

    private final FakeHost host = new FakeHost();
    private final Frames frames = new Frames(host.memory);

    @Test
    void anExtentComesBackWhenItsLastPageHasNoUser() throws HostRefusal {
        PageExtent extent = frames.take(PageRequest.of("vm:a", 4));
        long first = extent.address();
        frames.share(first + PAGE);
        for (int i = 0; i < 4; i++) {
            frames.release(first + i * PAGE);
        }
        assertEquals(4 * PAGE, host.memory.bytesInUse("vm:a"), "one page is used by another");
        assertEquals(1, frames.users(first + PAGE));
        frames.release(first + PAGE);
        assertEquals(0, host.memory.bytesInUse(""));
        assertTrue(frames.isEmpty());
    }

    @Test
    void pagesThatAreReleasedTogetherAreDiscardedWhereTheirExtentStays() throws HostRefusal {
        PageExtent stays = frames.take(PageRequest.of("vm:a", 8));
        PageExtent goes = frames.take(PageRequest.of("vm:a", 2));
        long at = stays.address();
        HostRam.fill(at, stays.bytes(), (byte) 1);
        frames.share(at + 3 * PAGE);
        long end = goes.address() + PAGE;
        long[] pages = {
            at + 4 * PAGE, at + PAGE, at + 3 * PAGE, at + 2 * PAGE, end, goes.address()
        };
        frames.release(pages, pages.length);
        assertEquals(8 * PAGE, host.memory.bytesInUse(""));
        for (int i = 0; i < 8; i++) {
            boolean free = i == 1 || i == 2 || i == 4;
            assertEquals(free ? 0 : 1, HostRam.getByte(at + i * PAGE), "page " + i);
            assertEquals(free ? 0 : 1, frames.users(at + i * PAGE), "page " + i);
        }
        long[] rest = {at, at + 3 * PAGE, at + 5 * PAGE, at + 6 * PAGE, at + 7 * PAGE};
        frames.release(rest, rest.length);
        assertTrue(frames.isEmpty());
        assertEquals(0, host.memory.bytesInUse(""));
    }

    @Test
    void aFreePageGoesToItsOwnerAgainAndToNobodyElse() throws HostRefusal {
        PageExtent extent = frames.take(PageRequest.of("vm:a", 4));
        frames.release(extent.address() + PAGE);
        long other = frames.take("vm:b");
        assertNotEquals(extent.address() + PAGE, other);
        assertEquals(extent.address() + PAGE, frames.take("vm:a"));
        assertEquals(Frames.CHUNK * PAGE, host.memory.bytesInUse("vm:b"));
        frames.release(other);
        assertEquals(0, host.memory.bytesInUse("vm:b"));
    }

    @Test
    void pagesOfSeveralExtentsAreSharedAtOnce() throws HostRefusal {
        PageExtent one = frames.take(PageRequest.of("vm:a", 2));
        PageExtent two = frames.take(PageRequest.of("vm:a", 2));
        long present = PageEntry.PRESENT | PageEntry.SHARED;
        frames.share(
                new long[] {
                    two.address() | present,
                    one.address() | present,
                    PageEntry.ABSENT,
                    5 * PAGE | PageEntry.SWAPPED,
                    one.address() + PAGE | present
                });
        assertEquals(2, frames.users(one.address()));
        assertEquals(2, frames.users(one.address() + PAGE));
        assertEquals(2, frames.users(two.address()));
        assertEquals(1, frames.users(two.address() + PAGE));
    }

    @Test
    void aHostThatIsFullRefusesOnceItsLastPageIsTaken() throws HostRefusal {
        List<PageExtent> held = new ArrayList<>();
        assertThrows(
                HostRefusal.class,
                () -> {
                    while (true) {
                        held.add(host.memory.allocate(PageRequest.of("x", Frames.CHUNK)));
                    }
                });
        host.memory.free(held.removeLast());
        host.memory.allocate(PageRequest.of("x", Frames.CHUNK - 1));
        long last = frames.take("vm:a");
        assertThrows(HostRefusal.class, () -> frames.take("vm:a"));
        frames.release(last);
        assertEquals(last, frames.take("vm:a"));
    }

    @Test
    void aPageThatIsNotTheirsIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> frames.release(PAGE));
    }
}
