package org.alcazar.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;

/**
 * The files of a built Linux guest, the same for every peer.
 *
 * @param kernel a bzImage
 * @param initrd its initial RAM file system
 */
record LinuxGuest(Path kernel, Path initrd) {
    /** The guest's BusyBox, static, which the machine itself can run too. */
    Path busybox() {
        return kernel.resolveSibling("busybox");
    }

    /**
     * Finds a guest's files, and has {@code alcazar guest build} make them when they are missing or
     * older than these sources.
     *
     * @param root the source tree
     * @param name such as {@code linux}
     * @param sources folders of the tree
     */
    static LinuxGuest find(Path root, String name, List<String> sources)
            throws IOException, InterruptedException {
        Path folder = root.resolve("guests/linux/build").resolve(name);
        Path manifest = folder.resolve("manifest");
        if (!Files.exists(manifest) || isOlder(manifest, root, sources)) {
            System.err.println("alcazar: building the guest " + name);
            int status =
                    new ProcessBuilder(root.resolve("alcazar").toString(), "guest", "build", name)
                            .inheritIO()
                            .start()
                            .waitFor();
            if (status != 0) {
                throw new IOException("the guest " + name + " cannot be built");
            }
        }
        return new LinuxGuest(folder.resolve("vmlinuz"), folder.resolve("initrd.gz"));
    }

    private static boolean isOlder(Path built, Path root, List<String> sources) throws IOException {
        FileTime time = Files.getLastModifiedTime(built);
        for (String source : sources) {
            try (Stream<Path> files = Files.list(root.resolve(source))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    if (Files.getLastModifiedTime(file).compareTo(time) > 0) {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
