package org.alcazar.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** Which bundles of a class path are installed, and which are shared with the test. */
class ClassPathBundleTest {
    private static final String COMPONENT = "Service-Component: OSGI-INF/one.xml";

    @TempDir private Path folder;

    private String folder(String name, String... headers) throws IOException {
        Path classes = Files.createDirectories(folder.resolve(name));
        Path file = classes.resolve("META-INF/MANIFEST.MF");
        Files.createDirectories(classes.resolve("META-INF"));
        Files.writeString(file, text(name, headers));
        return classes.toString();
    }

    private String jar(String name, String... headers) throws IOException {
        Path jar = folder.resolve(name + ".jar");
        Manifest manifest =
                new Manifest(
                        new ByteArrayInputStream(
                                text(name, headers).getBytes(StandardCharsets.UTF_8)));
        new JarOutputStream(Files.newOutputStream(jar), manifest).close();
        return jar.toString();
    }

    private static String text(String name, String... headers) {
        return "Manifest-Version: 1.0\nBundle-SymbolicName: "
                + name
                + "\n"
                + String.join("\n", headers)
                + "\n";
    }

    @Test
    void aProjectsBundleHasAnyName() throws IOException {
        Files.createDirectories(folder.resolve("test-classes"));
        List<ClassPathBundle> all =
                ClassPathBundle.in(
                        String.join(
                                File.pathSeparator,
                                folder.resolve("test-classes").toString(),
                                folder("com.example.timer", COMPONENT),
                                folder("com.example.api", "Export-Package: com.example.api"),
                                jar("com.example.other", COMPONENT),
                                jar(
                                        "com.example.jarred.api",
                                        "Export-Package: com.example.jarred;uses:=\"a,b\"",
                                        "Import-Package: org.alcazar.machine"),
                                jar("library", "Export-Package: library"),
                                jar("org.alcazar.testkit", "Export-Package: org.alcazar.testkit"),
                                jar("org.alcazar.devices.one", COMPONENT),
                                folder.resolve("not-there.jar").toString()));
        assertEquals(
                List.of("com.example.timer", "com.example.other", "org.alcazar.devices.one"),
                all.stream()
                        .filter(b -> !b.isShared() && b.isWanted())
                        .map(ClassPathBundle::name)
                        .toList());
        assertEquals(
                List.of("com.example.api", "com.example.jarred.api", "org.alcazar.testkit"),
                all.stream().filter(ClassPathBundle::isShared).map(ClassPathBundle::name).toList());
        assertEquals(Set.of("com.example.jarred"), all.get(3).packages());
    }
}
