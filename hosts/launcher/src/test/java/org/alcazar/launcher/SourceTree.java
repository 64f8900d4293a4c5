package org.alcazar.launcher;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The modules of this source tree, as the root pom lists them, with the classes that the build has
 * made of each.
 */
final class SourceTree {
    private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");

    /** A parent, and a template: they have no code of ours. */
    private static final Set<String> WITHOUT_CLASSES = Set.of("plugins", "plugins/archetype");

    /** The package that hosts embed. */
    private static final String LIBRARY = "org.alcazar.hosts.support";

    private static final Pattern ARTIFACT =
            Pattern.compile("(?m)^ {2}<artifactId>([^<]+)</artifactId>");

    private final List<Module> modules;

    private SourceTree(List<Module> modules) {
        this.modules = List.copyOf(modules);
    }

    /**
     * One module.
     *
     * @param folder below the root, with slashes: {@code plugins/devices/pit8254}
     * @param artifact its artifactId, which is the bundle's symbolic name
     * @param classes the classes of its main sources; none while the module is empty
     * @param embedded classes of libraries that its bundle carries within itself
     * @param manifest the bundle's headers, if it has classes
     */
    record Module(
            String folder,
            String artifact,
            List<JavaClass> classes,
            List<JavaClass> embedded,
            Optional<Attributes> manifest) {

        /**
         * Whether other modules may compile against this one: its classes are an API and nothing
         * else.
         */
        boolean isApi() {
            return folder.startsWith("host-api/")
                    || folder.equals("vmm-core/api")
                    || (isPlugin() && folder.endsWith("-api"));
        }

        boolean isPlugin() {
            return folder.startsWith("plugins/");
        }

        /** Whether it is a host; the launcher and a library live among the hosts and are none. */
        boolean isHost() {
            return folder.startsWith("hosts/") && !folder.equals("hosts/launcher") && !isLibrary();
        }

        /** Whether bundles carry it within themselves; it is none itself. */
        boolean isLibrary() {
            return folder.equals("hosts/support");
        }

        /** Whether it goes into the distribution as a bundle. */
        boolean isBundle() {
            return isPlugin()
                    || isHost()
                    || List.of("host-api/machine", "vmm-core/api", "vmm-core/core")
                            .contains(folder);
        }
    }

    /** Reads the tree that this build belongs to. */
    static SourceTree read() throws IOException {
        Path root =
                Path.of(System.getProperty("alcazar.root", "../..")).toAbsolutePath().normalize();
        List<Module> modules = new ArrayList<>();
        Matcher folders = MODULE.matcher(Files.readString(root.resolve("pom.xml")));
        while (folders.find()) {
            if (!WITHOUT_CLASSES.contains(folders.group(1))) {
                modules.add(module(root, folders.group(1)));
            }
        }
        return new SourceTree(modules);
    }

    private static Module module(Path root, String folder) throws IOException {
        Path home = root.resolve(folder);
        Matcher artifact = ARTIFACT.matcher(Files.readString(home.resolve("pom.xml")));
        if (!artifact.find()) {
            throw new IOException(home.resolve("pom.xml") + " names no artifact");
        }
        Path classes = home.resolve("target/classes");
        Map<Boolean, List<JavaClass>> imported = Map.of(true, List.of(), false, List.of());
        if (Files.isDirectory(classes)) {
            JavaClasses found = new ClassFileImporter().importPath(classes);
            imported =
                    found.stream()
                            .collect(
                                    Collectors.partitioningBy(type ->
                                            type.getPackageName().equals(LIBRARY)
                                                    && !folder.equals("hosts/support")));
        }
        return new Module(
                folder,
                artifact.group(1),
                imported.getOrDefault(false, List.of()),
                imported.getOrDefault(true, List.of()),
                manifest(classes));
    }

    private static Optional<Attributes> manifest(Path classes) throws IOException {
        Path file = classes.resolve("META-INF/MANIFEST.MF");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(file)) {
            return Optional.of(new Manifest(in).getMainAttributes());
        }
    }

    List<Module> modules() {
        return modules;
    }

    /** The modules that have classes by now. */
    Stream<Module> filled() {
        return modules.stream().filter(module -> !module.classes().isEmpty());
    }

    Module module(String folder) {
        return modules.stream()
                .filter(module -> module.folder().equals(folder))
                .findAny()
                .orElseThrow(() -> new IllegalArgumentException("no module " + folder));
    }
}
