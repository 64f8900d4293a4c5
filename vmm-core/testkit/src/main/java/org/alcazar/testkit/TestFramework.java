package org.alcazar.testkit;

import org.alcazar.host.HostKernel;
import org.alcazar.host.VmmControl;
import org.alcazar.testkit.micro.MicroPlatform;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.VmManagement;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.PluginType;
import org.apache.felix.framework.FrameworkFactory;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.launch.Framework;
import org.osgi.util.tracker.ServiceTracker;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/**
 * The OSGi framework of a test JVM. Bundles of the test class path that export API packages stay
 * flat and are exported by the system bundle, so that tests share their types; all other Alcazar
 * bundles and the service runtime are installed by reference and started.
 */
public final class TestFramework implements AutoCloseable {
    private static final String OURS = "org.alcazar.";

    /** Bundles that declarative services need. */
    private static final List<String> RUNTIME =
            List.of(
                    "org.apache.felix.scr",
                    "org.osgi.service.component",
                    "org.osgi.util.promise",
                    "org.osgi.util.function");

    /** For a service that never comes: the test fails. */
    private static final long LIMIT_MILLIS = 60_000;

    private final Framework framework;
    private final Path cache;

    private TestFramework(Framework framework, Path cache) {
        this.framework = framework;
        this.cache = cache;
    }

    static TestFramework start() {
        List<Entry> entries = classPath();
        StringBuilder shared = new StringBuilder();
        for (Entry entry : entries) {
            if (entry.isShared()) {
                shared.append(shared.isEmpty() ? "" : ",").append(entry.exports());
            }
        }
        try {
            Path cache = Files.createTempDirectory("alcazar-test");
            Map<String, String> configuration = new HashMap<>();
            configuration.put(Constants.FRAMEWORK_STORAGE, cache.toString());
            configuration.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, shared.toString());
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
            TestFramework started = new TestFramework(framework, cache);
            started.registerMicroPlatform();
            started.installAll(entries);
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
    }

    private static Hashtable<String, Object> named(String type) {
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("alcazar.type", type);
        return properties;
    }

    private void installAll(List<Entry> entries) throws BundleException {
        List<Bundle> bundles = new ArrayList<>();
        for (Entry entry : entries) {
            if (!entry.isShared() && entry.isWanted()) {
                bundles.add(
                        framework
                                .getBundleContext()
                                .installBundle("reference:" + entry.path.toUri()));
            }
        }
        for (Bundle bundle : bundles) {
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
        Entry entry =
                classPath().stream()
                        .filter(e -> e.name().equals(symbolicName))
                        .findFirst()
                        .orElseThrow(() ->
                                new IllegalStateException(
                                        "no bundle " + symbolicName + " on the class path"));
        return Repack.bundle(entry.path, entry.manifest, version, folder, List.of(without));
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

    private static List<Entry> classPath() {
        List<Entry> entries = new ArrayList<>();
        String paths =
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path", ""));
        for (String path : paths.split(File.pathSeparator, -1)) {
            Path file = Path.of(path);
            Manifest manifest = manifest(file);
            if (manifest != null && Entry.header(manifest, Constants.BUNDLE_SYMBOLICNAME) != null) {
                entries.add(new Entry(file, manifest));
            }
        }
        return entries;
    }

    private static @Nullable Manifest manifest(Path path) {
        try {
            if (Files.isDirectory(path)) {
                Path file = path.resolve(JarFile.MANIFEST_NAME);
                if (!Files.exists(file)) {
                    return null;
                }
                try (InputStream in = Files.newInputStream(file)) {
                    return new Manifest(in);
                }
            }
            if (!Files.exists(path)) {
                return null;
            }
            try (JarFile jar = new JarFile(path.toFile())) {
                return jar.getManifest();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A bundle on the class path. */
    private record Entry(Path path, Manifest manifest) {
        static @Nullable String header(Manifest manifest, String name) {
            return manifest.getMainAttributes().getValue(name);
        }

        String name() {
            String name = header(manifest, Constants.BUNDLE_SYMBOLICNAME);
            return name == null ? "" : name.split(";", 2)[0].trim();
        }

        String exports() {
            String exports = header(manifest, Constants.EXPORT_PACKAGE);
            return exports == null ? "" : exports;
        }

        boolean isShared() {
            return !exports().isEmpty() && (name().startsWith(OURS) || name().equals("slf4j.api"));
        }

        boolean isWanted() {
            return name().startsWith(OURS) && !name().equals("org.alcazar.testkit")
                    || RUNTIME.contains(name());
        }
    }
}
