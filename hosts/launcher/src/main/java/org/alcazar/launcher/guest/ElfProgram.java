package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an x86-64 program or shared library needs at its start (System V ABI, "Program Loading and
 * Dynamic Linking").
 *
 * @param interpreter the path of the dynamic linker; empty for a static program and for a library
 * @param needed names of the shared libraries, in the file's order
 */
record ElfProgram(Optional<String> interpreter, List<String> needed) {
    private static final int ELF = 0x464c457f;
    private static final int EI_CLASS = 4;
    private static final int ELFCLASS64 = 2;
    private static final int E_MACHINE = 18;
    private static final int EM_X86_64 = 62;
    private static final int E_PHOFF = 32;
    private static final int E_PHENTSIZE = 54;
    private static final int E_PHNUM = 56;
    private static final int EHDR_SIZE = 64;
    private static final int PHDR_SIZE = 56;
    private static final int PT_LOAD = 1;
    private static final int PT_DYNAMIC = 2;
    private static final int PT_INTERP = 3;
    private static final long DT_NULL = 0;
    private static final long DT_NEEDED = 1;
    private static final long DT_STRTAB = 5;
    private static final int DYN_SIZE = 16;

    private record Segment(int type, long offset, long address, long size) {}

    /** Reads a file's headers; empty when it is no ELF file for x86-64, or a broken one. */
    static Optional<ElfProgram> read(Path file) throws IOException {
        if (Files.size(file) < EHDR_SIZE || Files.size(file) > Integer.MAX_VALUE) {
            return Optional.empty();
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) channel.size());
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                // until it is full
            }
            return parse(bytes.flip().order(ByteOrder.LITTLE_ENDIAN));
        } catch (IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    private static Optional<ElfProgram> parse(ByteBuffer file) {
        boolean elf =
                file.getInt(0) == ELF
                        && file.get(EI_CLASS) == ELFCLASS64
                        && file.getShort(E_MACHINE) == EM_X86_64;
        if (!elf) {
            return Optional.empty();
        }
        List<Segment> segments = segments(file);
        Optional<String> interpreter =
                segments.stream()
                        .filter(segment -> segment.type() == PT_INTERP)
                        .findFirst()
                        .map(segment -> text(file, segment.offset()));
        return Optional.of(new ElfProgram(interpreter, needed(file, segments)));
    }

    private static List<Segment> segments(ByteBuffer file) {
        int count = Short.toUnsignedInt(file.getShort(E_PHNUM));
        int size = Short.toUnsignedInt(file.getShort(E_PHENTSIZE));
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int at = index(file, file.getLong(E_PHOFF) + (long) i * size, PHDR_SIZE);
            segments.add(
                    new Segment(
                            file.getInt(at),
                            file.getLong(at + 8),
                            file.getLong(at + 16),
                            file.getLong(at + 32)));
        }
        return segments;
    }

    private static List<String> needed(ByteBuffer file, List<Segment> segments) {
        List<Long> names = new ArrayList<>();
        long strings = 0;
        for (Segment segment : segments) {
            long entries = segment.type() == PT_DYNAMIC ? segment.size() / DYN_SIZE : 0;
            for (long i = 0; i < entries; i++) {
                int at = index(file, segment.offset() + i * DYN_SIZE, DYN_SIZE);
                long tag = file.getLong(at);
                if (tag == DT_NULL) {
                    break;
                } else if (tag == DT_NEEDED) {
                    names.add(file.getLong(at + 8));
                } else if (tag == DT_STRTAB) {
                    strings = offset(segments, file.getLong(at + 8));
                }
            }
        }
        long table = strings;
        return names.stream().map(name -> text(file, table + name)).toList();
    }

    /** Where in the file that lies which is loaded at an address. */
    private static long offset(List<Segment> segments, long address) {
        for (Segment segment : segments) {
            long into = address - segment.address();
            if (segment.type() == PT_LOAD && into >= 0 && into < segment.size()) {
                return segment.offset() + into;
            }
        }
        throw new IndexOutOfBoundsException("nothing is loaded at " + address);
    }

    private static String text(ByteBuffer file, long offset) {
        int start = index(file, offset, 1);
        int end = start;
        while (file.get(end) != 0) {
            end++;
        }
        return new String(file.array(), start, end - start, StandardCharsets.UTF_8);
    }

    private static int index(ByteBuffer file, long offset, int size) {
        if (offset < 0 || offset > file.limit() - size) {
            throw new IndexOutOfBoundsException("offset " + offset);
        }
        return (int) offset;
    }
}
