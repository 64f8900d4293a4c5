package org.alcazar.devices.acpi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

class MpTableTest {
    private static final int[] SIZES = {20, 8, 8, 8, 8};
    private static final int HEADER = 44;

    private final byte[] bytes = MpTable.build(new AcpiConfig(0x600, 9, 0, true, true), 3);
    private final ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);

    private int sum(int from, int count) {
        int sum = 0;
        for (int i = 0; i < count; i++) {
            sum += bytes[from + i];
        }
        return sum & 0xff;
    }

    private String text(int at) {
        return new String(bytes, at, 4, StandardCharsets.US_ASCII);
    }

    @Test
    void thePointerNamesTheTableAndBothAddUpToZero() {
        assertEquals("_MP_", text(0));
        assertEquals(0, sum(0, 16));
        int table = (int) (all.getInt(4) - MpTable.ADDRESS);
        assertEquals("PCMP", text(table));
        assertEquals(0, sum(table, all.getShort(table + 4)));
        assertEquals(bytes.length, table + all.getShort(table + 4));
    }

    @Test
    void theEntriesFillTheTableAndNameEachProcessorOnce() {
        int at = 16 + HEADER;
        int processors = 0;
        int entries = 0;
        while (at < bytes.length) {
            if (bytes[at] == 0) {
                assertEquals(processors++, bytes[at + 1]);
            }
            at += SIZES[bytes[at]];
            entries++;
        }
        assertEquals(bytes.length, at);
        assertEquals(3, processors);
        assertEquals(entries, all.getShort(16 + 34));
    }

    @Test
    void theSystemControlInterruptIsLevelTriggered() {
        for (int at = 16 + HEADER; at < bytes.length; at += SIZES[bytes[at]]) {
            if (bytes[at] == 3 && bytes[at + 4] == 1 && bytes[at + 5] == 9) {
                assertEquals(0x0d, all.getShort(at + 2));
                assertEquals(9, bytes[at + 7]);
                return;
            }
        }
        throw new AssertionError("interrupt 9 is missing");
    }
}
