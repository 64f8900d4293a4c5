package org.alcazar.launcher.run;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostNative;
import org.alcazar.host.VmmControl;
import org.alcazar.launcher.config.GuestConfiguration;
import org.alcazar.launcher.config.GuestKey;
import org.alcazar.launcher.config.HostChoice;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.run.VmmProvider.Vmm;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntConsumer;

/**
 * A VMM on a host that runs a native program at the same time: started before any VM, stopped when
 * the VMM is closed.
 */
public final class NativeBeside implements Vmm {
    private static final long PATIENCE_SECONDS = 4;

    private final Vmm beneath;
    private final HostConsoles.Console console;
    private final HostNative.Program program;
    private final CompletableFuture<HostNative.End> end = new CompletableFuture<>();

    private NativeBeside(
            Vmm beneath,
            HostConsoles.Console console,
            HostNative.Program program,
            String name,
            Messages messages) {
        this.beneath = beneath;
        this.console = console;
        this.program = program;
        program.onEnd(reached -> {
            reached.complaints().forEach(messages::say);
            if (reached.cause() == HostNative.Cause.EXITED) {
                messages.note("native program %s ended with %d".formatted(name, reached.code()));
            }
            end.complete(reached);
        });
    }

    /**
     * A provider whose VMMs have the program beside them.
     *
     * @param configuration the guest's
     */
    public static VmmProvider of(
            VmmProvider provider,
            ProgramFile file,
            GuestConfiguration configuration,
            Messages messages) {
        return (host, bundles) -> {
            Vmm vmm = provider.open(host, bundles);
            try {
                return start(vmm, host, file, configuration, messages);
            } catch (Failure | RuntimeException e) {
                vmm.close();
                throw e;
            }
        };
    }

    private static Vmm start(
            Vmm vmm,
            HostChoice host,
            ProgramFile file,
            GuestConfiguration configuration,
            Messages messages)
            throws Failure {
        boolean silent = configuration.text(GuestKey.CONSOLE).equals("none");
        HostConsoles.Console console =
                new OutputOnly(ProgramFile.console(vmm, host.name(), silent ? "none" : "stdio"));
        HostNative.Program program =
                file.start(vmm, host.name(), List.of(), "", ProgramFile.MEMORY, console);
        return new NativeBeside(vmm, console, program, file.name(), messages);
    }

    /** Input is the guest's. */
    private record OutputOnly(HostConsoles.Console console) implements HostConsoles.Console {
        @Override
        public void write(int octet) {
            console.write(octet);
        }

        @Override
        public void flush() {
            console.flush();
        }

        @Override
        public void onInput(IntConsumer sink) {}

        @Override
        public void close() {
            console.close();
        }
    }

    @Override
    public VmmControl control() {
        return beneath.control();
    }

    @Override
    public List<String> hostNotes() {
        return beneath.hostNotes();
    }

    @Override
    public <T> Optional<T> hostService(Class<T> type) {
        return beneath.hostService(type);
    }

    @Override
    public void close() {
        program.stop();
        try {
            end.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // The process ends anyway.
        }
        ProgramFile.leave(console);
        beneath.close();
    }
}
