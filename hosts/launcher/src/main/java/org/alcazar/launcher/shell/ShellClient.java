package org.alcazar.launcher.shell;

import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.message.Status;
import org.alcazar.launcher.shell.Frames.Frame;
import org.alcazar.launcher.terminal.TerminalMode;
import org.alcazar.launcher.terminal.WindowSize;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A session with the shell of a process, this one or another, through its socket. The shell itself
 * is over there: what is typed goes out, what comes is printed.
 */
public final class ShellClient {
    private static final int BUFFER = 4096;

    private final Path socket;
    private final Path folder;
    private final boolean json;
    private final OutputStream out;
    private final Messages messages;

    /**
     * A client that is not connected yet.
     *
     * @param folder that the shell is to take relative paths from
     * @param json whether results are wanted as JSON
     */
    public ShellClient(
            Path socket, Path folder, boolean json, OutputStream out, Messages messages) {
        this.socket = socket;
        this.folder = folder;
        this.json = json;
        this.out = out;
        this.messages = messages;
    }

    /**
     * Runs a script.
     *
     * @return its exit status
     * @throws Failure if nobody listens
     */
    public int run(String script) throws Failure {
        try (SocketChannel channel = connect()) {
            Frames frames = new Frames(channel);
            send(frames, 'H', header("script", ""));
            send(frames, 'C', script);
            return print(frames)
                    .orElseThrow(() ->
                            new Failure(Status.FAULT, "the process has ended before the script"));
        } catch (IOException e) {
            throw broken(e);
        }
    }

    /**
     * Gives the terminal to the shell until the session ends.
     *
     * @param mode of the terminal; raw while the session lasts
     * @return the session's exit status
     * @throws Failure if nobody listens
     */
    public int interact(InputStream keyboard, TerminalMode mode, String term) throws Failure {
        try (SocketChannel channel = connect()) {
            Frames frames = new Frames(channel);
            WindowSize size = WindowSize.now();
            send(
                    frames,
                    'H',
                    header(
                            "terminal",
                            "term=%s\ncolumns=%d\nrows=%d\n"
                                    .formatted(term, size.columns(), size.rows())));
            mode.raw();
            WindowSize.onChange(changed -> sendSize(frames, changed));
            Thread.ofPlatform().daemon().name("keyboard").start(() -> type(keyboard, frames));
            Optional<Integer> status = print(frames);
            mode.restore();
            if (status.isEmpty()) {
                messages.say("the process has ended");
            }
            return status.orElse(Status.OK);
        } catch (IOException e) {
            throw broken(e);
        } finally {
            mode.restore();
        }
    }

    private SocketChannel connect() throws Failure {
        try {
            return Sockets.connect(socket);
        } catch (IOException e) {
            throw new Failure(
                    Status.USAGE, socket + ": nobody listens there: " + e.getMessage(), e);
        }
    }

    private static Failure broken(IOException e) {
        return new Failure(Status.FAULT, "the connection broke: " + e.getMessage(), e);
    }

    private String header(String mode, String more) {
        return "version=1\nmode=" + mode + "\nfolder=" + folder + "\njson=" + json + "\n" + more;
    }

    private static void send(Frames frames, char kind, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        frames.send(kind, bytes, 0, bytes.length);
    }

    private static void sendSize(Frames frames, WindowSize size) {
        try {
            send(frames, 'W', size.columns() + " " + size.rows());
        } catch (IOException e) {
            // The session is over.
        }
    }

    private static void type(InputStream keyboard, Frames frames) {
        byte[] bytes = new byte[BUFFER];
        try {
            for (int count = keyboard.read(bytes); count >= 0; count = keyboard.read(bytes)) {
                frames.send('I', bytes, 0, count);
            }
            frames.send('Q', bytes, 0, 0);
        } catch (IOException e) {
            // The session is over.
        }
    }

    /** Prints what comes; the exit status, if one came before the end. */
    private Optional<Integer> print(Frames frames) throws IOException {
        Optional<Frame> frame = frames.read();
        while (frame.isPresent()) {
            byte[] content = frame.get().content();
            switch (frame.get().kind()) {
                case 'O' -> {
                    out.write(content);
                    out.flush();
                }
                case 'E' -> messages.print(new String(content, StandardCharsets.UTF_8));
                case 'X' -> {
                    return Optional.of(
                            Integer.valueOf(new String(content, StandardCharsets.UTF_8)));
                }
                default -> throw new IOException("a frame '" + frame.get().kind() + "'");
            }
            frame = frames.read();
        }
        return Optional.empty();
    }
}
