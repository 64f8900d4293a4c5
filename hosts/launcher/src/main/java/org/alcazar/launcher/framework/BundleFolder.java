package org.alcazar.launcher.framework;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Spelling;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The distribution's folder of bundles. Their file names are their symbolic names, and all that the
 * launcher knows of them.
 */
public final class BundleFolder {
    private static final String HOSTS = "org.alcazar.hosts.";
    private static final String JAR = ".jar";

    /** Starts before all others: it makes services out of components as their bundles start. */
    private static final String COMPONENTS = "org.apache.felix.scr";

    private static final List<String> SHELL =
            List.of("org.alcazar.management.shell", "org.apache.felix.gogo.", "jline");

    private static final int LIBRARY = 1;

    private static final String CORE = "org.alcazar.vmm.core";

    private final Path folder;

    /** The folder, which need not be there yet. */
    public BundleFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * The bundles to install for a host, in the order of their start: libraries, component runtime,
     * host, plugins, and the VMM last, so that everything is there when it appears.
     *
     * @throws Failure if the folder or the host is missing
     */
    public List<Path> forHost(String host) throws Failure {
        return forHost(host, Map.of());
    }

    /**
     * The same where bundles of the user's may be hosts, too.
     *
     * @param own hosts of the user's by name; others than the chosen one have no place here
     */
    List<Path> forHost(String host, Map<String, Path> own) throws Failure {
        List<Path> all = list();
        List<String> hosts =
                Stream.concat(hosts().stream().map(BundleFolder::hostName), own.keySet().stream())
                        .toList();
        if (!hosts.contains(host)) {
            String nearest =
                    Spelling.nearest(host, hosts)
                            .map(name -> "; did you mean '" + name + "'?")
                            .orElse("");
            throw Failure.usage(
                    "no host '%s'; there are: %s%s"
                            .formatted(host, String.join(", ", hosts), nearest));
        }
        List<Path> chosen = new ArrayList<>();
        for (Path file : all) {
            String name = name(file);
            if (!name.startsWith(HOSTS) || name.equals(HOSTS + host)) {
                chosen.add(file);
            }
        }
        chosen.sort(Comparator.comparingInt(file -> rank(name(file))));
        if (own.containsKey(host)) {
            chosen.add(
                    Math.max(0, chosen.size() - 1),
                    own.get(host)); // before the VMM, which needs it
        }
        return chosen;
    }

    /** Whether a bundle only offers classes. */
    static boolean isLibrary(String name) {
        return rank(name) == LIBRARY;
    }

    /** The shell and what it alone needs: nothing before somebody asks for a shell. */
    static boolean isOfTheShell(Path file) {
        return SHELL.stream().anyMatch(name(file)::startsWith);
    }

    /** The place of a bundle in the order of starts, by its symbolic name. */
    private static int rank(String name) {
        if (name.equals(COMPONENTS)) {
            return 2;
        }
        if (!name.startsWith("org.alcazar.")) {
            return LIBRARY;
        }
        return name.startsWith(HOSTS) ? 3 : name.equals(CORE) ? 5 : 4;
    }

    private List<Path> list() throws Failure {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(JAR)).sorted().toList();
        } catch (IOException e) {
            throw new Failure(
                    2, "there are no bundles in " + folder + ": run ./alcazar build first", e);
        }
    }

    /**
     * The hosts' bundles.
     *
     * @throws Failure if the folder is missing
     */
    List<Path> hosts() throws Failure {
        return list().stream().filter(file -> name(file).startsWith(HOSTS)).toList();
    }

    /** The name of the host in a bundle of {@link #hosts}. */
    static String hostName(Path file) {
        return name(file).substring(HOSTS.length());
    }

    /** The symbolic name, which is the file's name without its end. */
    static String name(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.endsWith(JAR) ? name.substring(0, name.length() - JAR.length()) : name;
    }
}
