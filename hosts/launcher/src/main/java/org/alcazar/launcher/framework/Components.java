package org.alcazar.launcher.framework;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What the component runtime says of a bundle's components that do not work (OSGi Compendium 8,
 * 112.10). Its classes are in a bundle, which the launcher sees from outside: DTOs are read by
 * reflection, they are public fields and nothing else.
 */
final class Components {
    private static final String RUNTIME =
            "org.osgi.service.component.runtime.ServiceComponentRuntime";
    private static final int UNSATISFIED_REFERENCE = 2;
    private static final int FAILED_ACTIVATION = 16;

    private final Object runtime;

    Components(BundleContext context) {
        ServiceReference<?> reference = context.getServiceReference(RUNTIME);
        Object service = reference == null ? null : context.getService(reference);
        if (service == null) {
            throw new IllegalStateException("the distribution has no component runtime");
        }
        runtime = service;
    }

    /** A line for each component that does not work. */
    List<String> problems(Bundle bundle) {
        try {
            List<String> problems = new ArrayList<>();
            for (Object description : descriptions(bundle)) {
                String type = String.valueOf(field(description, "implementationClass"));
                Collection<?> configurations = configurations(description);
                if (configurations.isEmpty()
                        && field(description, "configurationPolicy").equals("require")) {
                    problems.add(
                            type
                                    + " waits for a configuration (configurationPolicy), which plugin"
                                    + " types must not: instances get theirs from their VM");
                }
                for (Object configuration : configurations) {
                    String why = why((int) field(configuration, "state"), configuration);
                    if (!why.isEmpty()) {
                        problems.add(type + " " + why);
                    }
                }
            }
            return problems;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the component runtime is another version", e);
        }
    }

    private Collection<?> descriptions(Bundle bundle) throws ReflectiveOperationException {
        return (Collection<?>)
                method("getComponentDescriptionDTOs", Bundle[].class)
                        .invoke(runtime, (Object) new Bundle[] {bundle});
    }

    private Collection<?> configurations(Object description) throws ReflectiveOperationException {
        return (Collection<?>)
                method("getComponentConfigurationDTOs", description.getClass())
                        .invoke(runtime, description);
    }

    private java.lang.reflect.Method method(String name, Class<?> argument)
            throws ReflectiveOperationException {
        for (Class<?> type : runtime.getClass().getInterfaces()) {
            if (type.getName().equals(RUNTIME)) {
                return type.getMethod(name, argument);
            }
        }
        throw new NoSuchMethodException(name);
    }

    private static Object field(Object dto, String name) throws ReflectiveOperationException {
        Object value = dto.getClass().getField(name).get(dto);
        return value == null ? "" : value;
    }

    private static String why(int state, Object configuration) throws ReflectiveOperationException {
        return switch (state) {
            case FAILED_ACTIVATION ->
                    "cannot be made: " + cause(String.valueOf(field(configuration, "failure")));
            case UNSATISFIED_REFERENCE ->
                    "waits for a service that nobody registers: " + references(configuration);
            default -> "";
        };
    }

    private static String references(Object configuration) throws ReflectiveOperationException {
        Object missing = field(configuration, "unsatisfiedReferences");
        List<String> names = new ArrayList<>();
        for (int i = 0; i < Array.getLength(missing); i++) {
            Object reference = Array.get(missing, i);
            String target = String.valueOf(field(reference, "target"));
            names.add(
                    "reference "
                            + field(reference, "name")
                            + (target.isEmpty() ? "" : " " + target));
        }
        return String.join(", ", names);
    }

    /** The innermost exception of a stack trace, and where it was thrown. */
    private static String cause(String stackTrace) {
        List<String> lines = stackTrace.lines().map(String::strip).toList();
        int at = 0;
        for (int i = 0; i < lines.size(); i++) {
            at = lines.get(i).startsWith("Caused by: ") ? i : at;
        }
        String place = at + 1 < lines.size() ? lines.get(at + 1) : "";
        return Arrays.stream(new String[] {lines.isEmpty() ? "" : lines.get(at), place})
                .map(line -> line.replaceFirst("^Caused by: ", ""))
                .filter(line -> !line.isEmpty())
                .collect(Collectors.joining(" "));
    }
}
