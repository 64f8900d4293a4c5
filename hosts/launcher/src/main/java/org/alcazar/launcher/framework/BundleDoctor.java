package org.alcazar.launcher.framework;

import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Says in words why a bundle does not resolve or start, or else what it offers. */
public final class BundleDoctor {
    private static final String TYPE = "alcazar.type";

    private final FelixVmm vmm;

    private BundleDoctor(FelixVmm vmm) {
        this.vmm = vmm;
    }

    /**
     * What was found.
     *
     * @param file the bundle that was looked at
     * @param problems a line each, none if all is well
     * @param offers plugin types that a VM can use, such as {@code device my-timer}
     */
    public record Diagnosis(Path file, List<String> problems, List<String> offers) {}

    /**
     * Looks at a bundle, and starts it in a framework of its own beside the distribution's.
     *
     * @param distribution the distribution's bundles
     * @param given a jar file, or the folder of a Maven project
     * @throws Failure if there is no bundle, or the distribution itself is ill
     */
    public static Diagnosis examine(BundleFolder distribution, Path given) throws Failure {
        Path file = BundleFile.find(given);
        Set<String> problems = new LinkedHashSet<>(BundleFile.problems(file));
        try (FelixVmm vmm =
                FelixVmm.start(
                        distribution, HostChoice.DEFAULT, List.of(), Optional.empty(), false)) {
            List<String> offers = new BundleDoctor(vmm).start(file, problems);
            return new Diagnosis(file, List.copyOf(problems), offers);
        }
    }

    private List<String> start(Path file, Set<String> problems) {
        Map<String, Map<String, String>> before = vmm.control().types();
        BundleContext context = vmm.context();
        try {
            Bundle bundle = context.installBundle("reference:" + file.toUri());
            problems.addAll(new MissingRequirements(context, bundle).inWords());
            bundle.start(Bundle.START_TRANSIENT);
            List<String> ill = new Components(context).problems(bundle);
            problems.addAll(ill);
            return ill.isEmpty() ? offers(bundle, before, problems) : List.of();
        } catch (BundleException e) {
            if (problems.isEmpty()) {
                problems.add(Resolution.reason(e));
            }
            return List.of();
        }
    }

    private List<String> offers(
            Bundle bundle, Map<String, Map<String, String>> before, Set<String> problems) {
        List<String> offers = new ArrayList<>();
        Map<String, Map<String, String>> now = vmm.control().types();
        for (ServiceReference<?> service : services(bundle)) {
            String type = String.valueOf(service.getProperty(TYPE));
            for (String family : families(service, now.keySet())) {
                if (!now.getOrDefault(family, Map.of()).containsKey(type)) {
                    problems.add(
                            "@AlcazarType says '"
                                    + type
                                    + "', but name() does not: make them equal");
                } else if (before.getOrDefault(family, Map.of()).containsKey(type)
                        && !owner(bundle, family, type).equals(bundle.getSymbolicName())) {
                    problems.add(
                            family
                                    + " '"
                                    + type
                                    + "' is a type of "
                                    + owner(bundle, family, type)
                                    + " already, which it would hide: take another name");
                } else {
                    offers.add(family + " " + type);
                }
            }
        }
        if (offers.isEmpty() && problems.isEmpty()) {
            problems.add("starts, but registers no plugin type");
        }
        return offers;
    }

    private static List<ServiceReference<?>> services(Bundle bundle) {
        ServiceReference<?>[] services = bundle.getRegisteredServices();
        return services == null
                ? List.of()
                : Arrays.stream(services).filter(s -> s.getProperty(TYPE) != null).toList();
    }

    /** Of all families those that a service is of, by its interfaces' names. */
    private static List<String> families(ServiceReference<?> service, Set<String> all) {
        String[] interfaces = (String[]) service.getProperty(Constants.OBJECTCLASS);
        return all.stream()
                .filter(family ->
                        Arrays.stream(interfaces)
                                .map(name -> name.substring(name.lastIndexOf('.') + 1))
                                .map(name -> name.toLowerCase(Locale.ROOT))
                                .anyMatch(name -> name.contains(family.replace("-", ""))))
                .toList();
    }

    /** The other bundle that offers a type. */
    private String owner(Bundle bundle, String family, String type) {
        for (Bundle other : vmm.context().getBundles()) {
            boolean offers =
                    services(other).stream()
                            .filter(service -> type.equals(service.getProperty(TYPE)))
                            .anyMatch(service -> !families(service, Set.of(family)).isEmpty());
            if (offers && other != bundle) {
                return other.getSymbolicName();
            }
        }
        return "";
    }
}
