package org.alcazar.hosts.support;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

import java.util.Hashtable;

/**
 * Opens a host with the options of the framework property {@code alcazar.host.options} ({@code
 * key=value,key=value}) and registers it as a service. A host's bundle has a subclass with
 * {@code @Header(name = "Bundle-Activator", value = "${@class}")}.
 */
public abstract class HostActivator implements BundleActivator {
    private static final String OPTIONS = "alcazar.host.options";

    /** The test kit's way to say {@code memory=BYTES}. */
    private static final String MEMORY = "alcazar.host.memory";

    private final String name;
    private @Nullable HostKernel host;

    /**
     * @param name of the host, for messages about options
     */
    protected HostActivator(String name) {
        this.name = name;
    }

    /**
     * Opens the host. If it is {@link AutoCloseable} it is closed when the bundle stops.
     *
     * @param options by the resource {@code options} beside the activator's class
     */
    protected abstract HostKernel open(HostOptions options) throws HostRefusal;

    @Override
    public final void start(BundleContext context) throws HostRefusal {
        String text = context.getProperty(OPTIONS);
        if (text == null) {
            String memory = context.getProperty(MEMORY);
            text = memory == null ? "" : "memory=" + memory;
        }
        HostKernel opened = open(HostOptions.read(name, getClass(), text));
        host = opened;
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("alcazar.host", opened.name());
        context.registerService(HostKernel.class, opened, properties);
    }

    @Override
    public final void stop(BundleContext context) throws Exception {
        if (host instanceof AutoCloseable closeable) {
            closeable.close();
        }
    }
}
