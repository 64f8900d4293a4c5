package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.management.BundleInfo;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.SwapReport;
import org.alcazar.vmm.plugin.Spelling;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Bundles, and the VMs that use them. */
final class BundleCommands {
    private static final double NANOS_PER_MILLISECOND = 1e6;

    private BundleCommands() {}

    static List<Command> all() {
        return List.of(
                Command.of(
                        "bundle:list",
                        "[--plugins]",
                        "lists the bundles, what they offer and which parts of VMs use them",
                        "bundle:list --plugins",
                        BundleCommands::list),
                Command.of(
                        "bundle:install",
                        "FILE",
                        "installs a bundle and starts it; its types are usable at once",
                        "bundle:install target/org.example.rng.jar",
                        BundleCommands::install),
                Command.of(
                        "bundle:start",
                        "BUNDLE",
                        "starts a stopped bundle",
                        "bundle:start uart16550",
                        call -> change(call, "active", call.vmm().bundles()::start)),
                Command.of(
                        "bundle:stop",
                        "BUNDLE",
                        "stops a bundle; VMs that use it follow their policy",
                        "bundle:stop uart16550",
                        call -> change(call, "stopped", call.vmm().bundles()::stop)),
                Command.of(
                        "bundle:uninstall",
                        "BUNDLE",
                        "stops and removes a bundle",
                        "bundle:uninstall uart16550",
                        call -> change(call, "uninstalled", call.vmm().bundles()::uninstall)),
                Command.of(
                        "bundle:swap",
                        "FILE [--install]",
                        "replaces a bundle by a new version of it under running VMs; --install"
                                + " installs what is not there yet",
                        "bundle:swap target/org.example.rng.jar --install",
                        BundleCommands::swap));
    }

    private interface Change {
        void of(long bundle) throws HostRefusal;
    }

    private static Shown list(Call call) throws HostRefusal {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (BundleInfo bundle : call.vmm().bundles().all()) {
            if (!call.has("--plugins") || !bundle.types().isEmpty()) {
                rows.add(
                        LifeCycleCommands.ordered(
                                "id", bundle.id(),
                                "state", bundle.state(),
                                "name", bundle.name(),
                                "version", bundle.version(),
                                "types", bundle.types(),
                                "users", bundle.users()));
            }
        }
        return Shown.table(rows, "no bundles");
    }

    /** Installs a bundle of which there is no version yet. */
    static void installIfMissing(Call call, String file) throws HostRefusal {
        if (call.vmm().bundles().installIfMissing(file)) {
            call.progress(file + " is installed");
        }
    }

    private static Shown install(Call call) throws HostRefusal, UsageException {
        long id = call.vmm().bundles().install(call.file("FILE").toString());
        return installed(call, bundle -> bundle.id() == id);
    }

    private static Shown installed(Call call, Predicate<BundleInfo> which) throws HostRefusal {
        BundleInfo made =
                call.vmm().bundles().all().stream()
                        .filter(which)
                        .max(Comparator.comparingLong(BundleInfo::id))
                        .orElseThrow();
        long id = made.id();
        return Shown.of(
                LifeCycleCommands.ordered("id", id, "name", made.name(), "types", made.types()),
                "bundle "
                        + id
                        + " ("
                        + made.name()
                        + ") is "
                        + made.state()
                        + (made.types().isEmpty()
                                ? ""
                                : "; it offers " + String.join(", ", made.types())));
    }

    private static Shown change(Call call, String state, Change change) throws HostRefusal {
        BundleInfo bundle = find(call);
        change.of(bundle.id());
        return Shown.of(
                LifeCycleCommands.ordered("id", bundle.id(), "name", bundle.name(), "state", state),
                "bundle " + bundle.id() + " (" + bundle.name() + ") is " + state);
    }

    private static BundleInfo find(Call call) throws HostRefusal {
        String given = call.text("BUNDLE");
        List<BundleInfo> all = call.vmm().bundles().all();
        List<BundleInfo> meant =
                all.stream()
                        .filter(bundle ->
                                given.equals(Long.toString(bundle.id()))
                                        || given.equals(bundle.name())
                                        || bundle.name().endsWith("." + given))
                        .toList();
        if (meant.isEmpty()) {
            throw new HostRefusal(
                    "there is no bundle '"
                            + given
                            + "'"
                            + near(
                                    given,
                                    all.stream().map(bundle -> shortName(bundle.name())).toList()));
        }
        if (meant.size() > 1) {
            throw new HostRefusal(
                    "'"
                            + given
                            + "' may be any of "
                            + String.join(
                                    ", ",
                                    meant.stream()
                                            .map(bundle ->
                                                    bundle.id()
                                                            + " ("
                                                            + bundle.name()
                                                            + " "
                                                            + bundle.version()
                                                            + ")")
                                            .toList()));
        }
        return meant.getFirst();
    }

    private static String near(String given, List<String> names) {
        String suggestion = Spelling.suggest(given, names);
        return suggestion.startsWith("; did") ? suggestion : "; bundle:list shows them";
    }

    /** The last part of a name. */
    static String shortName(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    private static Shown swap(Call call) throws HostRefusal, UsageException {
        PluginBundles bundles = call.vmm().bundles();
        String file = call.file("FILE").toString();
        SwapReport report =
                call.has("--install") ? bundles.swapOrInstall(file) : bundles.swap(file);
        if (report.from().isEmpty()) {
            Shown made = installed(call, bundle -> bundle.name().equals(report.bundle()));
            return new Shown(made.tree(), () -> "there was none to replace: " + made.text().get());
        }
        List<Map<String, Object>> exchanges = new ArrayList<>();
        StringBuilder text =
                new StringBuilder(
                        "bundle %s: %s replaces %s; the trial took %.1f ms"
                                .formatted(
                                        report.bundle(),
                                        report.to(),
                                        report.from(),
                                        report.trialNanos() / NANOS_PER_MILLISECOND));
        for (SwapReport.Exchange exchange : report.exchanges()) {
            exchanges.add(
                    LifeCycleCommands.ordered(
                            "vm", exchange.vm(),
                            "parts", exchange.parts(),
                            "pause-ms", exchange.pauseNanos() / NANOS_PER_MILLISECOND));
            text.append(
                    "%nVM %s: %s exchanged, it stood still for %.2f ms"
                            .formatted(
                                    exchange.vm(),
                                    String.join(", ", exchange.parts()),
                                    exchange.pauseNanos() / NANOS_PER_MILLISECOND));
        }
        return Shown.of(
                LifeCycleCommands.ordered(
                        "bundle", report.bundle(),
                        "from", report.from(),
                        "to", report.to(),
                        "trial-ms", report.trialNanos() / NANOS_PER_MILLISECOND,
                        "exchanges", exchanges),
                text.toString());
    }
}
