package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.PageEntry;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.ConfigurationException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Guest RAM in a checkpoint: a section for each stretch of pages, with the stretch's start, its
 * count of pages, a bit for each page that is not zero, and the contents of those.
 */
final class RamSections {
    static final String NAME = "ram";
    static final int VERSION = 1;

    private static final int PAGE = (int) HostMemory.PAGE_SIZE;
    private static final int STRETCH = 1024;
    private static final int BITS = STRETCH / Byte.SIZE;
    private static final int HEADER = Long.BYTES + Integer.BYTES + BITS;
    private static final MemorySegment ZERO = Arena.global().allocate(PAGE);

    private RamSections() {}

    /** Start and length of each range of RAM in turn, however it is pieced together on the host. */
    static List<Long> layout(GuestPhysicalMap map) {
        List<Long> out = new ArrayList<>();
        long end = -1;
        for (GuestPhysicalMap.Range range : map.ranges()) {
            if (!range.ram()) {
                continue;
            }
            if (range.start() == end) {
                out.set(out.size() - 1, out.getLast() + range.bytes());
            } else {
                out.add(range.start());
                out.add(range.bytes());
            }
            end = range.end();
        }
        return out;
    }

    static void write(Pages ram, GuestPhysicalMap map, SectionWriter out) throws IOException {
        byte[] buffer = new byte[HEADER + STRETCH * PAGE];
        for (GuestPhysicalMap.Range range : map.ranges()) {
            for (long at = 0; range.ram() && at < range.bytes(); at += (long) STRETCH * PAGE) {
                int pages = (int) Math.min(STRETCH, (range.bytes() - at) / PAGE);
                int length = fill(ram, buffer, range.start() + at, pages);
                if (length > HEADER) {
                    out.writePacked(NAME, VERSION, buffer, length);
                }
            }
        }
    }

    /** CRC-32C of all RAM, in the order of guest-physical addresses, in hexadecimal. */
    static String checksum(Pages ram, GuestPhysicalMap map) {
        CRC32C sum = new CRC32C();
        for (GuestPhysicalMap.Range range : map.ranges()) {
            for (long at = 0; range.ram() && at < range.bytes(); at += PAGE) {
                try {
                    sum.update(ram.contents(range.start() + at).asByteBuffer());
                } catch (IOException e) {
                    return "unknown: " + e.getMessage();
                }
            }
        }
        return String.format("%08x", sum.getValue());
    }

    private static int fill(Pages ram, byte[] buffer, long guest, int pages) throws IOException {
        java.util.Arrays.fill(buffer, 0, HEADER, (byte) 0);
        ByteBuffer.wrap(buffer).putLong(guest).putInt(pages);
        int length = HEADER;
        for (int page = 0; page < pages; page++) {
            MemorySegment contents = ram.contents(guest + (long) page * PAGE);
            if (contents.mismatch(ZERO) >= 0) {
                buffer[HEADER - BITS + page / Byte.SIZE] |= (byte) (1 << page % Byte.SIZE);
                MemorySegment.copy(contents, ValueLayout.JAVA_BYTE, 0, buffer, length, PAGE);
                length += PAGE;
            }
        }
        return length;
    }

    /** Makes all RAM zero, touching only what is not. */
    static void clear(GuestPhysicalMap map, GuestMemory memory) {
        for (GuestPhysicalMap.Range range : map.ranges()) {
            for (long at = range.start(); range.ram() && at < range.end(); at += PAGE) {
                long host = map.toHost(at, PAGE);
                boolean there = host >= 0 || !PageEntry.isForgotten(map.entry(at));
                if (there && (host < 0 || HostRam.slice(host, PAGE).mismatch(ZERO) >= 0)) {
                    memory.fill(at, PAGE, 0);
                }
            }
        }
    }

    /** Puts one section's pages into RAM. */
    static void read(GuestMemory memory, byte[] contents) throws ConfigurationException {
        if (contents.length < HEADER) {
            throw new ConfigurationException("section 'ram' is too short");
        }
        ByteBuffer in = ByteBuffer.wrap(contents);
        long guest = in.getLong();
        int pages = in.getInt();
        int position = HEADER;
        for (int page = 0; page < Math.min(pages, STRETCH); page++) {
            if ((contents[HEADER - BITS + page / Byte.SIZE] >> page % Byte.SIZE & 1) == 0) {
                continue;
            }
            long address = guest + (long) page * PAGE;
            if (!memory.isRam(address, PAGE) || position + PAGE > contents.length) {
                throw new ConfigurationException("section 'ram' does not fit the VM's memory");
            }
            memory.write(address, contents, position, PAGE);
            position += PAGE;
        }
    }
}
