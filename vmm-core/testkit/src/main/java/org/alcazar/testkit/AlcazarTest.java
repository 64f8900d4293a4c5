package org.alcazar.testkit;

import org.junit.jupiter.api.extension.ExtendWith;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A test class that works with VMs: each method may take a {@link TestVm}, a fresh machine of
 * platform {@code micro} that is destroyed behind the test.
 *
 * <p>One framework per test JVM holds every Alcazar bundle of the test class path. The test class
 * itself lies outside of the framework, so it touches API types only.
 */
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@ExtendWith(AlcazarExtension.class)
public @interface AlcazarTest {}
