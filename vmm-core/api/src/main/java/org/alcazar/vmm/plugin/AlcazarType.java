package org.alcazar.vmm.plugin;

import org.osgi.service.component.annotations.ComponentPropertyType;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the plugin type that a component registers, in the service property {@code alcazar.type}.
 * It goes on the singleton component that implements one of the families; instances are made by
 * that component and belong to a VM.
 */
@ComponentPropertyType
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
public @interface AlcazarType {
    /** Lower case with hyphens, such as {@code uart16550}. */
    String value();
}
