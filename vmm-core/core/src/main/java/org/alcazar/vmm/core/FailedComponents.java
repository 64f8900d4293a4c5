package org.alcazar.vmm.core;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

import java.util.ArrayList;
import java.util.List;

/**
 * What the component runtime says of a bundle's components that it could not make (OSGi Compendium
 * 8, 112.10): it keeps what a constructor throws to itself otherwise.
 */
final class FailedComponents {
    private static final String CAUSE = "Caused by: ";

    private FailedComponents() {}

    /** One line for each: the class, the innermost exception, and where it was thrown. */
    static List<String> of(BundleContext context, Bundle bundle) {
        ServiceReference<ServiceComponentRuntime> reference =
                context.getServiceReference(ServiceComponentRuntime.class);
        ServiceComponentRuntime runtime = reference == null ? null : context.getService(reference);
        if (runtime == null) {
            return List.of();
        }
        List<String> out = new ArrayList<>();
        for (ComponentDescriptionDTO component : runtime.getComponentDescriptionDTOs(bundle)) {
            for (ComponentConfigurationDTO made :
                    runtime.getComponentConfigurationDTOs(component)) {
                if (made.state == ComponentConfigurationDTO.FAILED_ACTIVATION) {
                    out.add(
                            component.implementationClass
                                    + " can't be made: "
                                    + cause(made.failure));
                }
            }
        }
        context.ungetService(reference);
        return out;
    }

    private static String cause(String stackTrace) {
        List<String> lines = stackTrace.lines().map(String::strip).toList();
        int at = 0;
        for (int i = 0; i < lines.size(); i++) {
            at = lines.get(i).startsWith(CAUSE) ? i : at;
        }
        String what = lines.isEmpty() ? "" : lines.get(at).replaceFirst("^" + CAUSE, "");
        return at + 1 < lines.size() ? what + " " + lines.get(at + 1) : what;
    }
}
