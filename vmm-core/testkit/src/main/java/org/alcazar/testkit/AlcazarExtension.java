package org.alcazar.testkit;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.plugin.PluginType;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.platform.commons.support.AnnotationSupport;
import org.opentest4j.TestAbortedException;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Gives test methods their VMs and services, and tells of the VMs where a test fails. The framework
 * starts with the first of them and ends with the JVM.
 */
public final class AlcazarExtension
        implements ParameterResolver,
                TestExecutionExceptionHandler,
                LifecycleMethodExecutionExceptionHandler {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(AlcazarExtension.class);

    /** The VMs of a test. */
    private static final class Vms implements AutoCloseable {
        final List<TestVm> all = new ArrayList<>();

        @Override
        public void close() {
            IllegalStateException failure = new IllegalStateException("VMs are not given back");
            for (TestVm vm : all) {
                try {
                    vm.close();
                } catch (IOException | HostRefusal | RuntimeException e) {
                    failure.addSuppressed(e);
                }
            }
            if (failure.getSuppressed().length != 0) {
                throw failure;
            }
        }
    }

    private static TestFramework framework(ExtensionContext context) {
        return context.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(
                        TestFramework.class, type -> TestFramework.start(), TestFramework.class);
    }

    /** What belongs to a test's constructor lives as long as the test. */
    @Override
    public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext root) {
        return ExtensionContextScope.TEST_METHOD;
    }

    // ---- parameters

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        if (type == TestVm.class || type == TestFramework.class) {
            return true;
        }
        // What is annotated, and what no bundle could register, is another resolver's.
        boolean others =
                parameter.getParameter().getAnnotations().length != 0
                        || !type.isInterface()
                        || type.getPackageName().startsWith("java.")
                        || type.getPackageName().startsWith("org.junit.")
                        || PluginType.class.isAssignableFrom(type);
        if (others) {
            return false;
        }
        TestFramework framework = framework(context);
        // The arguments of a parameterized test may be of API types.
        boolean template =
                AnnotationSupport.isAnnotated(
                        parameter.getDeclaringExecutable(), TestTemplate.class);
        return framework.registers(type) || !template && framework.isShared(type);
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        TestFramework framework = framework(context);
        Class<?> type = parameter.getParameter().getType();
        if (type == TestFramework.class) {
            return framework;
        }
        if (type != TestVm.class) {
            return service(framework, type);
        }
        Vms vms = vms(context);
        String test = context.getTestMethod().map(method -> method.getName()).orElse("class");
        String name = test + "-" + vms.all.size();
        TestVm vm = new TestVm(framework, name);
        vms.all.add(vm);
        return vm;
    }

    private static Object service(TestFramework framework, Class<?> type) {
        if (!framework.registers(type)) {
            throw new ParameterResolutionException(
                    "no bundle on the test class path registers "
                            + type.getName()
                            + " as a service; there are "
                            + String.join(", ", framework.injectable()));
        }
        return framework.service(type);
    }

    /** The store closes them behind the test. */
    private static Vms vms(ExtensionContext context) {
        return context.getStore(NAMESPACE)
                .getOrComputeIfAbsent(Vms.class, type -> new Vms(), Vms.class);
    }

    // ---- failures

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure)
            throws Throwable {
        throw told(context, failure);
    }

    @Override
    public void handleBeforeEachMethodExecutionException(
            ExtensionContext context, Throwable failure) throws Throwable {
        throw told(context, failure);
    }

    @Override
    public void handleAfterEachMethodExecutionException(ExtensionContext context, Throwable failure)
            throws Throwable {
        throw told(context, failure);
    }

    /** The failure with a report of each VM that is still there. */
    private static Throwable told(ExtensionContext context, Throwable failure) {
        if (!(failure instanceof TestAbortedException)) {
            for (TestVm vm : vms(context).all) {
                String report = vm.report();
                if (!report.isEmpty()) {
                    failure.addSuppressed(new VmReport(report));
                }
            }
        }
        return failure;
    }
}
