package org.alcazar.launcher.framework;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/** The real framework with bundles made here. */
class FelixVmmTest {
    private static final String IMPORTS =
            "org.alcazar.host;version=\"[0.1,0.2)\",org.osgi.framework";

    @TempDir private Path folder;
    private Path bundles = Path.of("");

    @BeforeEach
    void aDistribution() throws IOException {
        bundles = Files.createDirectories(folder.resolve("bundles"));
        put(bundles, "org.alcazar.hosts.jvm", Map.of());
        put(bundles, "org.alcazar.hosts.other", Map.of("Import-Package", "nowhere.at.all"));
        put(
                bundles,
                "org.alcazar.vmm.core",
                Map.of(
                        "Import-Package",
                        IMPORTS + ",org.slf4j;version=\"[2.0,3)\"",
                        "Bundle-Activator",
                        FakeCore.class.getName()),
                FakeCore.class,
                FakeCore.Control.class);
    }

    private Path bundle(String name, Map<String, String> headers, Class<?>... classes)
            throws IOException {
        return put(folder, name, headers, classes);
    }

    private static Path put(
            Path folder, String name, Map<String, String> headers, Class<?>... classes)
            throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.putValue("Manifest-Version", "1.0");
        attributes.putValue("Bundle-ManifestVersion", "2");
        attributes.putValue("Bundle-SymbolicName", name);
        headers.forEach(attributes::putValue);
        Path file = folder.resolve(name + ".jar");
        try (OutputStream out = Files.newOutputStream(file);
                JarOutputStream jar = new JarOutputStream(out, manifest)) {
            for (Class<?> type : classes) {
                String entry = type.getName().replace('.', '/') + ".class";
                jar.putNextEntry(new ZipEntry(entry));
                try (InputStream in = type.getResourceAsStream("/" + entry)) {
                    in.transferTo(jar);
                }
                jar.closeEntry();
            }
        }
        return file;
    }

    private FelixVmm start(String host, Path... further) throws Failure {
        return FelixVmm.start(
                new BundleFolder(bundles), HostChoice.of(host), List.of(further), Optional.empty());
    }

    private String refusal(int status, String host, Path... further) throws IOException {
        Set<Path> before = caches();
        Failure failure = assertThrows(Failure.class, () -> start(host, further).close());
        assertEquals(status, failure.status(), failure.getMessage());
        assertEquals(before, caches(), "the cache is gone");
        return String.valueOf(failure.getMessage());
    }

    private static Set<Path> caches() throws IOException {
        String mine = "alcazar-cache-" + ProcessHandle.current().pid() + "-";
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return new HashSet<>(
                    files.filter(file -> file.getFileName().toString().startsWith(mine)).toList());
        }
    }

    @Test
    void theVmmIsFoundAndTheCacheGoneAfterwards() throws IOException, Failure {
        Set<Path> before = caches();
        try (FelixVmm vmm = start("jvm")) {
            assertEquals(before.size() + 1, caches().size());
            assertEquals(
                    Map.of(
                            "bundles",
                            Map.of("org.alcazar.hosts.jvm", "", "org.alcazar.vmm.core", "")),
                    vmm.control().types());
        }
        assertEquals(before, caches());
    }

    @Test
    void aFurtherBundleIsStarted() throws IOException, Failure {
        Path further = bundle("my.plugin", Map.of());
        try (FelixVmm vmm = start("jvm", further)) {
            Map<String, String> active = vmm.control().types().get("bundles");
            assertTrue(active != null && active.containsKey("my.plugin"), "" + active);
        }
    }

    private Path ownHost(String name) throws IOException {
        return bundle(
                "my.host." + name,
                Map.of(
                        "Import-Package",
                        IMPORTS,
                        "Bundle-Activator",
                        OwnHost.class.getName(),
                        "Alcazar-Host",
                        name),
                OwnHost.class);
    }

    @Test
    void aHostOfTheUsersOwnTakesThePlaceOfTheDistributions() throws IOException, Failure {
        try (FelixVmm vmm = start("own", bundle("my.plugin", Map.of()), ownHost("own"))) {
            assertEquals(
                    Set.of("my.host.own", "my.plugin", "org.alcazar.vmm.core"),
                    vmm.control().types().getOrDefault("bundles", Map.of()).keySet());
        }
    }

    @Test
    void aHostThatNobodyHasChosenIsRefused() throws IOException {
        Path own = ownHost("own");
        assertEquals(
                own + ": is the host 'own', but the host is 'jvm'; choose it with --host own",
                refusal(2, "jvm", own));
        assertEquals(
                "no host 'owm'; there are: jvm, other, own; did you mean 'own'?",
                refusal(2, "owm", own));
    }

    @Test
    void aHostOfANameThatIsTakenIsRefused() throws IOException {
        Path own = ownHost("jvm");
        assertEquals(
                own
                        + ": there is a host 'jvm' already; give this one another name"
                        + " (Alcazar-Host)",
                refusal(2, "jvm", own));
    }

    @Test
    void aHostThatIsNoneOrAnotherIsTold() throws IOException {
        assertEquals(
                "host none: its bundle registers no service org.alcazar.host.HostKernel when it"
                        + " starts",
                refusal(2, "none", bundle("my.none", Map.of("Alcazar-Host", "none"))));
        assertEquals(
                "host mine: its bundle calls it 'mine' (Alcazar-Host), it calls itself 'own'",
                refusal(2, "mine", ownHost("mine")));
    }

    @Test
    void aBundleThatDoesNotResolveIsToldInOneLine() throws IOException {
        Path further =
                bundle("my.plugin", Map.of("Import-Package", "org.nowhere;version=\"[1.2,2)\""));
        assertEquals(
                "bundle my.plugin needs the package org.nowhere of version 1.2.0 or newer, below"
                        + " 2.0.0, which no bundle exports",
                refusal(2, "jvm", further));
    }

    @Test
    void aWrongVersionOfASharedPackageIsTold() throws IOException {
        Path further =
                bundle(
                        "my.plugin",
                        Map.of("Import-Package", "org.alcazar.host;version=\"[9.0,10)\""));
        assertTrue(
                refusal(2, "jvm", further)
                        .startsWith("bundle my.plugin needs the package org.alcazar.host of"));
    }

    @Test
    void aMissingBundleOrJavaIsTold() throws IOException {
        assertEquals(
                "bundle my.plugin needs the bundle some.other, which is not installed",
                refusal(2, "jvm", bundle("my.plugin", Map.of("Require-Bundle", "some.other"))));
        String java =
                refusal(
                        2,
                        "jvm",
                        bundle(
                                "my.plugin",
                                Map.of(
                                        "Require-Capability",
                                        "osgi.ee;filter:=\"(&(osgi.ee=JavaSE)(version=99))\"")));
        assertTrue(java.startsWith("bundle my.plugin needs Java 99; this is Java "), java);
    }

    @Test
    void whatABundleNeedsOfAnotherBundleIsTold() throws IOException {
        Path middle = bundle("middle", Map.of("Import-Package", "deep", "Export-Package", "high"));
        Path top = bundle("top", Map.of("Import-Package", "high"));
        assertEquals(
                "bundle top needs the package deep, which no bundle exports",
                refusal(2, "jvm", top, middle));
    }

    @Test
    void aBundleWhoseStartFailsIsTold() throws IOException {
        Path further =
                bundle(
                        "my.plugin",
                        Map.of(
                                "Import-Package",
                                "org.osgi.framework",
                                "Bundle-Activator",
                                FailingStart.class.getName()),
                        FailingStart.class);
        assertEquals(
                "bundle my.plugin does not start: IllegalStateException: no such thing",
                refusal(2, "jvm", further));
    }

    @Test
    void aFileThatIsNoBundleIsTold() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "text");
        String message = refusal(2, "jvm", text);
        assertEquals(text + ": is no bundle: it must be a jar file with OSGi headers", message);
    }

    @Test
    void anUnknownHostIsToldBeforeAnythingStarts() throws IOException {
        assertEquals(
                "no host 'jmv'; there are: jvm, other; did you mean 'jvm'?", refusal(2, "jmv"));
    }

    @Test
    void withoutBundlesTheBuildIsNamed() {
        Failure failure =
                assertThrows(
                        Failure.class,
                        () ->
                                FelixVmm.start(
                                        new BundleFolder(folder.resolve("no")),
                                        HostChoice.DEFAULT,
                                        List.of(),
                                        Optional.empty()));
        assertEquals(
                "there are no bundles in " + folder.resolve("no") + ": run ./alcazar build first",
                failure.getMessage());
    }
}
