package org.alcazar.testkit;

import org.alcazar.host.HostKernel;
import org.alcazar.host.VmmControl;
import org.alcazar.testkit.micro.MicroPlatform;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.VmManagement;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.PluginType;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.util.tracker.ServiceTracker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The OSGi framework of a test JVM. Bundles of the test class path that export API packages stay
 * flat and are exported by the system bundle, so that tests share their types; all others that work
 * with Alcazar, and the service runtime, are installed by reference and started.
 */
public final class TestFramework implements AutoCloseable {
    /** For a service that never comes: the test fails. */
    private static final long LIMIT_MILLIS = 60_000;

    private static final ServiceReference<?>[] NO_SERVICES = {};

    private final Framework framework;
    private final Path cache;
    private final List<ClassPathBundle> bundles;

    private TestFramework(Framework framework, Path cache, List<ClassPathBundle> bundles) {
        this.framework = framework;
        this.cache = cache;
        this.bundles = bundles;
    }

    static TestFramework start() {
        List<ClassPathBundle> bundles = ClassPathBundle.all();
        String shared =
                bundles.stream()
                        .filter(ClassPathBundle::isShared)
                        .map(ClassPathBundle::exports)
                        .collect(Collectors.joining(","));
        try {
            Path cache = Files.createTempDirectory("alcazar-test");
            Map<String, String> configuration = new HashMap<>();
            configuration.put(Constants.FRAMEWORK_STORAGE, cache.toString());
            configuration.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, shared);
            configuration.put("felix.service.urlhandlers", "false");
            // A new version of a plugin runs beside the old one while it takes over.
            configuration.put(
                    Constants.FRAMEWORK_BSNVERSION, Constants.FRAMEWORK_BSNVERSION_MULTIPLE);
            // Where a flight recording runs the JVM has bundles' events refer to this package.
            configuration.put(Constants.FRAMEWORK_BOOTDELEGATION, "jdk.jfr.internal.event");
            configuration.put("alcazar.host.memory", Long.toString(2L << 30));
            Framework framework = new FrameworkFactory().newFramework(configuration);
            framework.init();
            framework.start();
            TestFramework started = new TestFramework(framework, cache, bundles);
            started.registerMicroPlatform();
            started.installAll();
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (BundleException e) {
            throw new IllegalStateException("the test framework does not start", e);
        }
    }

    private void registerMicroPlatform() {
        BundleContext context = framework.getBundleContext();
        MicroPlatform platform = new MicroPlatform();
        context.registerService(PlatformType.class, platform, named(platform.name()));
        for (DeviceType type : MicroPlatform.deviceTypes()) {
            context.registerService(DeviceType.class, type, named(type.name()));
        }
        GuestLoader loader = MicroPlatform.loader();
        context.registerService(GuestLoader.class, loader, named(loader.name()));
        ExtensionType probe = new Probe.Type();
        context.registerService(ExtensionType.class, probe, named(probe.name()));
    }

    private static Hashtable<String, Object> named(String type) {
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("alcazar.type", type);
        return properties;
    }

    private void installAll() throws BundleException {
        List<Bundle> installed = new ArrayList<>();
        for (ClassPathBundle bundle : bundles) {
            if (!bundle.isShared() && bundle.isWanted()) {
                installed.add(
                        framework
                                .getBundleContext()
                                .installBundle("reference:" + bundle.path().toUri()));
            }
        }
        // All at once is faster than one by one at their starts.
        framework.adapt(FrameworkWiring.class).resolveBundles(installed);
        for (Bundle bundle : installed) {
            if (bundle.getHeaders().get(Constants.FRAGMENT_HOST) == null) {
                bundle.start();
            }
        }
    }

    /** A VM beside those that the test takes as parameters; the test closes it. */
    public TestVm vm(String name) {
        return new TestVm(this, name);
    }

