package org.alcazar.launcher.run;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.run.Phases.Moment;
import org.alcazar.launcher.run.VmmProvider.Vmm;
import org.alcazar.launcher.terminal.EscapeKeys;
import org.alcazar.launcher.terminal.TerminalMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One VM from its configuration to its exit status. However it ends (by itself, by time, from the
 * keyboard, by a signal, by an exception), the terminal's mode is restored, the VM destroyed and
 * the VMM closed, each once and in this order.
 */
public final class GuestRun {
    private static final Logger LOG = LoggerFactory.getLogger(GuestRun.class);

    /** How long a VM may take to end before the program goes without it. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** The same after a signal. */
    private static final Duration SHORT_PATIENCE = Duration.ofSeconds(4);

    private final Messages messages;
    private final Phases phases;
    private final TerminalMode terminal;
    private final Duration patience;
    private final CompletableFuture<VmEnd> end = new CompletableFuture<>();
    private final CompletableFuture<Void> finished = new CompletableFuture<>();

    private final Object lock = new Object();
    private volatile Optional<Vmm> vmm = Optional.empty();
    private volatile Optional<Path> stats = Optional.empty();
    private volatile int vm;
    private boolean starting;
    private boolean finishing;
    private volatile boolean signalled;
    private volatile boolean paused;

    /**
     * Creates a run.
     *
     * @param terminal that the guest's console is on, or {@link TerminalMode#NONE}
     */
    public GuestRun(Messages messages, Phases phases, TerminalMode terminal) {
        this(messages, phases, terminal, PATIENCE);
    }

    GuestRun(Messages messages, Phases phases, TerminalMode terminal, Duration patience) {
        this.patience = patience;
        this.messages = messages;
        this.phases = phases;
        this.terminal = terminal;
    }

    /**
     * Runs the VM to its end.
     *
     * @param withHook whether a signal to this process ends the VM too; tests have none
     * @return the exit status of the program
     * @throws Failure if the VM cannot be made or started
     */
    public int run(GuestConfiguration configuration, VmmProvider provider, boolean withHook)
            throws Failure {
        Thread hook = new Thread(this::interrupted, "end-vm");
        if (withHook) {
            Runtime.getRuntime().addShutdownHook(hook);
        }
        try {
            start(configuration, provider);
            VmEnd reached = await(configuration.seconds(GuestKey.TIMEOUT));
            finish(reached, patience);
            if (signalled) {
                return Status.INTERRUPTED;
            }
            report(reached);
            return reached.status();
        } finally {
            terminal.restore();
            finish(new VmEnd(Status.FAULT, "not started", ""), patience);
            removeHook(hook);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // A signal came meanwhile: the hook runs and finds everything done.
        }
    }

    private void start(GuestConfiguration configuration, VmmProvider provider) throws Failure {
        String name = configuration.text(GuestKey.NAME);
        messages.status("starting " + name);
        starting(true);
        try {
            stats = configuration.stats();
            checkStatistics();
            Vmm opened =
                    provider.open(
                            configuration.host().orElse(HostChoice.DEFAULT),
                            configuration.bundles());
            vmm = Optional.of(opened);
            goOn();
            VmmControl control = opened.control();
            phases.reached(Moment.FRAMEWORK);
            vm = control.create(configuration.tree());
            goOn();
            phases.reached(Moment.CREATED);
            control.onEnd(vm, end::complete);
            terminal.raw();
            String keys = terminal.present() ? " (Ctrl-A h lists keys, Ctrl-A x ends it)" : "";
            messages.status("booting " + name + keys);
            control.start(vm);
        } catch (HostRefusal e) {
            throw new Failure(Status.USAGE, oneLine(e), e);
        } catch (RuntimeException | LinkageError e) {
            LOG.error("the VMM failed", e);
            throw new Failure(Status.FAULT, "a fault of the VMM: " + oneLine(e), e);
        } finally {
            starting(false);
        }
    }

    private void checkStatistics() throws Failure {
        if (stats.isPresent()) {
            try {
                StatisticsFile.check(stats.get());
            } catch (IOException e) {
                throw new Failure(Status.USAGE, unwritable(stats.get(), e), e);
            }
        }
    }

    private static String unwritable(Path file, IOException e) {
        String why =
                switch (e) {
                    case AccessDeniedException denied -> "no permission";
                    case NoSuchFileException missing -> "nothing can be made in its folder";
                    case FileSystemException f when f.getReason() != null -> f.getReason();
                    default -> oneLine(e);
                };
        return "--stats: " + file + " cannot be written: " + why;
    }

    /** While a VM is starting nobody else ends it. */
    private void starting(boolean now) {
        synchronized (lock) {
            starting = now;
            lock.notifyAll();
        }
    }

    private void goOn() throws Failure {
        synchronized (lock) {
            if (finishing) {
                throw new Failure(Status.INTERRUPTED, "interrupted");
            }
        }
    }

