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
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/** Makes jar files of bundles that lie on the class path as folders or jar files. */
final class Repack {
    private Repack() {}

    static Path bundle(
            Path from, Manifest manifest, String version, Path folder, List<String> without) {
        Manifest headers = new Manifest(manifest);
        without.forEach(name -> headers.getMainAttributes().remove(new Attributes.Name(name)));
        headers.getMainAttributes().putValue(Constants.BUNDLE_VERSION, version);
        Path jar = folder.resolve("bundle-" + version + ".jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), headers)) {
            if (Files.isDirectory(from)) {
                copy(from, out);
            } else {
                try (FileSystem files = FileSystems.newFileSystem(from)) {
                    copy(files.getPath("/"), out);
                }
            }
            return jar;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path root, JarOutputStream out) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = root.relativize(file).toString();
                if (name.equals(JarFile.MANIFEST_NAME)) {
                    continue;
                }
                out.putNextEntry(new JarEntry(name));
                try (InputStream in = Files.newInputStream(file)) {
                    in.transferTo(out);
                }
                out.closeEntry();
            }
        }
    }
}
