package org.alcazar.devices.acpi;

/** Builds resource templates (ACPI 6.4, 6.4). */
final class Resources {
    private static final int MEMORY = 0, IO = 1, BUS = 2;

    /** Address space descriptors: a producer with fixed minimum and maximum. */
    private static final int FIXED = 0x0c;

    private static final int ENTIRE_RANGE = 3, READ_WRITE = 1;

    private final Bytes out = new Bytes();

    Resources io(int first, int count) {
        out.u8(0x47).u8(1).u16(first).u16(first).u8(1).u8(count);
        return this;
    }

    /** Edge triggered, active high. */
    Resources irq(int number) {
        out.u8(0x22).u16(1L << number);
        return this;
    }

    Resources busNumbers(int first, int last) {
        return word(BUS, 0, first, last);
    }

    Resources ioWindow(int first, int last) {
        return word(IO, ENTIRE_RANGE, first, last);
    }

    private Resources word(int type, int flags, int first, int last) {
        out.u8(0x88).u16(0x0d).u8(type).u8(FIXED).u8(flags);
        out.u16(0).u16(first).u16(last).u16(0).u16(last - first + 1L);
        return this;
    }

    Resources memoryWindow(long first, long end) {
        out.u8(0x87).u16(0x17).u8(MEMORY).u8(FIXED).u8(READ_WRITE);
        out.u32(0).u32(first).u32(end - 1).u32(0).u32(end - first);
        return this;
    }

    byte[] template() {
        return Aml.buffer(out.u8(0x79).u8(0).toArray());
    }
}
