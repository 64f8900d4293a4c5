package org.alcazar.loaders;

import static org.alcazar.loaders.Placement.u16;
import static org.alcazar.loaders.Placement.u32;
import static org.alcazar.loaders.Placement.u64;
import static org.alcazar.loaders.Placement.u8;

import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader.Image;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * An ELF executable for x86 (System V ABI, chapters 4 and 5): its program headers, loaded by
 * physical address.
 */
final class ElfImage {
    private static final long MAGIC = 0x464c457f;
    private static final int MACHINE_386 = 3;
    private static final int MACHINE_X86_64 = 62;
    private static final int LOAD = 1;
    private static final int INTERPRETER = 3;
    private static final int NOTE = 4;

    /** Note of type 1 by "GNU": the operating system that a program is for. */
    private static final int ABI_TAG = 1;

    /** One program header. */
    record Segment(int type, long offset, long physical, long fileBytes, long memoryBytes) {}

    private final Image image;
    private final boolean wide;
    private final List<Segment> segments = new ArrayList<>();

    /**
     * @throws ConfigurationException if the file is no x86 executable or truncated
     */
    ElfImage(Image image) throws ConfigurationException {
        this.image = image;
        wide = u8(image, 4) == 2;
        int machine = u16(image, 18);
        if (machine != (wide ? MACHINE_X86_64 : MACHINE_386)) {
            throw new ConfigurationException(
                    "%s is an ELF file for machine %d; wanted is x86 (3) or x86-64 (62)"
                            .formatted(image.name(), machine));
        }
        long table = wide ? u64(image, 32) : u32(image, 28);
        int entryBytes = u16(image, wide ? 54 : 42);
        int count = u16(image, wide ? 56 : 44);
        if (count == 0 || table < 0 || (long) count * entryBytes > image.size() - table) {
            throw new ConfigurationException(
                    image.name()
                            + " is truncated or no executable: it has no whole table of program headers");
        }
        for (int i = 0; i < count; i++) {
            segments.add(segment(table + (long) i * entryBytes));
        }
    }

    static boolean isElf(Image image) {
        return u32(image, 0) == MAGIC && u8(image, 5) == 1;
    }

    private Segment segment(long at) {
        int type = (int) u32(image, at);
        return wide
                ? new Segment(
                        type,
                        u64(image, at + 8),
                        u64(image, at + 24),
                        u64(image, at + 32),
                        u64(image, at + 40))
                : new Segment(
                        type,
                        u32(image, at + 4),
                        u32(image, at + 12),
                        u32(image, at + 16),
                        u32(image, at + 20));
    }

    /** Refuses programs: what asks for an interpreter, or names the system that it runs on. */
    void requireKernel() throws ConfigurationException {
        boolean interpreted = segments.stream().anyMatch(s -> s.type == INTERPRETER);
        if (interpreted || note("GNU", ABI_TAG).isPresent()) {
            throw new ConfigurationException(
                    image.name()
                            + " is a program for an operating system, not a kernel; wanted is a kernel file");
        }
    }

    boolean is64Bit() {
        return wide;
    }

    long entry() {
        return wide ? u64(image, 24) : u32(image, 24);
    }

    /**
     * Virtual entry turned into a physical one by the segment around it: what a loader without
     * paging jumps to.
     */
    long physicalEntry() {
        for (int i = 0; i < segments.size(); i++) {
            Segment s = segments.get(i);
            long virtual = virtualAddress(i);
            if (s.type == LOAD && entry() >= virtual && entry() - virtual < s.memoryBytes) {
                return s.physical + (entry() - virtual);
            }
        }
        return entry();
    }

    private long virtualAddress(int index) {
        long table = wide ? u64(image, 32) : u32(image, 28);
        long at = table + (long) index * u16(image, wide ? 54 : 42);
        return wide ? u64(image, at + 16) : u32(image, at + 8);
    }

    /**
     * Copies all loadable segments into RAM and clears what the file does not fill.
     *
     * @return first address behind the image
     */
    long load(GuestMemory memory) throws ConfigurationException {
        long end = 0;
        for (Segment s : segments) {
            if (s.type == LOAD && s.memoryBytes != 0) {
                if (s.fileBytes < 0 || s.fileBytes > s.memoryBytes) {
                    throw new ConfigurationException(
                            image.name()
                                    + " is damaged: a segment has more bytes in the file than in memory");
                }
                Placement.requireFree(memory, image, s.physical, s.memoryBytes);
                Placement.copy(memory, image, s.offset, s.physical, s.fileBytes);
                memory.fill(s.physical + s.fileBytes, s.memoryBytes - s.fileBytes, 0);
                end = Math.max(end, s.physical + s.memoryBytes);
            }
        }
        if (end == 0) {
            throw new ConfigurationException(image.name() + " has no loadable segment");
        }
        return end;
    }

    /** The 32- or 64-bit number in the description of a note, if there is such a note. */
    OptionalLong note(String owner, int type) {
        for (Segment s : segments) {
            if (s.type != NOTE) {
                continue;
            }
            long end = Math.min(s.offset + s.fileBytes, image.size());
            for (long at = s.offset; at >= 0 && at + 12 <= end; ) {
                long nameBytes = u32(image, at);
                long valueBytes = u32(image, at + 4);
                long value = at + 12 + Placement.alignUp(nameBytes, 4);
                if (u32(image, at + 8) == type && named(at + 12, nameBytes, owner)) {
                    return OptionalLong.of(valueBytes >= 8 ? u64(image, value) : u32(image, value));
                }
                at = value + Placement.alignUp(valueBytes, 4);
            }
        }
        return OptionalLong.empty();
    }

    private boolean named(long at, long bytes, String name) {
        boolean same = bytes == name.length() + 1L;
        for (int i = 0; same && i < name.length(); i++) {
            same = u8(image, at + i) == name.charAt(i);
        }
        return same;
    }
}
