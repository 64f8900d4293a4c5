package org.alcazar.launcher.run;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostNative;
import org.alcazar.host.HostPrimitives;
import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.run.Phases.Moment;
import org.alcazar.launcher.run.VmmProvider.Vmm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A native program without any guest, from its start to its exit status. */
public final class NativeRun {
    private static final long PATIENCE_SECONDS = 4;

    private final Messages messages;
    private final Phases phases;
    private final CompletableFuture<HostNative.End> end = new CompletableFuture<>();

    /** What a signal has to stop. Guarded by this. */
    private Optional<HostNative.Program> running = Optional.empty();

    private boolean signalled;

    /** A run. */
    public NativeRun(Messages messages, Phases phases) {
        this.messages = messages;
        this.phases = phases;
    }

    /**
     * Runs the program to its end.
     *
     * @param withHook whether a signal to this process ends it too; tests have none
     * @return the exit status
     * @throws Failure if the host runs no such programs, or not this one
     */
    public int run(
            ProgramFile file,
            GuestConfiguration configuration,
            VmmProvider provider,
            boolean withHook)
            throws Failure {
        Thread hook = new Thread(this::interrupted, "end-program");
        if (withHook) {
            Runtime.getRuntime().addShutdownHook(hook);
        }
        HostChoice host = configuration.host().orElse(HostChoice.DEFAULT);
        try (Vmm vmm = provider.open(host, configuration.bundles())) {
            phases.reached(Moment.FRAMEWORK);
            return runOn(vmm, host, file, configuration);
        } finally {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // A signal came meanwhile: the hook runs and finds everything done.
            }
        }
    }

    private int runOn(Vmm vmm, HostChoice host, ProgramFile file, GuestConfiguration configuration)
            throws Failure {
        HostConsoles.Console console =
                ProgramFile.console(vmm, host.name(), configuration.text(GuestKey.CONSOLE));
        try {
            HostNative.Program program =
                    file.start(
                            vmm,
                            host.name(),
                            words(configuration.text(GuestKey.APPEND)),
                            configuration.type(GuestKey.ENGINE),
                            configuration.bytes(GuestKey.MEMORY).orElse(ProgramFile.MEMORY),
                            console);
            started(program);
            program.onEnd(end::complete);
            int status = await(program, configuration.seconds(GuestKey.TIMEOUT));
            phases.reached(Moment.ENDED);
            if (configuration.stats().isPresent()) {
                write(configuration.stats().get(), status, program, vmm, host);
            }
            return status;
        } finally {
            ProgramFile.leave(console);
        }
    }

    private static List<String> words(String text) {
        return Arrays.stream(text.split("\\s+")).filter(word -> !word.isEmpty()).toList();
    }

    private synchronized void started(HostNative.Program program) {
        running = Optional.of(program);
        if (signalled) {
            program.stop();
        }
    }

    private int await(HostNative.Program program, Optional<Double> timeout) throws Failure {
        try {
            HostNative.End reached =
                    timeout.isEmpty()
                            ? end.get()
                            : end.get((long) (timeout.get() * 1e9), TimeUnit.NANOSECONDS);
            reached.complaints().forEach(messages::say);
            return ProgramFile.status(reached);
        } catch (TimeoutException e) {
            String seconds = String.valueOf(timeout.orElse(0.0)).replaceFirst("\\.0$", "");
            messages.say("ended after " + seconds + " s (--timeout)");
            program.stop();
            awaitQuietly();
            return Status.TIMEOUT;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            program.stop();
            return Status.INTERRUPTED;
        } catch (ExecutionException e) {
            throw new Failure(Status.FAULT, "a fault of the host: " + e.getCause(), e);
        }
    }

    private void awaitQuietly() {
        try {
            end.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            messages.say("the program did not end within " + PATIENCE_SECONDS + " s; leaving it");
        }
    }

    /** The process was told to end (SIGINT, SIGTERM, SIGHUP): a shutdown hook. */
    private void interrupted() {
        Optional<HostNative.Program> program;
        synchronized (this) {
            signalled = true;
            program = running;
        }
        if (program.isPresent()) {
            program.get().stop();
            awaitQuietly();
        }
        messages.clear();
    }

    private void write(
            Path file, int status, HostNative.Program program, Vmm vmm, HostChoice host) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("status", status);
        tree.put("seconds", phases.seconds(0));
        tree.put("native", program.statistics());
        Map<String, Object> own = new LinkedHashMap<>();
        own.put("name", host.name());
        vmm.hostService(HostPrimitives.class)
                .ifPresent(primitives -> own.put("counts", primitives.counts()));
        tree.put("host", own);
        try {
            StatisticsFile.write(file, tree);
        } catch (IOException e) {
            messages.say("--stats: %s cannot be written: %s".formatted(file, e));
        }
    }
}
