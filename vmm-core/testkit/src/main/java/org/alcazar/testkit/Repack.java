package org.alcazar.testkit;

import org.osgi.framework.Constants;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/** Makes jar files of bundles that lie on the class path as folders or jar files. */
final class Repack {
    private static final String CLASS = ".class";

    private Repack() {}

    /**
     * A bundle of another version.
     *
     * @param without headers that it lacks
     */
    static Path bundle(
            Path from, Manifest manifest, String version, Path folder, List<String> without) {
        return bundle(from, manifest, version, folder, without, classFile -> classFile, List.of());
    }

    /** A bundle of another version that goes wrong in some way. */
    static Path bundle(Path from, Manifest manifest, String version, Path folder, Spoiled spoiled) {
        return bundle(
                from,
                manifest,
                version,
                folder,
                List.of(),
                spoiled::change,
                List.of(Spoiled.Later.class));
    }

    private static Path bundle(
            Path from,
            Manifest manifest,
            String version,
            Path folder,
            List<String> without,
            UnaryOperator<byte[]> change,
            List<Class<?>> more) {
        Manifest headers = new Manifest(manifest);
        without.forEach(name -> headers.getMainAttributes().remove(new Attributes.Name(name)));
        headers.getMainAttributes().putValue(Constants.BUNDLE_VERSION, version);
        Path jar = folder.resolve("bundle-" + version + ".jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), headers)) {
            if (Files.isDirectory(from)) {
                copy(from, out, change);
            } else {
                try (FileSystem files = FileSystems.newFileSystem(from)) {
                    copy(files.getPath("/"), out, change);
                }
            }
            for (Class<?> type : more) {
                put(out, type.getName().replace('.', '/') + CLASS, own(type));
            }
            return jar;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path root, JarOutputStream out, UnaryOperator<byte[]> change)
            throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = root.relativize(file).toString();
                if (!name.equals(JarFile.MANIFEST_NAME)) {
                    byte[] bytes = Files.readAllBytes(file);
                    put(out, name, name.endsWith(CLASS) ? change.apply(bytes) : bytes);
                }
            }
        }
    }

    private static void put(JarOutputStream out, String name, byte[] bytes) throws IOException {
        out.putNextEntry(new JarEntry(name));
        out.write(bytes);
        out.closeEntry();
    }

    private static byte[] own(Class<?> type) throws IOException {
        String name = type.getName();
        try (InputStream in =
                type.getResourceAsStream(name.substring(name.lastIndexOf('.') + 1) + CLASS)) {
            return Objects.requireNonNull(in, name).readAllBytes();
        }
    }
}
