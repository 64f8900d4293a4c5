package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.management.AccessReport;
import org.alcazar.vmm.management.BalloonReport;
import org.alcazar.vmm.management.ForkReport;
import org.alcazar.vmm.management.MemoryManagement;
import org.alcazar.vmm.management.MemoryReport;
import org.alcazar.vmm.management.ShareReport;
import org.alcazar.vmm.plugin.Settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Where the RAM of VMs is, and what is done with it. */
final class MemoryCommands {
    private static final long PAGE = 4096;
    private static final double NANOS_PER_MILLISECOND = 1e6;

    private MemoryCommands() {}

    static List<Command> all() {
        return List.of(
                Command.of(
                        "vm:fork",
                        "VM NAME [--start]",
                        "makes a paused copy of a VM, which goes on; they share RAM until one writes",
                        "vm:fork linux copy --start",
                        MemoryCommands::fork),
                Command.of(
                        "vm:memory",
                        "VM",
                        "shows how much of a VM's RAM is there, shared, swapped and given back",
                        "vm:memory linux",
                        MemoryCommands::memory),
                Command.of(
                        "vm:swap",
                        "VM SIZE",
                        "has no more of a VM's RAM in the host's memory, and the rest in its swap"
                                + " file",
                        "vm:swap linux 128M",
                        MemoryCommands::swap),
                Command.of(
                        "vm:balloon",
                        "VM [SIZE]",
                        "asks the guest to give up SIZE of its memory in all, or shows what it has"
                                + " given up",
                        "vm:balloon linux 128M",
                        MemoryCommands::balloon),
                Command.of(
                        "vm:share",
                        "[VM...]",
                        "has equal pages of VMs, or of all, lie in one page until somebody writes",
                        "vm:share linux copy",
                        MemoryCommands::share),
                Command.of(
                        "vm:move-memory",
                        "VM START BYTES NODE",
                        "has RAM lie on a memory node of the host",
                        "vm:move-memory linux 0x100000 0x200000 1",
                        MemoryCommands::move),
                Command.of(
                        "vm:dirty",
                        "VM start|stop|show [--anew]",
                        "logs which pages of RAM are written; --anew: and forgets them when shown",
                        "vm:dirty linux show",
                        MemoryCommands::dirty),
                Command.of(
                        "vm:access",
                        "VM start|stop|show [--every MILLISECONDS] [--fine] [--top COUNT]"
                                + " [--picture FILE|text]",
                        "counts which pages the guest uses; shows the most used, or a picture",
                        "vm:access linux show --top 20 --picture /tmp/linux.png",
                        MemoryCommands::access));
    }

    private static final String WORD = "start|stop|show";

    private static Shown done(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        return Shown.of(
                LifeCycleCommands.ordered("id", vm.id(), "name", vm.name()),
                "VM " + vm.name() + ": done");
    }

    private static UsageException unknown(Call call) {
        return new UsageException(
                "'" + call.text(WORD) + "' is not one of " + WORD.replace("|", ", "));
    }

    private static Shown swap(Call call) throws HostRefusal, UsageException {
        call.vmm().management().memory().swapLimit(call.vm().id(), size(call));
        return done(call);
    }

    private static long size(Call call) throws UsageException {
        try {
            return Settings.parseSize(call.text("SIZE"));
        } catch (NumberFormatException e) {
            throw new UsageException(
                    "SIZE: '" + call.text("SIZE") + "' is not a size such as 128M");
        }
    }