    private VmEnd await(Optional<Double> timeout) throws Failure {
        try {
            if (timeout.isEmpty()) {
                return end.get();
            }
            return end.get((long) (timeout.get() * 1e9), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            String seconds = String.valueOf(timeout.orElse(0.0)).replaceFirst("\\.0$", "");
            return new VmEnd(Status.TIMEOUT, "ended after " + seconds + " s (--timeout)", "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new VmEnd(Status.INTERRUPTED, "interrupted", "");
        } catch (ExecutionException e) {
            throw new Failure(Status.FAULT, "a fault of the VMM: " + e.getCause(), e);
        }
    }

    /** The process was told to end (SIGINT, SIGTERM, SIGHUP): a shutdown hook. */
    private void interrupted() {
        signalled = true;
        terminal.restore();
        VmEnd reached = new VmEnd(Status.INTERRUPTED, "interrupted", "");
        finish(reached, SHORT_PATIENCE);
        messages.clear();
    }

    /**
     * Ends everything, once; who comes second waits for the first. Gives up after a while: a VM
     * that hangs must not hold the user.
     */
    private void finish(VmEnd reached, Duration limit) {
        boolean first;
        synchronized (lock) {
            first = !finishing;
            finishing = true;
        }
        if (first) {
            phases.reached(Moment.ENDED);
            Thread.ofPlatform().daemon().name("finish").start(() -> finishNow(reached));
        }
        try {
            finished.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            terminal.restore();
            if (finished.complete(null)) { // whoever comes next need not wait too
                messages.say("the VM did not end within " + limit.toSeconds() + " s; leaving it");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            LOG.warn("ending the VM failed", e.getCause());
        }
    }

    private void finishNow(VmEnd reached) {
        try {
            synchronized (lock) {
                while (starting) {
                    lock.wait();
                }
            }
            vmm.ifPresent(opened -> {
                if (vm > 0) {
                    endVm(opened.control(), reached);
                }
                terminal.restore();
                opened.close();
            });
            finished.complete(null);
        } catch (InterruptedException | RuntimeException | Error e) {
            finished.completeExceptionally(e);
        }
    }

    private void endVm(VmmControl control, VmEnd reached) {
        try {
            if (!end.isDone() || reached.status() == Status.INTERRUPTED) {
                control.stop(vm);
            }
            writeStatistics(control, reached);
            control.destroy(vm);
        } catch (HostRefusal e) {
            messages.say(oneLine(e));
        }
    }

    private void writeStatistics(VmmControl control, VmEnd reached) throws HostRefusal {
        if (stats.isEmpty()) {
            return;
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("status", reached.status());
        tree.put("reason", reached.reason());
        tree.put("seconds", phases.seconds(secondsBeforeMain()));
        tree.put("process-memory", ProcessMemory.bytes());
        tree.putAll(control.statistics(vm));
        try {
            StatisticsFile.write(stats.get(), tree);
        } catch (IOException e) {
            messages.say(unwritable(stats.get(), e));
        }
    }

    /** Asked at the end only: the management classes take a while to load. */
    private double secondsBeforeMain() {
        var runtime = java.lang.management.ManagementFactory.getRuntimeMXBean();
        return Math.max(0, runtime.getUptime() / 1e3 - phases.elapsed());
    }

    private void report(VmEnd reached) {
        boolean asWanted = reached.status() == Status.OK || reached.status() % 2 == 1;
        if (asWanted) {
            messages.note(reached.reason());
        } else {
            messages.say(reached.reason());
        }
        messages.clear();
        if (!reached.dump().isEmpty()) {
            messages.print(reached.dump().endsWith("\n") ? reached.dump() : reached.dump() + "\n");
        }
    }

    /** Obeys a key; what may take long goes to a thread of its own. */
    public void command(EscapeKeys.Command command) {
        switch (command) {
            case END -> end.complete(new VmEnd(Status.INTERRUPTED, "ended from the keyboard", ""));
            case HELP -> messages.print("\n" + EscapeKeys.help());
            default -> Thread.ofPlatform().daemon().name("command").start(() -> drive(command));
        }
    }

    private void drive(EscapeKeys.Command command) {
        Optional<VmmControl> control = vm == 0 ? Optional.empty() : vmm.map(Vmm::control);
        if (control.isEmpty()) {
            messages.say("the VM is not made yet");
            return;
        }
        try {
            drive(control.get(), command);
        } catch (HostRefusal e) {
            messages.say(oneLine(e));
        } catch (RuntimeException e) {
            LOG.error("the VMM failed", e);
            messages.say("a fault of the VMM: " + oneLine(e));
        }
    }

    private void drive(VmmControl control, EscapeKeys.Command command) throws HostRefusal {
        switch (command) {
            case POWER -> control.deliver(vm, "power-button");
            case PAUSE -> {
                if (paused) {
                    control.resume(vm);
                } else {
                    control.pause(vm);
                }
                paused = !paused;
                messages.say(paused ? "paused; Ctrl-A z goes on" : "goes on");
            }
            case INFORMATION -> {
                StringBuilder line = new StringBuilder("up %.1f s".formatted(phases.elapsed()));
                control.statistics(vm)
                        .forEach((key, value) -> {
                            if (!(value instanceof Map) && !(value instanceof Iterable)) {
                                line.append(", ").append(key).append(' ').append(value);
                            }
                        });
                messages.say(line.toString());
            }
            default -> throw new IllegalArgumentException(command.name());
        }
    }

    private static String oneLine(Throwable e) {
        String message = e.getMessage();
        return message == null ? e.toString() : message.strip().replaceAll("\\s*\\n\\s*", "; ");
    }
}
