package org.alcazar.management.shell;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostTimer;
import org.alcazar.vmm.VirtualMachine;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.utils.InfoCmp.Capability;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/** What VMs do between two looks at their figures, again and again. */
final class Top {
    private static final long MILLIS = 1000;
    private static final double NANOS = 1e9;
    private static final int CTRL_C = 3;

    private final Call call;
    private final HostClock clock;
    private final Optional<Terminal> terminal;

    private Top(Call call) {
        this.call = call;
        this.clock = call.vmm().clock();
        this.terminal = call.has("--count") ? Optional.empty() : call.screen().terminal();
    }

    static Shown show(Call call) throws HostRefusal, UsageException, InterruptedException {
        return new Top(call).run();
    }

    private Shown run() throws HostRefusal, UsageException, InterruptedException {
        long seconds = call.option("--every", 1, 3600, 1);
        long count =
                call.option("--count", 1, 1_000_000, terminal.isPresent() ? Long.MAX_VALUE : 1);
        Optional<Attributes> before = terminal.map(Top::keysAlone);
        List<Object> samples = new ArrayList<>();
        try {
            Sample last = sample();
            paint(rates(last, last));
            for (long i = 0; i < count && !quitWithin(seconds); i++) {
                Sample now = sample();
                List<Map<String, Object>> rates = rates(last, now);
                paint(rates);
                if (terminal.isEmpty()) {
                    show(rates, samples);
                }
                last = now;
            }
        } finally {
            before.ifPresent(mode -> terminal.orElseThrow().setAttributes(mode));
        }
        return terminal.isEmpty() && call.json() ? new Shown(samples, () -> "") : Shown.NOTHING;
    }

    private record Sample(long nanos, Map<Integer, Map<String, Object>> figures) {}

    private Sample sample() throws HostRefusal {
        Map<Integer, Map<String, Object>> figures = new LinkedHashMap<>();
        for (VirtualMachine vm : call.vmm().machines().all()) {
            figures.put(vm.id(), call.vmm().control().statistics(vm.id()));
        }
        return new Sample(clock.nanoTime(), figures);
    }

    private static List<Map<String, Object>> rates(Sample from, Sample to) {
        double seconds = Math.max(1, to.nanos - from.nanos) / NANOS;
        List<Map<String, Object>> rows = new ArrayList<>();
        to.figures.forEach((id, now) -> {
            Map<String, Object> then = from.figures.getOrDefault(id, now);
            rows.add(
                    LifeCycleCommands.ordered(
                            "id",
                            id,
                            "name",
                            now.getOrDefault("name", ""),
                            "state",
                            now.getOrDefault("state", ""),
                            "mips",
                            delta(then, now, "instructions") / seconds / 1e6,
                            "exits/s",
                            Math.round((exits(now) - exits(then)) / seconds),
                            "guest%",
                            100 * delta(then, now, "time", "guest") / seconds,
                            "vmm%",
                            100 * delta(then, now, "time", "vmm") / seconds,
                            "idle%",
                            100 * delta(then, now, "time", "idle") / seconds,
                            "most exits",
                            mostExits(then, now)));
        });
        return rows;
    }

    private static double delta(Map<String, Object> then, Map<String, Object> now, String... path) {
        return Figures.real(now, path) - Figures.real(then, path);
    }

    private static long exits(Map<String, Object> figures) {
        return Figures.tree(figures, "exits").values().stream()
                .mapToLong(count -> count instanceof Long number ? number : 0)
                .sum();
    }

    private static String mostExits(Map<String, Object> then, Map<String, Object> now) {
        return Figures.tree(now, "exits").keySet().stream()
                .filter(reason -> delta(then, now, "exits", reason) > 0)
                .sorted((a, b) ->
                        Double.compare(delta(then, now, "exits", b), delta(then, now, "exits", a)))
                .limit(3)
                .reduce((a, b) -> a + " " + b)
                .orElse("");
    }

    private void show(List<Map<String, Object>> rates, List<Object> samples) {
        if (call.json()) {
            samples.add(rates);
        } else {
            call.out().println(rates.isEmpty() ? "there are no VMs" : Text.table(rates));
            call.out().flush();
        }
    }

    private void paint(List<Map<String, Object>> rates) {
        terminal.ifPresent(screen -> {
            screen.puts(Capability.clear_screen);
            screen.writer().println(rates.isEmpty() ? "there are no VMs" : Text.table(rates));
            screen.writer().println("q ends");
            screen.flush();
        });
    }

    /** Keys arrive as they are typed, Ctrl-C too. */
    private static Attributes keysAlone(Terminal screen) {
        Attributes before = screen.enterRawMode();
        Attributes raw = screen.getAttributes();
        raw.setLocalFlag(LocalFlag.ISIG, false);
        screen.setAttributes(raw);
        return before;
    }

    /** Whether somebody wants no more. Without a terminal nobody can say so. */
    private boolean quitWithin(long seconds) throws InterruptedException {
        if (terminal.isPresent()) {
            try {
                int key = terminal.get().reader().read(seconds * MILLIS);
                return key == 'q' || key == CTRL_C || key == -1;
            } catch (InterruptedIOException e) {
                throw new InterruptedException();
            } catch (IOException e) {
                return true; // the client has gone
            }
        }
        CountDownLatch over = new CountDownLatch(1);
        try (HostTimer timer = clock.timer("vm:top", over::countDown)) {
            timer.arm(clock.nanoTime() + (long) (seconds * NANOS));
            over.await();
        }
        return false;
    }
}
