package org.alcazar.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

class PhysicalBusTest {
    private static final long AT = PhysicalBus.WINDOWS;

    private final PhysicalBus bus = new PhysicalBus();
    private final List<String> log = new ArrayList<>();

    @BeforeAll
    static void reserve() {
        HostRange.reserve(() -> Arena.global().allocate(64L << 20, HostMemory.PAGE_SIZE));
    }

    /** Reads as all ones in every bit, wider than any access. */
    private BusDevice device(String name) {
        return new BusDevice() {
            @Override
            public long read(long offset, Width width) {
                log.add(name + " r" + width.bytes() + " " + offset);
                return -2;
            }

            @Override
            public void write(long offset, Width width, long value) {
                log.add(name + " w" + width.bytes() + " " + offset + " " + value);
            }
        };
    }

    @Test
    void emptySpaceReadsAllOnesInItsWidthAndSwallowsWrites() {
        for (Width width : Width.values()) {
            assertEquals(width.mask(), bus.readMemory(AT, width));
            assertEquals(width.mask(), bus.readPort(0x80, width));
            bus.writeMemory(AT, width, 1);
            bus.writePort(0x80, width, 1);
        }
    }

    @Test
    void aDeviceSeesOffsetsAndItsValuesAreCutToTheWidth() {
        bus.attachMemory(AT + 0x1000, 0x1000, device("m"));
        bus.attachPorts(0x60, 5, device("p"));
        assertEquals(0xfffe, bus.readMemory(AT + 0x1ffe, Width.WORD));
        bus.writeMemory(AT + 0x1000, Width.BYTE, 0x1234);
        assertEquals(0xffff_fffeL, bus.readPort(0x60, Width.DWORD));
        bus.writePort(0x64, Width.BYTE, -1);
        assertEquals(List.of("m r2 4094", "m w1 0 52", "p r4 0", "p w1 4 255"), log);
    }

    @Test
    void aWindowEndsWhereItEnds() {
        bus.attachMemory(AT, 0x1000, device("m"));
        bus.attachPorts(0x3f8, 8, device("p"));
        assertEquals(0xff, bus.readMemory(AT + 0x1000, Width.BYTE));
        assertEquals(0xff, bus.readMemory(AT - 1, Width.BYTE));
        assertEquals(0xff, bus.readPort(0x400, Width.BYTE));
        assertEquals(0xff, bus.readPort(0x3f7, Width.BYTE));
        assertTrue(log.isEmpty());
    }

    @Test
    void overlapsAreRefusedAndNeighboursAreNot() {
        bus.attachMemory(AT + 0x1000, 0x1000, device("a"));
        for (long first : new long[] {AT, AT + 0x1000, AT + 0x1fff}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> bus.attachMemory(first, 0x1001, device("b")));
        }
        bus.attachMemory(AT, 0x1000, device("b"));
        bus.attachMemory(AT + 0x2000, 1, device("c"));
        bus.attachPorts(0x20, 2, device("d"));
        assertThrows(IllegalArgumentException.class, () -> bus.attachPorts(0x21, 1, device("e")));
        bus.attachPorts(0x22, 1, device("e"));
    }

    @Test
    void emptyWindowsAndWindowsInRamAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> bus.attachMemory(AT, 0, device("a")));
        assertThrows(
                IllegalArgumentException.class,
                () -> bus.attachMemory(HostRam.SIZE - 1, 1, device("a")));
        assertThrows(
                IllegalArgumentException.class,
                () -> bus.attachMemory(Long.MAX_VALUE, 2, device("a")));
        assertThrows(IllegalArgumentException.class, () -> bus.attachPorts(0, 0, device("a")));
        assertThrows(IllegalArgumentException.class, () -> bus.attachPorts(-1, 2, device("a")));
    }

    @Test
    void aClosedAttachmentLeavesNothingAndOthersStay() {
        PhysicalBus.Attachment first = bus.attachMemory(AT, 0x1000, device("a"));
        bus.attachMemory(AT + 0x1000, 0x1000, device("b"));
        first.close();
        first.close();
        assertEquals(0xff, bus.readMemory(AT, Width.BYTE));
        bus.readMemory(AT + 0x1000, Width.BYTE);
        assertEquals(List.of("b r1 0"), log);
        bus.attachMemory(AT, 0x1000, device("c"));
    }

    @Test
    void ramIsWhatLiesInTheReservedRange() {
        assertTrue(PhysicalBus.isRam(0));
        assertTrue(PhysicalBus.isRam(HostRam.SIZE - 1));
        assertFalse(PhysicalBus.isRam(HostRam.SIZE));
        assertFalse(PhysicalBus.isRam(-1));
        assertFalse(PhysicalBus.isRam(AT));
    }

    @Test
    void byteDevicesGetWideAccessesByteByByteLowestFirst() {
        bus.attachPorts(
                0x70,
                4,
                new ByteDevice() {
                    @Override
                    public int readByte(int offset) {
                        return 0x10 + offset;
                    }

                    @Override
                    public void writeByte(int offset, int value) {
                        log.add(offset + "=" + value);
                    }
                });
        assertEquals(0x1211, bus.readPort(0x71, Width.WORD));
        assertEquals(0x1312_1110L, bus.readPort(0x70, Width.DWORD));
        bus.writePort(0x70, Width.DWORD, 0x8403_0201L);
        assertEquals(List.of("0=1", "1=2", "2=3", "3=132"), log);
    }
}
