package org.alcazar.platforms.pc;

import org.alcazar.host.HostKernel;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.jar.Attributes;
import java.util.jar.Manifest;

/**
 * A host of the test class path without any framework: its activator is started by hand, and what
 * it registers is the host.
 */
record FlatHost(String name, String activator) {
    private static final String PREFIX = "org.alcazar.hosts.";

    /** All hosts of the class path. */
    static List<FlatHost> all() throws IOException {
        List<FlatHost> out = new ArrayList<>();
        for (Attributes headers : manifests()) {
            String bundle = String.valueOf(headers.getValue("Bundle-SymbolicName"));
            String activator = headers.getValue("Bundle-Activator");
            if (bundle.startsWith(PREFIX) && activator != null) {
                out.add(new FlatHost(bundle.substring(PREFIX.length()), activator));
            }
        }
        return out;
    }

    /** Headers of all bundles of the class path. */
    static List<Attributes> manifests() throws IOException {
        List<Attributes> out = new ArrayList<>();
        ClassLoader loader = FlatHost.class.getClassLoader();
        for (URL url : Collections.list(loader.getResources("META-INF/MANIFEST.MF"))) {
            try (InputStream in = url.openStream()) {
                out.add(new Manifest(in).getMainAttributes());
            }
        }
        return out;
    }

    /** A host that runs, and its end. */
    record Open(HostKernel kernel, BundleActivator activator, BundleContext context)
            implements AutoCloseable {
        @Override
        public void close() {
            try {
                activator.stop(context);
            } catch (Exception e) { // what an activator may throw
                throw new IllegalStateException("the host does not stop", e);
            }
        }
    }

    /**
     * Starts it.
     *
     * @param memory bytes that guests may use
     */
    Open open(long memory) throws Exception {
        AtomicReference<HostKernel> registered = new AtomicReference<>();
        BundleContext context =
                (BundleContext)
                        Proxy.newProxyInstance(
                                BundleContext.class.getClassLoader(),
                                new Class<?>[] {BundleContext.class},
                                (self, method, arguments) -> {
                                    if (method.getName().equals("registerService")
                                            && arguments[1] instanceof HostKernel kernel) {
                                        registered.set(kernel);
                                    }
                                    boolean asked =
                                            method.getName().equals("getProperty")
                                                    && arguments[0].equals("alcazar.host.memory");
                                    return asked ? Long.toString(memory) : null;
                                });
        BundleActivator made =
                Class.forName(activator)
                        .asSubclass(BundleActivator.class)
                        .getDeclaredConstructor()
                        .newInstance();
        made.start(context);
        return new Open(registered.get(), made, context);
    }

    @Override
    public String toString() {
        return name;
    }
}
