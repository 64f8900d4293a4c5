package org.alcazar.testkit;

import org.jspecify.annotations.Nullable;
import org.osgi.framework.Constants;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A bundle on the test class path: a jar file, or a folder such as {@code target/classes}.
 *
 * @param manifest with a symbolic name
 */
record ClassPathBundle(Path path, Manifest manifest) {
    private static final String OURS = "org.alcazar.";
    private static final String HOSTS = "org.alcazar.hosts.";

    /** The host of tests; others on the class path are there for tests of their own. */
    private static final String HOST = "org.alcazar.hosts.jvm";

    /** Bundles that declarative services need. */
    private static final Set<String> RUNTIME =
            Set.of(
                    "org.apache.felix.scr",
                    "org.osgi.service.component",
                    "org.osgi.util.promise",
                    "org.osgi.util.function");

    static List<ClassPathBundle> all() {
        return in(
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path", "")));
    }

    /** Those of a class path, in its order. */
    static List<ClassPathBundle> in(String paths) {
        List<ClassPathBundle> out = new ArrayList<>();
        for (String path : paths.split(File.pathSeparator, -1)) {
            Path file = Path.of(path);
            Manifest manifest = manifest(file);
            if (manifest != null) {
                ClassPathBundle bundle = new ClassPathBundle(file, manifest);
                if (!bundle.name().isEmpty()) {
                    out.add(bundle);
                }
            }
        }
        return out;
    }

    private static @Nullable Manifest manifest(Path path) {
        try {
            if (Files.isDirectory(path)) {
                Path file = path.resolve(JarFile.MANIFEST_NAME);
                if (!Files.exists(file)) {
                    return null;
                }
                try (InputStream in = Files.newInputStream(file)) {
                    return new Manifest(in);
                }
            }
            if (!Files.exists(path)) {
                return null;
            }
            try (JarFile jar = new JarFile(path.toFile())) {
                return jar.getManifest();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String header(String name) {
        String value = manifest.getMainAttributes().getValue(name);
        return value == null ? "" : value;
    }

    String name() {
        return header(Constants.BUNDLE_SYMBOLICNAME).split(";", 2)[0].trim();
    }

    String exports() {
        return header(Constants.EXPORT_PACKAGE);
    }

    /** Names of the packages that it exports. */
    Set<String> packages() {
        return Stream.of(exports().replaceAll("\"[^\"]*\"", "").split(","))
                .map(entry -> entry.split(";", 2)[0].trim())
                .collect(Collectors.toSet());
    }

    private boolean hasComponents() {
        return !header("Service-Component").isEmpty();
    }

    /** Whether it is made for Alcazar: in its tree, or the project's own, whatever its name. */
    private boolean isAlcazars() {
        return name().startsWith(OURS)
                || Files.isDirectory(path)
                || header(Constants.IMPORT_PACKAGE).contains(OURS);
    }

    /** An API: its classes are those of the test, and the system bundle exports them. */
    boolean isShared() {
        return !exports().isEmpty()
                && !hasComponents()
                && (isAlcazars() || name().equals("slf4j.api"));
    }

    /** Whether it is installed unless it is shared. */
    boolean isWanted() {
        return !name().equals("org.alcazar.testkit")
                && (!name().startsWith(HOSTS) || name().equals(HOST))
                && (isAlcazars() || hasComponents() || RUNTIME.contains(name()));
    }
}
