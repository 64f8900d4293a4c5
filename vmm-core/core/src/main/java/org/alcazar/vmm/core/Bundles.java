package org.alcazar.vmm.core;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.management.BundleInfo;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.SwapReport;
import org.alcazar.vmm.plugin.PluginType;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkListener;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.FrameworkWiring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Bundles of the framework, and the VMs that use what they offer. */
final class Bundles implements PluginBundles {
    private static final Logger LOG = LoggerFactory.getLogger(Bundles.class);

    /** How long the framework may take to let go of a bundle. */
    private static final long REFRESH_SECONDS = 10;

    private static final Pattern MISSING =
            Pattern.compile("osgi\\.wiring\\.(package|bundle)=([\\w.-]+)\\)");

    private final BundleContext context;
    private final Vmm vmm;
    private final PluginTypes types;
    private final AtomicLong installs = new AtomicLong();

    Bundles(BundleContext context, Vmm vmm, PluginTypes types) {
        this.context = context;
        this.vmm = vmm;
        this.types = types;
    }

    @Override
    public List<BundleInfo> all() {
        return Stream.of(context.getBundles()).map(this::info).toList();
    }

    private BundleInfo info(Bundle bundle) {
        long id = bundle.getBundleId();
        return new BundleInfo(
                id,
                name(bundle),
                String.valueOf(bundle.getVersion()),
                state(bundle),
                types.names(id),
                vmm.withdrawal().users(type -> types.source(type).rank() == id));
    }

    private static String name(Bundle bundle) {
        String name = bundle.getSymbolicName();
        return name == null ? "" : name;
    }

    private static String state(Bundle bundle) {
        return switch (bundle.getState()) {
            case Bundle.INSTALLED -> "installed";
            case Bundle.RESOLVED -> "resolved";
            case Bundle.STARTING -> "starting";
            case Bundle.STOPPING -> "stopping";
            case Bundle.ACTIVE -> "active";
            default -> "uninstalled";
        };
    }

    @Override
    public long install(String file) throws HostRefusal {
        Manifest manifest = manifest(file);
        try (Vmm.Held _ = vmm.hold()) {
            return installStarted(file, symbolicName(file, manifest)).getBundleId();
        }
    }

    @Override
    public boolean installIfMissing(String file) throws HostRefusal {
        String name = symbolicName(file, manifest(file));
        try (Vmm.Held _ = vmm.hold()) {
            boolean missing = find(name).isEmpty();
            if (missing) {
                installStarted(file, name);
            }
            return missing;
        }
    }

    private Bundle installStarted(String file, String name) throws HostRefusal {
        Bundle bundle = installFresh(file, name);
        startOrRemove(bundle);
        return bundle;
    }

