package org.alcazar.launcher.shell;

import org.alcazar.launcher.message.Failure;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The sockets of this user's processes, one each: {@code PID.sock} in a folder that nobody else may
 * enter.
 */
public final class Sockets {
    private static final String END = ".sock";
    private static final Set<PosixFilePermission> OWN =
            PosixFilePermissions.fromString("rwx------");

    private final Path folder;

    /** The sockets in a folder, which need not be there yet. */
    Sockets(Path folder) {
        this.folder = folder;
    }

    /** Where this user's are: in the session's run-time folder, else among temporary files. */
    public static Sockets of(Map<String, String> environment) {
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (!runtime.isEmpty() && Files.isWritable(Path.of(runtime))) {
            return new Sockets(Path.of(runtime, "alcazar"));
        }
        String user = System.getProperty("user.name", "user");
        return new Sockets(Path.of(System.getProperty("java.io.tmpdir"), "alcazar-" + user));
    }

    /** The folder that they lie in. */
    public Path folder() {
        return folder;
    }

    /** Where a process listens. */
    public Path of(long pid) {
        return folder.resolve(pid + END);
    }

    /**
     * Has the folder ready for this process's socket, without what dead ones have left there.
     *
     * @throws IOException if the folder cannot be made or is somebody else's
     */
    public Path prepare() throws IOException {
        try {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWN));
        } catch (FileAlreadyExistsException e) {
            check();
            sweep();
        }
        return of(ProcessHandle.current().pid());
    }

    /** In a folder for all anybody may have made it. */
    private void check() throws IOException {
        boolean own =
                Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                        && Files.getOwner(folder).equals(Files.getOwner(Path.of("/proc/self")))
                        && Files.getPosixFilePermissions(folder).equals(OWN);
        if (!own) {
            throw new IOException(folder + " must be a folder of this user's alone (mode 0700)");
        }
    }

    private void sweep() throws IOException {
        long own = ProcessHandle.current().pid();
        for (long pid : pids()) {
            if (pid == own || !lives(pid)) {
                Files.deleteIfExists(of(pid));
            }
        }
    }

    private static boolean answers(Path socket) {
        try (SocketChannel channel = connect(socket)) {
            return channel.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    static SocketChannel connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return channel;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * The process that a person means.
     *
     * @param given its id, or empty for the only one
     * @throws Failure if there is no such process, or there are several
     */
    public long choose(String given) throws Failure {
        List<Long> running = pids().stream().filter(this::lives).toList();
        if (given.isEmpty() && running.size() == 1) {
            return running.getFirst();
        }
        String all = running.stream().map(String::valueOf).collect(Collectors.joining(", "));
        String there =
                running.isEmpty()
                        ? "none runs; `alcazar run` or `alcazar shell` starts one"
                        : "there are: " + all;
        if (given.isEmpty()) {
            throw Failure.usage("say which process, by its id; " + there);
        }
        if (!given.matches("\\d{1,18}") || !running.contains(Long.valueOf(given))) {
            throw Failure.usage("'" + given + "' is no process that can be attached to; " + there);
        }
        return Long.parseLong(given);
    }

    /** A process of another container may not be seen from here, but it answers. */
    private boolean lives(long pid) {
        return ProcessHandle.of(pid).isPresent() || answers(of(pid));
    }

    /** Processes with a socket, by their ids. */
    public List<Long> pids() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.matches("\\d{1,18}\\.sock"))
                    .map(name -> Long.valueOf(name.substring(0, name.length() - END.length())))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of(); // nobody has listened yet
        }
    }
}
