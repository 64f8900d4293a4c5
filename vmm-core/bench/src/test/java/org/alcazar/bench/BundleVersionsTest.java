package org.alcazar.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

class BundleVersionsTest {
    @TempDir private Path folder;

    @Test
    void onlyTheNumberDiffers() throws Exception {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Bundle-Version", "0.1.0.SNAPSHOT");
        manifest.getMainAttributes().putValue("Bundle-SymbolicName", "a.b");
        Path bundle = folder.resolve("a.b.jar");
        try (OutputStream out = Files.newOutputStream(bundle);
                JarOutputStream jar = new JarOutputStream(out, manifest)) {
            jar.putNextEntry(new JarEntry("a/b/C.class"));
            jar.write("content".getBytes(StandardCharsets.UTF_8));
        }
        Path newer = new BundleVersions(bundle, folder).newer(7);
        try (JarFile jar = new JarFile(newer.toFile());
                InputStream in = jar.getInputStream(jar.getEntry("a/b/C.class"))) {
            Attributes headers = jar.getManifest().getMainAttributes();
            assertEquals("1.0.7", headers.getValue("Bundle-Version"));
            assertEquals("a.b", headers.getValue("Bundle-SymbolicName"));
            assertEquals("content", new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
