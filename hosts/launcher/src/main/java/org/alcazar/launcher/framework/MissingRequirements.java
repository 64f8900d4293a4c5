package org.alcazar.launcher.framework;

import org.alcazar.launcher.message.Spelling;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.namespace.PackageNamespace;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.resource.Namespace;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** All that keeps a bundle from resolving, in words, with what may have been meant. */
final class MissingRequirements {
    private final Bundle bundle;
    private final List<Bundle> all;

    /** What exports each package: name and version in words. */
    private final TreeMap<String, String> exporters = new TreeMap<>();

    MissingRequirements(BundleContext context, Bundle bundle) {
        this.bundle = bundle;
        all = Arrays.asList(context.getBundles());
        for (BundleCapability export : capabilities(PackageNamespace.PACKAGE_NAMESPACE)) {
            exporters.merge(
                    String.valueOf(export.getAttributes().get(PackageNamespace.PACKAGE_NAMESPACE)),
                    export.getRevision().getSymbolicName()
                            + " exports version "
                            + export.getAttributes()
                                    .get(PackageNamespace.CAPABILITY_VERSION_ATTRIBUTE),
                    (one, other) -> one + " and " + other);
        }
    }

    private List<BundleCapability> capabilities(String namespace) {
        return all.stream()
                .map(each -> each.adapt(BundleRevision.class))
                .flatMap(revision -> revision.getDeclaredCapabilities(namespace).stream())
                .toList();
    }

    /** A line for each, beginning with a verb; none if the bundle lacks nothing. */
    List<String> inWords() {
        return bundle.adapt(BundleRevision.class).getDeclaredRequirements(null).stream()
                .filter(MissingRequirements::counts)
                .filter(wanted ->
                        capabilities(wanted.getNamespace()).stream().noneMatch(wanted::matches))
                .map(this::inWords)
                .toList();
    }

    private static boolean counts(BundleRequirement wanted) {
        String effective = wanted.getDirectives().get(Namespace.REQUIREMENT_EFFECTIVE_DIRECTIVE);
        String resolution = wanted.getDirectives().get(Namespace.REQUIREMENT_RESOLUTION_DIRECTIVE);
        return (effective == null || effective.equals(Namespace.EFFECTIVE_RESOLVE))
                && !Namespace.RESOLUTION_OPTIONAL.equals(resolution)
                && !Constants.FRAGMENT_HOST.equals(wanted.getNamespace());
    }

    private String inWords(BundleRequirement wanted) {
        String filter = String.valueOf(wanted.getDirectives().get(Constants.FILTER_DIRECTIVE));
        return Resolution.needs(filter)
                + Resolution.wantedPackage(filter).map(this::hint).orElse("");
    }

    private String hint(String wanted) {
        String exporter = exporters.get(wanted);
        if (exporter != null) {
            return " in that version: " + exporter;
        }
        Optional<String> keeper =
                all.stream()
                        .filter(each -> each != bundle)
                        .filter(each -> each.getBundleId() != Constants.SYSTEM_BUNDLE_ID)
                        .filter(each -> each.getEntry(wanted.replace('.', '/')) != null)
                        .map(Bundle::getSymbolicName)
                        .findFirst();
        if (keeper.isPresent()) {
            return ": "
                    + keeper.get()
                    + " has it and keeps it to itself; use the API that it implements";
        }
        return Spelling.nearest(wanted, exporters.keySet())
                .map(near -> "; " + near + " is near, which " + exporters.get(near))
                .orElse("");
    }
}
