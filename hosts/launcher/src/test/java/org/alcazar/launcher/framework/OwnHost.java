package org.alcazar.launcher.framework;

import org.alcazar.host.HostKernel;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

import java.lang.reflect.Proxy;
import java.util.Hashtable;

/** Put into a bundle by a test: a host called {@code own} that has nothing but its name. */
public final class OwnHost implements BundleActivator {
    @Override
    public void start(BundleContext context) {
        Object host =
                Proxy.newProxyInstance(
                        HostKernel.class.getClassLoader(),
                        new Class<?>[] {HostKernel.class},
                        (self, method, arguments) -> "own");
        context.registerService(HostKernel.class, HostKernel.class.cast(host), new Hashtable<>());
    }

    @Override
    public void stop(BundleContext context) {}
}
