package org.alcazar.launcher.framework;

import org.alcazar.launcher.message.Failure;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** Hosts among the bundles that a user brings: the header {@code Alcazar-Host} names them. */
final class OwnHosts {
    private static final String HEADER = "Alcazar-Host";

    private OwnHosts() {}

    /**
     * The hosts by name.
     *
     * @throws Failure if two have one name, or one has that of the distribution's
     */
    static Map<String, Path> of(List<Path> bundles, BundleFolder folder) throws Failure {
        Map<String, Path> found = new LinkedHashMap<>();
        for (Path file : bundles) {
            String name = name(file);
            if (name.isEmpty()) {
                continue;
            }
            if (found.putIfAbsent(name, file) != null
                    || folder.hosts().stream()
                            .anyMatch(own -> BundleFolder.hostName(own).equals(name))) {
                throw Failure.usage(
                        "%s: there is a host '%s' already; give this one another name (%s)"
                                .formatted(file, name, HEADER));
            }
        }
        return found;
    }

    /**
     * Refuses hosts that nobody has chosen: a VMM has one.
     *
     * @throws Failure if there is one
     */
    static void refuseOthers(Map<String, Path> hosts, String chosen) throws Failure {
        for (Map.Entry<String, Path> host : hosts.entrySet()) {
            if (!host.getKey().equals(chosen)) {
                throw Failure.usage(
                        "%s: is the host '%s', but the host is '%s'; choose it with --host %s"
                                .formatted(host.getValue(), host.getKey(), chosen, host.getKey()));
            }
        }
    }

    /**
     * Empty where a file is no host's bundle, or none at all: that is told when it is installed.
     */
    private static String name(Path file) {
        try (JarFile jar = new JarFile(file.toFile())) {
            Manifest manifest = jar.getManifest();
            String name = manifest == null ? null : manifest.getMainAttributes().getValue(HEADER);
            return name == null ? "" : name.strip();
        } catch (IOException e) {
            return "";
        }
    }
}
