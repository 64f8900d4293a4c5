package org.alcazar.testkit;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives test methods their VMs and services. The framework starts with the first of them and ends
 * with the JVM.
 */
public final class AlcazarExtension implements ParameterResolver {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(AlcazarExtension.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == TestVm.class || type == TestFramework.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        TestFramework framework =
                context.getRoot()
                        .getStore(NAMESPACE)
                        .getOrComputeIfAbsent(
                                TestFramework.class,
                                type -> TestFramework.start(),
                                TestFramework.class);
        if (parameter.getParameter().getType() == TestFramework.class) {
            return framework;
        }
        String name = context.getRequiredTestMethod().getName() + "-" + parameter.getIndex();
        TestVm vm = new TestVm(framework, name);
        // The store closes it behind the test.
        context.getStore(NAMESPACE).put(parameter.getIndex(), vm);
        return vm;
    }
}