    private static Shown balloon(Call call) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        if (call.optional("SIZE").isPresent()) {
            call.vmm().management().memory().balloon(vm.id(), size(call));
            return done(call);
        }
        BalloonReport made = call.vmm().management().memory().balloon(vm.id());
        List<String> lines = new ArrayList<>();
        lines.add(
                "VM %s was asked for %s and has given up %s; the host has %s back"
                        .formatted(
                                vm.name(),
                                Text.size(made.asked()),
                                Text.size(made.given()),
                                Text.size(made.absent())));
        Map<String, Long> statistics = new TreeMap<>(made.statistics());
        statistics.forEach((name, value) -> lines.add("  " + name + " " + value));
        return new Shown(
                LifeCycleCommands.ordered(
                        "id",
                        vm.id(),
                        "asked-bytes",
                        made.asked(),
                        "given-bytes",
                        made.given(),
                        "absent-bytes",
                        made.absent(),
                        "statistics",
                        statistics),
                () -> String.join("\n", lines));
    }

    private static Shown share(Call call) throws HostRefusal {
        List<Integer> vms = new ArrayList<>();
        for (String name : call.all("VM")) {
            vms.add(call.vm(name).id());
        }
        if (vms.isEmpty()) {
            call.vmm().machines().all().forEach(vm -> vms.add(vm.id()));
        }
        ShareReport made = call.vmm().management().memory().share(vms);
        long longest = made.pauseNanos().values().stream().mapToLong(n -> n).max().orElse(0);
        return Shown.of(
                LifeCycleCommands.ordered(
                        "pages",
                        made.pages(),
                        "merged",
                        made.merged(),
                        "saved-bytes",
                        made.savedBytes(),
                        "pause-ns",
                        longest),
                "%d of %d pages lie in others now, which saves %s; no VM stood still for more than %.2f ms"
                        .formatted(
                                made.merged(),
                                made.pages(),
                                Text.size(made.savedBytes()),
                                longest / NANOS_PER_MILLISECOND));
    }

    private static Shown move(Call call) throws HostRefusal, UsageException {
        VirtualMachine vm = call.vm();
        long node = call.number("NODE", 0, Integer.MAX_VALUE, 0);
        long bytes =
                call.vmm()
                        .management()
                        .memory()
                        .move(
                                vm.id(),
                                call.number("START", 0, Long.MAX_VALUE, 0),
                                call.number("BYTES", 1, Long.MAX_VALUE, 1),
                                (int) node);
        return Shown.of(
                LifeCycleCommands.ordered("id", vm.id(), "bytes", bytes, "node", node),
                Text.size(bytes) + " of VM " + vm.name() + " lie on node " + node);
    }

    private static Shown dirty(Call call) throws HostRefusal, UsageException {
        MemoryManagement memory = call.vmm().management().memory();
        int vm = call.vm().id();
        switch (call.text(WORD)) {
            case "start" -> memory.startDirtyLog(vm);
            case "stop" -> memory.stopDirtyLog(vm);
            case "show" -> {
                return pages(memory.dirtyPages(vm, call.has("--anew")));
            }
            default -> throw unknown(call);
        }
        return done(call);
    }

    private static Shown pages(BitSet pages) {
        List<String> lines = new ArrayList<>();
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int at = pages.nextSetBit(0); at >= 0; ) {
            int end = pages.nextClearBit(at);
            long first = (long) at * PAGE;
            rows.add(LifeCycleCommands.ordered("start", first, "pages", end - at));
            lines.add("0x%x-0x%x".formatted(first, end * PAGE - 1));
            at = pages.nextSetBit(end);
        }
        lines.add(pages.cardinality() + " pages were written");
        return new Shown(
                LifeCycleCommands.ordered("pages", pages.cardinality(), "ranges", rows),
                () -> String.join("\n", lines));
    }

    private static Shown access(Call call) throws HostRefusal, UsageException, IOException {
        MemoryManagement memory = call.vmm().management().memory();
        int vm = call.vm().id();
        switch (call.text(WORD)) {
            case "start" -> {
                long every = call.option("--every", 1, 3_600_000, 100);
                memory.startAccess(vm, every * 1_000_000, call.has("--fine"));
            }
            case "stop" -> memory.stopAccess(vm);
            case "show" -> {
                return uses(call, memory.access(vm));
            }
            default -> throw unknown(call);
        }
        return done(call);
    }

    private static Shown uses(Call call, AccessReport report) throws UsageException, IOException {
        String picture = call.option("--picture").orElse("");
        if (picture.equals("text")) {
            return Shown.lines(HeatMap.text(report), "no RAM was looked at yet");
        }
        List<Map<String, Object>> rows = HeatMap.top(report, call.option("--top", 1, 1 << 20, 20));
        if (picture.isEmpty()) {
            return Shown.table(rows, "no page was used in " + report.samples() + " samples");
        }
        Path file = call.screen().resolve(picture);
        Files.write(file, HeatMap.png(report));
        return Shown.of(
                LifeCycleCommands.ordered("file", file.toString(), "samples", report.samples()),
                "a picture of " + report.samples() + " samples is in " + file);
    }

    private static Shown fork(Call call) throws HostRefusal {
        VirtualMachine vm = call.vm();
        String name = call.text("NAME");
        ForkReport made = call.vmm().management().fork(vm.id(), name);
        if (call.has("--start")) {
            call.vmm().control().resume(made.vm());
        }
        double millis = made.pauseNanos() / NANOS_PER_MILLISECOND;
        return Shown.of(
                LifeCycleCommands.ordered(
                        "id",
                        made.vm(),
                        "name",
                        name,
                        "pause-ns",
                        made.pauseNanos(),
                        "shared-bytes",
                        made.sharedBytes()),
                "VM %d (%s) is a copy of VM %s, which stood still for %.2f ms; they share %s of RAM"
                        .formatted(
                                made.vm(), name, vm.name(), millis, Text.size(made.sharedBytes())));
    }

    private static Shown memory(Call call) throws HostRefusal {
        MemoryReport report = call.vmm().management().memory().report(call.vm().id());
        return new Shown(
                LifeCycleCommands.ordered(
                        "ram", report.ram(),
                        "present", report.present(),
                        "shared", report.shared(),
                        "private", report.alone(),
                        "swapped", report.swapped(),
                        "ballooned", report.ballooned(),
                        "copied", report.copied(),
                        "tables", report.tables(),
                        "charged", report.charged(),
                        "paged", report.paged()),
                () ->
                        Text.tree(
                                LifeCycleCommands.ordered(
                                        "RAM", size(report.ram()),
                                        "present", size(report.present()),
                                        "  shared", size(report.shared()),
                                        "  private", size(report.alone()),
                                        "swapped", size(report.swapped()),
                                        "ballooned", size(report.ballooned()),
                                        "copied on write", size(report.copied()),
                                        "table pages", size(report.tables()),
                                        "charged to the VM", size(report.charged()),
                                        "kept in", report.paged() ? "pages" : "one piece")));
    }

    private static String size(long bytes) {
        return Text.size(bytes);
    }
}
