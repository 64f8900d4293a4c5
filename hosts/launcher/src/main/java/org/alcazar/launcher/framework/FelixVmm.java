package org.alcazar.launcher.framework;

import org.alcazar.host.GuestDescriptions;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostNotes;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.run.VmmProvider.Vmm;
import org.alcazar.launcher.shell.ShellSocket;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.BundleRevision;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The framework with the distribution's bundles, and the VMM that they make up. */
public final class FelixVmm implements Vmm {
    private static final Logger LOG = LoggerFactory.getLogger(FelixVmm.class);

    /**
     * The bundle of the VMM registers its service as it starts; this is for one that does it a
     * little later.
     */
    private static final long PATIENCE_SECONDS = 10;

    private static final long STOP_MILLIS = 5000;

    /**
     * What bundles share with the launcher: the waist and the logging API, at the versions that
     * they ask for.
     */
    private static final String SHARED =
            "org.alcazar.host;version=0.1.0"
                    + ",org.slf4j;version=2.0.20,org.slf4j.event;version=2.0.20"
                    + ",org.slf4j.helpers;version=2.0.20,org.slf4j.spi;version=2.0.20"
                    + ",org.slf4j;version=1.7.36,org.slf4j.helpers;version=1.7.36"
                    + ",org.slf4j.spi;version=1.7.36";

    private final CacheFolder cache;
    private final Framework framework;
    private final VmmControl control;
    private final Optional<ShellSocket> socket;

    private FelixVmm(
            CacheFolder cache,
            Framework framework,
            VmmControl control,
            Optional<ShellSocket> socket) {
        this.cache = cache;
        this.framework = framework;
        this.control = control;
        this.socket = socket;
    }

    /**
     * Starts the framework and everything in it.
     *
     * @param folder the distribution's bundles
     * @param host its name and options
     * @param further bundles of the user
     * @param socket that the shell's bundles serve from the first client on, if there is one; it is
     *     closed with the VMM
     * @throws Failure with status 2 if a bundle or host is wrong, 6 if the distribution is; nothing
     *     is left behind
     */
    public static FelixVmm start(
            BundleFolder folder, HostChoice host, List<Path> further, Optional<ShellSocket> socket)
            throws Failure {
        return start(folder, host, further, socket, true);
    }

    /**
     * The same, maybe without the component runtime's log: for whoever asks the runtime itself what
     * is wrong.
     */
    static FelixVmm start(
            BundleFolder folder,
            HostChoice host,
            List<Path> further,
            Optional<ShellSocket> socket,
            boolean componentLog)
            throws Failure {
        Map<String, Path> own = OwnHosts.of(further, folder);
        List<Path> files = new ArrayList<>(folder.forHost(host.name(), own));
        OwnHosts.refuseOthers(own, host.name());
        List<Path> plugins = further.stream().filter(file -> !own.containsValue(file)).toList();
        List<Path> shell = files.stream().filter(BundleFolder::isOfTheShell).toList();
        files.removeAll(shell);
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        Thread.ofPlatform()
                .daemon()
                .name("cache-sweep")
                .start(() ->
                        CacheFolder.sweep(temporary, pid -> ProcessHandle.of(pid).isPresent()));
        CacheFolder cache = cache(temporary);
        Framework framework =
                new FrameworkFactory()
                        .newFramework(properties(cache.storage(), host, componentLog));
        // Bundles find classes through their own class loaders and nothing else.
        Thread.currentThread().setContextClassLoader(null);
        try {
            framework.start();
            List<Bundle> bundles = install(framework.getBundleContext(), files);
            List<Bundle> extra = install(framework.getBundleContext(), plugins);
            start(bundles, Status.FAULT);
            if (own.containsKey(host.name())) {
                requireHost(framework.getBundleContext(), host.name());
            }
            start(extra, Status.USAGE);
            VmmControl control = await(framework.getBundleContext());
            socket.ifPresent(opened ->
                    opened.whenSomebodyKnocks(
                            server -> serve(framework.getBundleContext(), shell, server)));
            return new FelixVmm(cache, framework, control, socket);
        } catch (BundleException e) {
            stop(cache, framework, socket);
            throw new Failure(Status.FAULT, "the framework does not start: " + e.getMessage(), e);
        } catch (Failure | RuntimeException e) {
            stop(cache, framework, socket);
            throw e;
        }
    }

    private static CacheFolder cache(Path temporary) throws Failure {
        try {
            return CacheFolder.create(temporary);
        } catch (IOException e) {
            throw new Failure(
                    Status.USAGE,
                    temporary
                            + ": the folder for temporary files cannot be written: "
                            + e.getMessage(),
                    e);
        }
    }