    /** Waits for a service. */
    public <T> T service(Class<T> type) {
        ServiceTracker<T, T> tracker =
                new ServiceTracker<>(framework.getBundleContext(), type, null);
        tracker.open();
        try {
            T service = tracker.waitForService(LIMIT_MILLIS);
            if (service == null) {
                throw new IllegalStateException("no bundle registers " + type.getName());
            }
            return service;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + type.getName(), e);
        } finally {
            tracker.close();
        }
    }

    /** Whether some bundle registers a service of a type now. */
    boolean registers(Class<?> type) {
        return framework.getBundleContext().getServiceReference(type) != null;
    }

    /** Whether a type belongs to an API that tests share with the bundles. */
    boolean isShared(Class<?> type) {
        return bundles.stream()
                .anyMatch(b -> b.isShared() && b.packages().contains(type.getPackageName()));
    }

    /** Names of the types of services that are no plugin types and no framework's, for people. */
    Set<String> injectable() {
        Set<String> out = new TreeSet<>();
        for (Bundle bundle : framework.getBundleContext().getBundles()) {
            ServiceReference<?>[] services = bundle.getRegisteredServices();
            for (ServiceReference<?> one : services == null ? NO_SERVICES : services) {
                for (String name : (String[]) one.getProperty(Constants.OBJECTCLASS)) {
                    if (!name.startsWith("org.osgi.") && !name.endsWith("Type")) {
                        out.add(name.substring(name.lastIndexOf('.') + 1));
                    }
                }
            }
        }
        return out;
    }

    /** Offers a plugin type of the test's own until the registration is closed. */
    public <T extends PluginType> Hook offer(Class<T> family, T type) {
        ServiceRegistration<T> registration =
                framework.getBundleContext().registerService(family, type, named(type.name()));
        return registration::unregister;
    }

    /** The host, such as for its memory. */
    public HostKernel host() {
        return service(HostKernel.class);
    }

    public VmmControl control() {
        return service(VmmControl.class);
    }

    public VirtualMachines machines() {
        return service(VirtualMachines.class);
    }

    public VmManagement management() {
        return service(VmManagement.class);
    }

    public PluginBundles bundles() {
        return service(PluginBundles.class);
    }

    /** For tests that install, stop and start bundles. */
    public BundleContext context() {
        return framework.getBundleContext();
    }

    /** The installed bundle of a symbolic name; of several versions the one that came last. */
    public Bundle bundle(String symbolicName) {
        return Stream.of(framework.getBundleContext().getBundles())
                .filter(b -> symbolicName.equals(b.getSymbolicName()))
                .max(Comparator.comparingLong(Bundle::getBundleId))
                .orElseThrow(() -> new IllegalStateException("no bundle " + symbolicName));
    }

    /**
     * A jar file with the contents of a bundle of the class path and another version.
     *
     * @param folder where the file goes
     * @param version such as {@code 2.0.0}
     * @param without headers that it lacks
     */
    public Path repack(String symbolicName, String version, Path folder, String... without) {
        ClassPathBundle entry = onClassPath(symbolicName);
        return Repack.bundle(entry.path(), entry.manifest(), version, folder, List.of(without));
    }

    /** The same with classes that go wrong. */
    Path repack(String symbolicName, String version, Path folder, Spoiled spoiled) {
        ClassPathBundle entry = onClassPath(symbolicName);
        return Repack.bundle(entry.path(), entry.manifest(), version, folder, spoiled);
    }

    private ClassPathBundle onClassPath(String symbolicName) {
        return bundles.stream()
                .filter(e -> e.name().equals(symbolicName))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalStateException(
                                "no bundle " + symbolicName + " on the class path"));
    }

    @Override
    public void close() throws IOException {
        try {
            framework.stop();
            framework.waitForStop(0);
        } catch (BundleException e) {
            throw new IOException("the test framework does not stop", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try (Stream<Path> files = Files.walk(cache)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
