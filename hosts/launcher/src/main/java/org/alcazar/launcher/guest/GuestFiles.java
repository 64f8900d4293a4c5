package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** Checks that files can be what a Linux guest needs, before they are built into one. */
final class GuestFiles {
    /** The Linux/x86 boot protocol, "The Real-Mode Kernel Header": the mark at 0x202. */
    private static final int HEADER_OFFSET = 0x202;

    private static final int HEADER = 0x53726448; // "HdrS"
    private static final int ELF = 0x464c457f;
    private static final int EI_CLASS = 4;
    private static final int ELFCLASS64 = 2;
    private static final int E_MACHINE = 18;
    private static final int EM_X86_64 = 62;
    private static final int E_PHOFF = 32;
    private static final int E_PHENTSIZE = 54;
    private static final int E_PHNUM = 56;
    private static final int PT_INTERP = 3;
    private static final int ENOUGH = 4096;

    private GuestFiles() {}

    /**
     * Refuses a kernel that is no bzImage.
     *
     * @param shown the path to name in the message
     */
    static void checkKernel(Path kernel, Path shown) throws GuestException, IOException {
        ByteBuffer head = head(kernel);
        if (head.limit() < HEADER_OFFSET + 4 || head.getInt(HEADER_OFFSET) != HEADER) {
            throw new GuestException(
                    shown + ": no Linux bzImage, for the mark HdrS at offset 0x202 is missing");
        }
    }

    /**
     * Refuses a program that is not a static one for x86-64.
     *
     * @param shown the path to name in the message
     */
    static void checkBusybox(Path busybox, Path shown) throws GuestException, IOException {
        ByteBuffer head = head(busybox);
        boolean elf =
                head.limit() >= E_PHNUM + 2
                        && head.getInt(0) == ELF
                        && head.get(EI_CLASS) == ELFCLASS64
                        && head.getShort(E_MACHINE) == EM_X86_64;
        if (!elf) {
            throw new GuestException(
                    shown + ": no ELF program for x86-64; a static BusyBox is wanted");
        }
        int count = Short.toUnsignedInt(head.getShort(E_PHNUM));
        int size = Short.toUnsignedInt(head.getShort(E_PHENTSIZE));
        for (int i = 0; i < count; i++) {
            long at = head.getLong(E_PHOFF) + (long) i * size;
            if (at >= 0 && at <= head.limit() - 4 && head.getInt((int) at) == PT_INTERP) {
                throw new GuestException(
                        shown + ": needs shared libraries; a static BusyBox is wanted");
            }
        }
    }

    private static ByteBuffer head(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return ByteBuffer.wrap(in.readNBytes(ENOUGH)).order(ByteOrder.LITTLE_ENDIAN);
        }
    }
}
