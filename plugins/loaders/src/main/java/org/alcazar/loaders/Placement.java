package org.alcazar.loaders;

import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader.Boot;
import org.alcazar.vmm.plugin.GuestLoader.Image;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** Where things go in guest memory, and getting them there. */
final class Placement {
    static final long PAGE = 0x1000;

    /**
     * Loaders keep what they hand to the kernel from here on; {@link EntryState} has the pages
     * behind it.
     */
    static final long INFO = 0x10000;

    static final long COMMAND_LINE = 0x20000;
    static final int COMMAND_LINE_MAX = 0x10000;

    /** First address behind everything that loaders put low. */
    static final long LOW_END = COMMAND_LINE + COMMAND_LINE_MAX;

    private static final int CHUNK = 1 << 16;

    private Placement() {}

    static long alignUp(long value, long alignment) {
        return (value + alignment - 1) & -alignment;
    }

    /**
     * Copies a stretch of a file into RAM. @throws ConfigurationException if the file is shorter or
     * RAM does not reach
     */
    static void copy(GuestMemory memory, Image image, long position, long address, long bytes)
            throws ConfigurationException {
        if (position < 0 || bytes < 0 || bytes > image.size() - position) {
            throw new ConfigurationException(
                    "%s is truncated: it has %d bytes, its header speaks of %d"
                            .formatted(image.name(), image.size(), position + bytes));
        }
        requireRam(memory, image, address, bytes);
        byte[] chunk = new byte[CHUNK];
        for (long done = 0; done < bytes; done += CHUNK) {
            int part = (int) Math.min(CHUNK, bytes - done);
            image.read(position + done, chunk, 0, part);
            memory.write(address + done, chunk, 0, part);
        }
    }

    /**
     * The part of an image from {@code address} on is RAM, and not the loaders' own.
     *
     * @throws ConfigurationException that says what is in the way
     */
    static void requireFree(GuestMemory memory, Image image, long address, long bytes)
            throws ConfigurationException {
        if (address < LOW_END && bytes > INFO - address) {
            throw new ConfigurationException(
                    "%s wants the memory at 0x%x; loaders need 0x%x to 0x%x for themselves"
                            .formatted(image.name(), address, INFO, LOW_END - 1));
        }
        requireRam(memory, image, address, bytes);
    }

    static void requireRam(GuestMemory memory, Image image, long address, long bytes)
            throws ConfigurationException {
        if (bytes > 0 && !memory.isRam(address, bytes)) {
            throw new ConfigurationException(
                    "%s needs guest memory from 0x%x to 0x%x, which is no RAM; give the VM more memory"
                            .formatted(image.name(), address, address + bytes - 1));
        }
    }

    /** A memory map fits where a boot protocol's structure has room. */
    static void requireRoom(String protocol, List<MemoryRange> map, long most)
            throws ConfigurationException {
        if (map.size() > most) {
            throw new ConfigurationException(
                    "%s: a memory map of %d ranges; at most %d fit"
                            .formatted(protocol, map.size(), most));
        }
    }

    /** Writes text with a zero behind it. */
    static void text(GuestMemory memory, long address, String text) {
        byte[] bytes = (text + '\0').getBytes(StandardCharsets.UTF_8);
        memory.write(address, bytes, 0, bytes.length);
    }

    /**
     * Writes the command line to its place. @param limit longest one that the kernel takes, without
     * the zero
     */
    static long commandLine(Boot boot, long limit) throws ConfigurationException {
        long longest = Math.min(limit, COMMAND_LINE_MAX - 1);
        int bytes = boot.commandLine().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > longest) {
            throw new ConfigurationException(
                    "append: the command line has %d bytes, %s takes %d at most"
                            .formatted(bytes, boot.kernel().name(), longest));
        }
        text(boot.memory(), COMMAND_LINE, boot.commandLine());
        return COMMAND_LINE;
    }

    /**
     * Highest page-aligned address at which {@code bytes} fit into RAM that ends at or below {@code
     * limit}, not below {@code floor}.
     */
    static long highest(Boot boot, Image image, long bytes, long floor, long limit)
            throws ConfigurationException {
        long best = -1;
        for (MemoryRange range : boot.memoryMap()) {
            long end = Math.min(range.start() + range.bytes(), limit);
            long at = end - bytes & -PAGE;
            if (range.kind() == RangeKind.RAM && at >= Math.max(range.start(), floor)) {
                best = Math.max(best, at);
            }
        }
        if (best < 0) {
            throw new ConfigurationException(
                    "%s with its %d KiB does not fit into guest memory beside the kernel; give the VM more memory"
                            .formatted(image.name(), bytes >> 10));
        }
        return best;
    }

    static int u8(Image image, long position) {
        return (int) number(image, position, 1);
    }

    static int u16(Image image, long position) {
        return (int) number(image, position, 2);
    }

    static long u32(Image image, long position) {
        return number(image, position, 4);
    }

    static long u64(Image image, long position) {
        return number(image, position, 8);
    }

    /** A little-endian number; zero behind the end of the file. */
    private static long number(Image image, long position, int bytes) {
        byte[] raw = new byte[bytes];
        image.read(position, raw, 0, bytes);
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | raw[i] & 0xff;
        }
        return value;
    }
}