    /** A location of its own, so that the same file can be installed again after a change. */
    private Bundle installFresh(String file, String name) throws HostRefusal {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            return context.installBundle("alcazar:" + name + "/" + installs.incrementAndGet(), in);
        } catch (IOException e) {
            throw new HostRefusal(file + " can't be read: " + GuestBoot.reason(e), e);
        } catch (BundleException e) {
            throw new HostRefusal(file + " can't be installed: " + oneLine(e), e);
        }
    }

    private static Manifest manifest(String file) throws HostRefusal {
        try (JarFile jar = new JarFile(file)) {
            Manifest manifest = jar.getManifest();
            return manifest == null ? new Manifest() : manifest;
        } catch (IOException e) {
            throw new HostRefusal(file + " is no jar file: " + GuestBoot.reason(e), e);
        }
    }

    private static String symbolicName(String file, Manifest manifest) throws HostRefusal {
        String header = manifest.getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME);
        if (header == null) {
            throw new HostRefusal(
                    file + " is no bundle: its manifest lacks " + Constants.BUNDLE_SYMBOLICNAME);
        }
        return header.split(";", 2)[0].trim();
    }

    private void startOrRemove(Bundle bundle) throws HostRefusal {
        try {
            start(bundle);
        } catch (HostRefusal e) {
            remove(bundle);
            throw e;
        }
    }

    private void start(Bundle bundle) throws HostRefusal {
        BundleRevision revision = bundle.adapt(BundleRevision.class);
        if (revision != null && (revision.getTypes() & BundleRevision.TYPE_FRAGMENT) != 0) {
            return;
        }
        try {
            bundle.start(Bundle.START_TRANSIENT);
        } catch (BundleException e) {
            throw new HostRefusal("bundle " + name(bundle) + " " + reason(e), e);
        }
        List<String> failed = FailedComponents.of(context, bundle);
        if (!failed.isEmpty()) {
            stopQuietly(bundle);
            throw new HostRefusal("bundle " + name(bundle) + ": " + String.join("; ", failed));
        }
    }

    private static void stopQuietly(Bundle bundle) {
        try {
            bundle.stop(Bundle.STOP_TRANSIENT);
        } catch (BundleException e) {
            LOG.warn("bundle {} can't be stopped", name(bundle), e);
        }
    }

    private static void remove(Bundle bundle) {
        try {
            bundle.uninstall();
        } catch (BundleException e) {
            LOG.warn("bundle {} can't be removed", name(bundle), e);
        }
    }

    /** In words, beginning with a verb. */
    private static String reason(BundleException e) {
        Matcher missing = MISSING.matcher(String.valueOf(e.getMessage()));
        String last = "";
        while (missing.find()) {
            last = missing.group(1) + " " + missing.group(2);
        }
        return last.isEmpty()
                ? "does not start: " + oneLine(e)
                : "needs the " + last + ", which no bundle offers";
    }

    private static String oneLine(Throwable e) {
        Throwable deepest = e;
        while (deepest.getCause() != null && deepest.getCause() != deepest) {
            deepest = deepest.getCause();
        }
        return String.valueOf(deepest).strip().replaceAll("\\s+", " ");
    }

    private Bundle get(long id) throws HostRefusal {
        Bundle bundle = context.getBundle(id);
        if (bundle == null) {
            throw new HostRefusal("there is no bundle " + id);
        }
        return bundle;
    }

    @Override
    public void start(long bundle) throws HostRefusal {
        try (Vmm.Held _ = vmm.hold()) {
            start(get(bundle));
        }
    }

    @Override
    public void stop(long bundle) throws HostRefusal {
        try (Vmm.Held _ = vmm.hold()) { // before the framework's lock of the bundle, as in a swap
            Bundle stopped = get(bundle);
            vmm.withdrawal().check("bundle " + name(stopped), types.of(bundle));
            try {
                stopped.stop(Bundle.STOP_TRANSIENT);
            } catch (BundleException e) {
                throw new HostRefusal(
                        "bundle " + name(stopped) + " does not stop: " + oneLine(e), e);
            }
        }
    }

    @Override
    public void uninstall(long bundle) throws HostRefusal {
        try (Vmm.Held _ = vmm.hold()) {
            Bundle gone = get(bundle);
            stop(bundle);
            discard(gone);
        }
    }

    @Override
    public SwapReport swap(String file) throws HostRefusal {
        Manifest manifest = manifest(file);
        String name = symbolicName(file, manifest);
        try (Vmm.Held _ = vmm.hold()) {
            Bundle old =
                    find(name)
                            .orElseThrow(() ->
                                    new HostRefusal(
                                            "no bundle "
                                                    + name
                                                    + " is installed that "
                                                    + file
                                                    + " could replace; install it"));
            if (manifest.getMainAttributes().getValue(Constants.EXPORT_PACKAGE) != null) {
                throw new HostRefusal(
                        "bundle "
                                + name
                                + " exports packages that others are wired to; it is exchanged by"
                                + " a restart");
            }
            return swap(old, file, name);
        }
    }

    @Override
    public SwapReport swapOrInstall(String file) throws HostRefusal {
        String name = symbolicName(file, manifest(file));
        try (Vmm.Held _ = vmm.hold()) {
            if (find(name).isPresent()) {
                return swap(file);
            }
            return new SwapReport(name, "", label(installStarted(file, name)), 0, List.of());
        }
    }

    /** The newest of a symbolic name. */
    private Optional<Bundle> find(String name) {
        return Stream.of(context.getBundles())
                .filter(bundle -> name.equals(bundle.getSymbolicName()))
                .max(Comparator.comparingLong(Bundle::getBundleId));
    }

    private SwapReport swap(Bundle old, String file, String name) throws HostRefusal {
        Set<PluginType> before = types.of(old.getBundleId());
        Bundle fresh = installFresh(file, name);
        boolean done = false;
        try {
            start(fresh);
            requireTypes(fresh, old);
            Exchanges.Done result = vmm.exchange(Exchanges.of(types, before, fresh.getBundleId()));
            done = true;
            String from = label(old);
            discard(old);
            return new SwapReport(
                    name, from, label(fresh), result.trialNanos(), result.exchanges());
        } finally {
            if (!done) {
                discard(fresh);
            }
        }
    }

    /** VMs use types of the old bundle, or may soon. */
    private void requireTypes(Bundle fresh, Bundle old) throws HostRefusal {
        List<String> missing = new ArrayList<>(types.names(old.getBundleId()));
        missing.removeAll(types.names(fresh.getBundleId()));
        if (!missing.isEmpty()) {
            throw new HostRefusal(
                    "the new bundle "
                            + name(fresh)
                            + " offers no "
                            + String.join(", ", missing)
                            + ": is the component there, and has it all that it refers to?");
        }
    }

    private static String label(Bundle bundle) {
        return bundle.getBundleId() + " (" + bundle.getVersion() + ")";
    }

    /** Removes a bundle with its classes. */
    private void discard(Bundle bundle) {
        remove(bundle);
        FrameworkWiring wiring =
                context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkWiring.class);
        CountDownLatch refreshed = new CountDownLatch(1);
        FrameworkListener listener = event -> refreshed.countDown();
        wiring.refreshBundles(List.of(bundle), listener);
        try {
            if (!refreshed.await(REFRESH_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("the framework does not let go of bundle {}", name(bundle));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
