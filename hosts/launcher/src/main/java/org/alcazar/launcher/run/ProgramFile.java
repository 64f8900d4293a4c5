package org.alcazar.launcher.run;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostNative;
import org.alcazar.host.HostRefusal;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.run.VmmProvider.Vmm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A native program's file, and how it is started on a host. */
public final class ProgramFile {
    /** What a program has if nobody says more. */
    static final long MEMORY = 64L << 20;

    private static final long MOST_BYTES = 256L << 20;

    /** For what a console has not put out when its program has ended. */
    private static final Duration LAST_OUTPUT = Duration.ofSeconds(1);

    private final String name;
    private final byte[] image;

    private ProgramFile(String name, byte[] image) {
        this.name = name;
        this.image = image;
    }

    /**
     * Reads a file.
     *
     * @throws Failure if it is not there, not readable or too large
     */
    public static ProgramFile read(Path file) throws Failure {
        if (!Files.exists(file)) {
            throw Failure.usage("--native: there is no file " + file);
        }
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
                throw Failure.usage(
                        "--native: %s is no file of at most %d MiB"
                                .formatted(file, MOST_BYTES >> 20));
            }
            String name = String.valueOf(file.getFileName());
            int dot = name.lastIndexOf('.');
            return new ProgramFile(
                    dot > 0 ? name.substring(0, dot) : name, Files.readAllBytes(file));
        } catch (IOException e) {
            throw new Failure(Status.USAGE, "--native: %s can't be read: %s".formatted(file, e), e);
        }
    }

    /** The file's, without its ending. */
    public String name() {
        return name;
    }

    /**
     * Starts the program.
     *
     * @param host its name, for the message
     * @throws Failure if the host does not run such programs, or not this one
     */
    HostNative.Program start(
            Vmm vmm,
            String host,
            List<String> arguments,
            String engine,
            long memory,
            HostConsoles.Console console)
            throws Failure {
        try {
            return service(vmm, host)
                    .start(new HostNative.Wish(name, image, arguments, engine, memory, console));
        } catch (HostRefusal e) {
            throw new Failure(Status.USAGE, String.valueOf(e.getMessage()), e);
        }
    }

    private static HostNative service(Vmm vmm, String host) throws Failure {
        return vmm.hostService(HostNative.class)
                .orElseThrow(() ->
                        Failure.usage(
                                "--native: host %s runs no native programs; --host l4 does"
                                        .formatted(host)));
    }

    /** A console of a host that runs native programs. */
    static HostConsoles.Console console(Vmm vmm, String host, String name) throws Failure {
        service(vmm, host);
        try {
            return vmm.hostService(HostConsoles.class)
                    .orElseThrow(() -> Failure.usage("the host has no consoles"))
                    .open(name);
        } catch (HostRefusal e) {
            throw new Failure(Status.USAGE, String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * Closes a console whose reader may stand still: what it has not taken after a while is lost.
     */
    static void leave(HostConsoles.Console console) {
        Thread closing = Thread.ofPlatform().daemon().name("console-end").start(console::close);
        try {
            closing.join(LAST_OUTPUT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The program's exit status that its end means. */
    static int status(HostNative.End end) {
        return switch (end.cause()) {
            case EXITED -> end.code() == 0 ? Status.OK : (2 * end.code() + 1) & 255;
            case FAILED -> Status.DIED;
            case STOPPED -> Status.INTERRUPTED;
        };
    }
}