    private static Map<String, String> properties(
            Path storage, HostChoice host, boolean componentLog) {
        Map<String, String> properties = new HashMap<>();
        properties.put(Constants.FRAMEWORK_STORAGE, storage.toString());
        properties.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, SHARED);
        // A new version of a plugin runs beside the old one while it takes over.
        properties.put(Constants.FRAMEWORK_BSNVERSION, Constants.FRAMEWORK_BSNVERSION_MULTIPLE);
        if (!host.options().isEmpty()) {
            properties.put("alcazar.host.options", host.options());
        }
        // No handlers for the whole JVM.
        properties.put("felix.service.urlhandlers", "false");
        // The folder is this process's own, and locked.
        properties.put("felix.cache.locking", "false");
        properties.put("felix.bootdelegation.implicit", "false");
        // Where a flight recording runs the JVM has bundles' events refer to this package.
        properties.put(Constants.FRAMEWORK_BOOTDELEGATION, "jdk.jfr.internal.event");
        // Errors come as exceptions and are said once.
        properties.put("felix.log.level", "0");
        properties.put("ds.loglevel", "warn");
        properties.put("ds.log.enabled", Boolean.toString(componentLog));
        return properties;
    }

    /**
     * In the order of their start: the framework stops bundles of one level in the reverse order.
     */
    private static List<Bundle> install(BundleContext context, List<Path> files) throws Failure {
        List<Bundle> installed = new ArrayList<>();
        for (Path file : files) {
            try {
                Bundle bundle = context.installBundle("reference:" + file.toUri());
                if (bundle.getSymbolicName() == null) {
                    throw Failure.usage(
                            file + ": is no bundle: its manifest lacks Bundle-SymbolicName");
                }
                installed.add(bundle);
            } catch (BundleException e) {
                String why =
                        e.getType() == BundleException.DUPLICATE_BUNDLE_ERROR
                                ? "is installed already"
                                : "is no bundle: it must be a jar file with OSGi headers";
                throw new Failure(Status.USAGE, file + ": " + why, e);
            }
        }
        return installed;
    }

    private static void start(List<Bundle> bundles, int blame) throws Failure {
        for (Bundle bundle : bundles) {
            boolean fragment =
                    (bundle.adapt(BundleRevision.class).getTypes() & BundleRevision.TYPE_FRAGMENT)
                            != 0;
            if (fragment) {
                continue;
            }
            try {
                // Transient: nothing has to be written for a next start that never comes.
                bundle.start(Bundle.START_TRANSIENT);
            } catch (BundleException e) {
                if (e.getCause() instanceof HostRefusal refusal) {
                    throw new Failure(Status.USAGE, String.valueOf(refusal.getMessage()), e);
                }
                throw new Failure(
                        blame,
                        "bundle " + bundle.getSymbolicName() + " " + Resolution.reason(e),
                        e);
            }
        }
    }

    /** A host registers itself when its bundle starts; without it nothing else goes on. */
    private static void requireHost(BundleContext context, String name) throws Failure {
        ServiceReference<HostKernel> reference = context.getServiceReference(HostKernel.class);
        HostKernel kernel = reference == null ? null : context.getService(reference);
        if (kernel == null) {
            throw Failure.usage(
                    "host %s: its bundle registers no service %s when it starts"
                            .formatted(name, HostKernel.class.getName()));
        }
        if (!kernel.name().equals(name)) {
            throw Failure.usage(
                    "host %s: its bundle calls it '%s' (Alcazar-Host), it calls itself '%s'"
                            .formatted(name, name, kernel.name()));
        }
    }

    /** The service, now or when it comes. */
    private static VmmControl await(BundleContext context) throws Failure {
        CompletableFuture<VmmControl> coming = new CompletableFuture<>();
        ServiceListener listener =
                event -> {
                    if (event.getType() == ServiceEvent.REGISTERED) {
                        control(context).ifPresent(coming::complete);
                    }
                };
        try {
            context.addServiceListener(
                    listener, "(" + Constants.OBJECTCLASS + "=" + VmmControl.class.getName() + ")");
            control(context).ifPresent(coming::complete);
            return coming.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new Failure(
                    Status.FAULT,
                    "the bundles run, but none of them offers the service "
                            + VmmControl.class.getName()
                            + "; is org.alcazar.vmm.core among them, and has it all it needs?",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure(Status.INTERRUPTED, "interrupted", e);
        } catch (ExecutionException | InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        } finally {
            context.removeServiceListener(listener);
        }
    }

    /** The shell's bundles find the socket as a service. */
    private static void serve(
            BundleContext context, List<Path> bundles, ServerSocketChannel server) {
        try {
            context.registerService(ServerSocketChannel.class, server, null);
            List<Bundle> installed = new ArrayList<>(install(context, bundles));
            // One of its libraries would put a shell of its own on this process's terminal.
            installed.removeIf(bundle -> BundleFolder.isLibrary(bundle.getSymbolicName()));
            start(installed, Status.FAULT);
        } catch (Failure | IllegalStateException e) {
            LOG.error("the shell does not start: {}", e.getMessage());
            LOG.debug("for this reason", e);
            try {
                server.close();
            } catch (IOException closing) {
                LOG.debug("closing the socket failed", closing);
            }
        }
    }

    private static Optional<VmmControl> control(BundleContext context) {
        ServiceReference<VmmControl> reference = context.getServiceReference(VmmControl.class);
        return reference == null
                ? Optional.empty()
                : Optional.ofNullable(context.getService(reference));
    }

    /** The framework's own view of its bundles. */
    BundleContext context() {
        return framework.getBundleContext();
    }

    /** Has bundles, such as the shell's, find guests by their names. */
    public void offer(GuestDescriptions guests) {
        framework.getBundleContext().registerService(GuestDescriptions.class, guests, null);
    }

    @Override
    public VmmControl control() {
        return control;
    }

    @Override
    public List<String> hostNotes() {
        return hostService(HostNotes.class).map(HostNotes::notes).orElse(List.of());
    }

    @Override
    public <T> Optional<T> hostService(Class<T> type) {
        BundleContext context = framework.getBundleContext();
        return Optional.ofNullable(context.getServiceReference(HostKernel.class))
                .map(context::getService)
                .flatMap(kernel -> kernel.find(type));
    }

    @Override
    public void close() {
        stop(cache, framework, socket);
    }

    private static void stop(CacheFolder cache, Framework framework, Optional<ShellSocket> socket) {
        socket.ifPresent(ShellSocket::close);
        try {
            framework.stop();
            FrameworkEvent event = framework.waitForStop(STOP_MILLIS);
            if (event.getType() == FrameworkEvent.WAIT_TIMEDOUT) {
                return; // whoever hangs may still use the folder; the next process sweeps it
            }
        } catch (BundleException e) {
            // It runs no longer, which is what was wanted.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        cache.close();
    }
}
