package org.alcazar.hosts.l4;

import org.alcazar.host.HostRefusal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A statically linked x86-64 executable (System V ABI, chapters 4 and 5; AMD64 supplement), all of
 * it checked before anything is done with it.
 *
 * @param entry where its first thread starts
 * @param segments what is loaded, by ascending address
 */
record ElfImage(long entry, List<Segment> segments) {
    /** Below, nothing is loaded or given, so that null pointers and small offsets fault. */
    static final long LOWEST = 0x1_0000;

    private static final int HEADER = 64;
    private static final int PROGRAM_HEADER = 56;
    private static final int MOST_HEADERS = 64;

    private static final int EXECUTABLE = 2;
    private static final int X86_64 = 62;
    private static final int LOAD = 1;
    private static final int DYNAMIC = 2;
    private static final int INTERPRETER = 3;

    /**
     * One loaded piece.
     *
     * @param address of its first byte
     * @param bytes in memory; those behind what the file has are zero
     * @param offset in the file
     * @param fileBytes in the file
     * @param rights of {@link Flexpage}
     */
    record Segment(long address, long bytes, int offset, int fileBytes, int rights) {
        long end() {
            return address + bytes;
        }
    }

    /**
     * Reads and checks an image.
     *
     * @param name for the message
     * @param end where user addresses end
     * @throws HostRefusal with one line if anything about it is not right
     */
    static ElfImage read(String name, byte[] file, long end) throws HostRefusal {
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (file.length < HEADER || in.getInt(0) != 0x464c457f) {
            throw refusal(name, "is no ELF file");
        }
        if (in.get(4) != 2 || in.get(5) != 1 || in.getShort(18) != X86_64) {
            throw refusal(name, "is not for x86-64");
        }
        if (in.getShort(16) != EXECUTABLE) {
            throw refusal(
                    name,
                    "is of ELF type %d, not a static executable (2); link it with -static -no-pie"
                            .formatted(in.getShort(16) & 0xffff));
        }
        long table = in.getLong(32);
        int count = in.getShort(56) & 0xffff;
        if (in.getShort(54) != PROGRAM_HEADER
                || count < 1
                || count > MOST_HEADERS
                || table < HEADER
                || table > file.length - (long) count * PROGRAM_HEADER) {
            throw refusal(name, "has no table of 1 to %d program headers".formatted(MOST_HEADERS));
        }
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int at = (int) table + i * PROGRAM_HEADER;
            int type = in.getInt(at);
            if (type == INTERPRETER || type == DYNAMIC) {
                throw refusal(name, "is linked dynamically; link it with -static -no-pie");
            }
            if (type == LOAD && in.getLong(at + 40) != 0) {
                segments.add(segment(name, in, at, file.length, end));
            }
        }
        segments.sort(Comparator.comparingLong(Segment::address));
        return checked(name, in.getLong(24), segments);
    }

    private static Segment segment(String name, ByteBuffer in, int at, int length, long end)
            throws HostRefusal {
        int flags = in.getInt(at + 4);
        long offset = in.getLong(at + 8);
        long address = in.getLong(at + 16);
        long fileBytes = in.getLong(at + 32);
        long bytes = in.getLong(at + 40);
        if (offset < 0 || fileBytes < 0 || fileBytes > length || offset > length - fileBytes) {
            throw refusal(name, "lacks bytes that its segment at 0x%x has".formatted(address));
        }
        if (bytes < fileBytes) {
            throw refusal(
                    name,
                    "has a segment at 0x%x that is larger in the file than in memory"
                            .formatted(address));
        }
        if (address < LOWEST || address > end || bytes > end - address) {
            throw refusal(
                    name,
                    "has a segment at 0x%x of 0x%x bytes, not within 0x%x to 0x%x"
                            .formatted(address, bytes, LOWEST, end));
        }
        int rights =
                ((flags & 4) != 0 ? Flexpage.READ : 0)
                        | ((flags & 2) != 0 ? Flexpage.WRITE : 0)
                        | ((flags & 1) != 0 ? Flexpage.EXECUTE : 0);
        return new Segment(address, bytes, (int) offset, (int) fileBytes, rights);
    }

    private static ElfImage checked(String name, long entry, List<Segment> segments)
            throws HostRefusal {
        boolean entered = false;
        for (int i = 0; i < segments.size(); i++) {
            Segment segment = segments.get(i);
            if (i > 0 && segment.address < segments.get(i - 1).end()) {
                throw refusal(name, "has segments that overlap at 0x%x".formatted(segment.address));
            }
            entered |=
                    (segment.rights & Flexpage.EXECUTE) != 0
                            && entry >= segment.address
                            && entry < segment.end();
        }
        if (!entered) {
            throw refusal(name, "starts at 0x%x, where it has no code of its own".formatted(entry));
        }
        return new ElfImage(entry, List.copyOf(segments));
    }

    private static HostRefusal refusal(String name, String what) {
        return new HostRefusal("native program " + name + ": " + what);
    }
}
