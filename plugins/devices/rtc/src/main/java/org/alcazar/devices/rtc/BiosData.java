package org.alcazar.devices.rtc;

import org.alcazar.platforms.pc.api.Cmos;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;

import java.util.List;

/** What a BIOS leaves in the memory of the clock: sizes of RAM, equipment, checksum. */
final class BiosData {
    private static final int EQUIPMENT = 0x14,
            BASE_KIB = 0x15,
            EXTENDED_KIB = 0x17,
            CHECKSUM = 0x2e;
    private static final int EXTENDED_KIB_POST = 0x30, ABOVE_16M = 0x34, ABOVE_4G = 0x5b;

    private static final long MIB = 1 << 20;
    private static final long FOUR_GIB = 1L << 32;

    private BiosData() {}

    static void write(Cmos cmos, List<MemoryRange> map) {
        long low = 0;
        long below4G = MIB;
        long above4G = 0;
        for (MemoryRange range : map) {
            long end = range.start() + range.bytes();
            if (range.kind() != RangeKind.RAM) {
                continue;
            }
            if (range.start() == 0) {
                low = range.bytes();
            } else if (range.start() < FOUR_GIB) {
                below4G = Math.max(below4G, Math.min(end, FOUR_GIB));
            } else {
                above4G += range.bytes();
            }
        }
        cmos.set(EQUIPMENT, 0x06); // 80x25 colour, coprocessor; no disk drives
        word(cmos, BASE_KIB, Math.min(640, (low + 1023) / 1024));
        word(cmos, EXTENDED_KIB, Math.min(0xffff, (below4G - MIB) / 1024));
        word(cmos, EXTENDED_KIB_POST, Math.min(0xffff, (below4G - MIB) / 1024));
        word(cmos, ABOVE_16M, Math.max(0, (below4G - 16 * MIB) >> 16));
        word(cmos, ABOVE_4G, above4G >> 16);
        cmos.set(ABOVE_4G + 2, (int) (above4G >> 32) & 0xff);
        int sum = 0;
        for (int i = 0x10; i < CHECKSUM; i++) {
            sum += cmos.get(i);
        }
        cmos.set(CHECKSUM, sum >> 8);
        cmos.set(CHECKSUM + 1, sum & 0xff);
    }

    private static void word(Cmos cmos, int at, long value) {
        cmos.set(at, (int) value & 0xff);
        cmos.set(at + 1, (int) (value >> 8) & 0xff);
    }
}
