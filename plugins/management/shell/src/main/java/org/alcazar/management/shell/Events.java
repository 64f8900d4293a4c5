package org.alcazar.management.shell;

import org.alcazar.host.HostRefusal;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.management.VmEvent;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** What has happened to VMs, and what happens to them. */
final class Events {
    private static final double NANOS = 1e9;
    private static final int LAST = 20;

    private Events() {}

    static Shown show(Call call) throws HostRefusal, UsageException, InterruptedException {
        long most = call.option("--count", 1, Integer.MAX_VALUE, Integer.MAX_VALUE);
        if (call.has("--follow") || call.has("--count")) {
            return follow(call, most);
        }
        List<VmEvent> events = last(call);
        return new Shown(
                events.stream().map(Events::tree).toList(),
                () ->
                        events.isEmpty()
                                ? "nothing has happened yet"
                                : String.join("\n", events.stream().map(Events::line).toList()));
    }

    /** Of the VM, or of all. */
    private static List<VmEvent> last(Call call) throws HostRefusal, UsageException {
        long wanted = call.option("--last", 0, Integer.MAX_VALUE, LAST);
        List<VmEvent> events = new ArrayList<>();
        List<VirtualMachine> machines =
                call.optional("VM").isPresent() ? List.of(call.vm()) : call.vmm().machines().all();
        for (VirtualMachine vm : machines) {
            events.addAll(call.vmm().management().events(vm.id()));
        }
        events.sort(Comparator.comparingLong(VmEvent::number));
        return events.subList((int) Math.max(0, events.size() - wanted), events.size());
    }

    private static Shown follow(Call call, long count)
            throws HostRefusal, UsageException, InterruptedException {
        int wanted = call.optional("VM").isPresent() ? call.vm().id() : 0;
        BlockingQueue<VmEvent> coming = new LinkedBlockingQueue<>();
        Hook hook =
                call.vmm()
                        .management()
                        .listen(event -> {
                            if (wanted == 0 || wanted == event.vm()) {
                                coming.add(event);
                            }
                        });
        try {
            long shown = 0;
            for (VmEvent event : last(call)) {
                print(call, event);
                shown = event.number();
            }
            for (long left = count; left > 0; ) {
                VmEvent event = coming.take();
                if (event.number() > shown) { // it may be among the last already
                    print(call, event);
                    left--;
                }
            }
        } finally {
            hook.close();
        }
        return Shown.NOTHING;
    }

    private static void print(Call call, VmEvent event) {
        call.out().println(call.json() ? Json.text(tree(event)) : line(event));
        call.out().flush();
    }

    private static String line(VmEvent event) {
        return String.format(
                Locale.ROOT,
                "%12.6f s  %s  %-6s  %s",
                event.guestNanos() / NANOS,
                event.name(),
                event.kind(),
                event.text());
    }

    private static Map<String, Object> tree(VmEvent event) {
        return LifeCycleCommands.ordered(
                "number", event.number(),
                "id", event.vm(),
                "name", event.name(),
                "guest-seconds", event.guestNanos() / NANOS,
                "kind", event.kind(),
                "event", event.text());
    }
}
