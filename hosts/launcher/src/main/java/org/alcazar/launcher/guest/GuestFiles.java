package org.alcazar.launcher.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Checks that files can be what a Linux guest needs, before they are built into one. */
final class GuestFiles {
    /** The Linux/x86 boot protocol, "The Real-Mode Kernel Header": the mark at 0x202. */
    private static final int HEADER_OFFSET = 0x202;

    private static final int HEADER = 0x53726448; // "HdrS"
    private static final int HEAD = 4096;

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
        Optional<ElfProgram> program = ElfProgram.read(busybox);
        if (program.isEmpty()) {
            throw new GuestException(
                    shown + ": no ELF program for x86-64; a static BusyBox is wanted");
        }
        if (program.get().interpreter().isPresent()) {
            throw new GuestException(
                    shown + ": needs shared libraries; a static BusyBox is wanted");
        }
    }

    private static ByteBuffer head(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return ByteBuffer.wrap(in.readNBytes(HEAD)).order(ByteOrder.LITTLE_ENDIAN);
        }
    }
}
