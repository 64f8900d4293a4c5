package org.alcazar.engines.x86.decode;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Machine code of Debian that happens to be here: the C library, BusyBox and a kernel. */
final class Programs {
    private static final int SECTOR = 512;

    private static final List<Path> LIBRARIES =
            List.of(
                    Path.of("/lib/x86_64-linux-gnu/libc.so.6"),
                    Path.of("/usr/lib64/libc.so.6"),
                    Path.of("/usr/lib/libc.so.6"));

    private Programs() {}

    static Optional<Path> library() {
        return LIBRARIES.stream().filter(Files::isRegularFile).findFirst();
    }

    /** BusyBox as the Linux guest was built with it. */
    static Optional<Path> busybox() {
        return guest("busybox");
    }

    /** The kernel as the Linux guest was built with it. */
    static Optional<Path> bzImage() {
        return guest("vmlinuz");
    }

    private static Optional<Path> guest(String name) {
        Path top = Path.of("").toAbsolutePath();
        return Stream.iterate(top, p -> p != null, Path::getParent)
                .flatMap(p ->
                        Stream.of("linux", "linux-generic")
                                .map(g -> p.resolve("guests/linux/build/" + g)))
                .map(p -> p.resolve(name))
                .filter(Files::isRegularFile)
                .findFirst();
    }

    /**
     * The kernel's ELF file out of a bzImage (Linux' boot protocol, payload_offset).
     *
     * @return empty if there is no program for its compression
     */
    static Optional<Path> vmlinux(Path bzImage, Path folder)
            throws IOException, InterruptedException {
        byte[] image = Files.readAllBytes(bzImage);
        ByteBuffer b = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        int from = ((b.get(0x1f1) & 0xff) + 1) * SECTOR + b.getInt(0x248);
        int length = b.getInt(0x24c);
        byte[] payload = java.util.Arrays.copyOfRange(image, from, from + length);
        String program =
                switch (payload[0] & 0xff) {
                    case 0x1f -> "gzip";
                    case 0xfd -> "xz";
                    case 0x28 -> "zstd";
                    default -> "lz4";
                };
        Path packed = folder.resolve("payload");
        Path unpacked = folder.resolve("vmlinux");
        Files.write(packed, payload);
        try {
            // The kernel's size follows the payload, which is no error here.
            new ProcessBuilder(program, "-dc", packed.toString())
                    .redirectOutput(unpacked.toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            return Optional.empty();
        }
        return Files.size(unpacked) > image.length ? Optional.of(unpacked) : Optional.empty();
    }
}
