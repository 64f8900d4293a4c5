package org.alcazar.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

class HostRamTest {
    private long at;

    @BeforeAll
    static void reserve() {
        HostRange.reserve(() -> Arena.global().allocate(64L << 20, HostMemory.PAGE_SIZE));
    }

    @BeforeEach
    void carve() throws HostRefusal {
        at = HostRange.carve(2 * HostMemory.PAGE_SIZE, HostMemory.PAGE_SIZE);
        HostRam.fill(at, 2 * HostMemory.PAGE_SIZE, (byte) 0);
    }

    @AfterEach
    void release() {
        HostRange.release(at);
    }

    @Test
    void numbersAreLittleEndianAtAnyAlignment() {
        for (int offset = 0; offset < 9; offset++) {
            long to = at + HostMemory.PAGE_SIZE - 4 + offset;
            HostRam.setLong(to, 0x8877_6655_4433_2211L);
            assertEquals(0x11, HostRam.getByte(to));
            assertEquals((byte) 0x88, HostRam.getByte(to + 7));
            assertEquals(0x3322, HostRam.getShort(to + 1));
            assertEquals(0x5544_3322, HostRam.getInt(to + 1));
            assertEquals(0x8877_6655_4433_2211L, HostRam.getLong(to));
            HostRam.setShort(to + 1, (short) 0xaabb);
            HostRam.setInt(to + 4, 0x0102_0304);
            HostRam.setByte(to, (byte) 0xcc);
            assertEquals(0x0102_0304_44aa_bbccL, HostRam.getLong(to));
        }
    }

    @Test
    void orderedFormsNeedAlignment() {
        HostRam.setLong(at + 8, 5);
        assertEquals(5, HostRam.getLongVolatile(at + 8));
        assertEquals(5, HostRam.getIntVolatile(at + 8));
        assertFalse(HostRam.compareAndSetLong(at + 8, 4, 6));
        assertTrue(HostRam.compareAndSetLong(at + 8, 5, 6));
        assertFalse(HostRam.compareAndSetInt(at + 8, 5, 7));
        assertTrue(HostRam.compareAndSetInt(at + 8, 6, 7));
        assertEquals(7, HostRam.getLong(at + 8));
        assertThrows(IllegalArgumentException.class, () -> HostRam.getLongVolatile(at + 4));
        assertThrows(IllegalArgumentException.class, () -> HostRam.compareAndSetInt(at + 2, 0, 1));
    }

    @Test
    void blocksAreCopiedReadWrittenAndFilled() {
        byte[] from = {9, 1, 2, 3, 4, 9};
        HostRam.write(at, from, 1, 4);
        HostRam.copy(at, at + 2, 4);
        byte[] into = new byte[8];
        HostRam.read(at, into, 1, 6);
        assertArrayEquals(new byte[] {0, 1, 2, 1, 2, 3, 4, 0}, into, "an overlapping copy");
        HostRam.fill(at + 1, 2, (byte) 0x7f);
        assertEquals(0x02_7f_7f_01, HostRam.getInt(at));
        assertEquals(0x7f, HostRam.slice(at + 1, 2).get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void accessesBeyondTheRangeThrow() {
        long size = HostRam.SIZE;
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.getByte(size));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.getShort(size - 1));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.getInt(size - 3));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.setLong(size - 7, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.getLong(Long.MIN_VALUE));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.fill(size - 1, 2, (byte) 1));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.copy(at, size - 1, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> HostRam.read(-1, new byte[2], 0, 2));
    }

    @Test
    void requestsForPagesAreChecked() {
        assertThrows(IllegalArgumentException.class, () -> PageRequest.of("a", 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> new PageRequest("a", 1, 2048, PageRequest.ANY_NODE, Long.MAX_VALUE));
        assertThrows(
                IllegalArgumentException.class,
                () -> new PageRequest("a", 1, 12288, PageRequest.ANY_NODE, Long.MAX_VALUE));
        assertEquals(3 * 4096, new PageExtent("a", 4096, 3).bytes());
    }
}
