package org.alcazar.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** Makes newer versions of a bundle that differ from it in their number alone. */
final class BundleVersions {
    private static final String VERSION = "Bundle-Version";

    private final Path bundle;
    private final Path folder;

    /**
     * Creates a maker.
     *
     * @param bundle a jar file
     * @param folder where newer ones go
     */
    BundleVersions(Path bundle, Path folder) {
        this.bundle = bundle;
        this.folder = folder;
    }

    /** The bundle with a version above its own, the higher the higher the number. */
    Path newer(int number) throws IOException {
        try (JarFile from = new JarFile(bundle.toFile())) {
            Manifest manifest = new Manifest(from.getManifest());
            String own = manifest.getMainAttributes().getValue(VERSION);
            int major = Integer.parseInt(own.substring(0, own.indexOf('.'))) + 1;
            manifest.getMainAttributes().putValue(VERSION, major + ".0." + number);
            Path file = folder.resolve(number + "-" + bundle.getFileName());
            try (OutputStream out = Files.newOutputStream(file);
                    JarOutputStream jar = new JarOutputStream(out, manifest)) {
                for (JarEntry entry : Collections.list(from.entries())) {
                    if (!entry.isDirectory() && !entry.getName().equals(JarFile.MANIFEST_NAME)) {
                        jar.putNextEntry(new JarEntry(entry.getName()));
                        try (InputStream in = from.getInputStream(entry)) {
                            in.transferTo(jar);
                        }
                    }
                }
            }
            return file;
        }
    }
}
