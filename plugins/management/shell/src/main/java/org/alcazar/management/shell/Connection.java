package org.alcazar.management.shell;

import org.alcazar.management.shell.Frames.Frame;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.IntSupplier;

/**
 * One client: its frames become a terminal or a script, and what that shows becomes frames. The
 * first class on the way from the socket that needs Gogo and JLine.
 */
final class Connection {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    private final Vmm vmm;
    private final ByteChannel channel;
    private final Frames frames;
    private final Path history;
    private volatile boolean ended;

    Connection(Vmm vmm, ByteChannel channel, Path history) {
        this.vmm = vmm;
        this.channel = channel;
        this.frames = new Frames(channel);
        this.history = history;
    }

    /** Serves the client until it goes or its session ends. */
    void serve() {
        try (channel) {
            Optional<Frame> first = frames.read();
            if (first.isEmpty()) {
                return; // somebody looked whether we live
            }
            if (first.get().kind() != 'H') {
                throw new IOException(
                        "a frame '" + first.get().kind() + "' where a header was due");
            }
            Header header = Header.of(first.get().content());
            if (header.terminal()) {
                terminal(header);
            } else {
                script(header);
            }
        } catch (IOException e) {
            LOG.debug("a client of the shell went: {}", e.getMessage());
        }
    }

    private void script(Header header) throws IOException {
        Optional<Frame> frame = frames.read();
        if (frame.isEmpty() || frame.get().kind() != 'C') {
            throw new IOException("no script follows the header");
        }
        String script = new String(frame.get().content(), StandardCharsets.UTF_8);
        Screen screen = new Screen(Optional.empty(), header.folder(), header.json());
        ShellSession session =
                new ShellSession(
                        vmm,
                        screen,
                        InputStream.nullInputStream(),
                        new FrameOutput(frames, 'O'),
                        new FrameOutput(frames, 'E'));
        Thread runner = start("shell-script", () -> end(() -> run(session, script)));
        awaitEnd();
        session.interrupt();
        session.close();
        join(runner);
    }

    private static int run(ShellSession session, String script) {
        try {
            return session.run(script);
        } catch (QuitException e) {
            return e.status();
        }
    }

    /** Until the client goes, or has got its exit status. */
    private void awaitEnd() {
        try {
            Optional<Frame> frame = frames.read();
            while (frame.isPresent()) {
                frame = frames.read(); // nothing of a script is typed
            }
        } catch (IOException e) {
            LOG.debug("a client went: {}", e.getMessage());
        }
    }

    private void terminal(Header header) throws IOException {
        LineDisciplineTerminal terminal =
                new LineDisciplineTerminal(
                        "alcazar",
                        header.term(),
                        new BufferedOutputStream(new FrameOutput(frames, 'O')),
                        StandardCharsets.UTF_8);
        terminal.setSize(new Size(header.columns(), header.rows()));
        Screen screen = new Screen(Optional.of(terminal), header.folder(), header.json());
        ShellSession session =
                new ShellSession(
                        vmm, screen, terminal.input(), terminal.output(), terminal.output());
        Prompt prompt = new Prompt(vmm, session, screen, terminal, history);
        Thread runner = start("shell", () -> end(prompt::run));
        type(terminal);
        session.interrupt();
        terminal.close(); // whoever reads it finds the end
        session.close();
        join(runner);
    }

    /** Gives the terminal what the client sends, until it goes or the session has ended. */
    private void type(LineDisciplineTerminal terminal) {
        try {
            Optional<Frame> frame = frames.read();
            while (frame.isPresent() && frame.get().kind() != 'Q') {
                byte[] content = frame.get().content();
                if (!ended) {
                    take(terminal, frame.get().kind(), content);
                }
                frame = frames.read();
            }
        } catch (IOException e) {
            LOG.debug("a client went: {}", e.getMessage());
        }
    }

    private static void take(LineDisciplineTerminal terminal, char kind, byte[] content)
            throws IOException {
        try {
            switch (kind) {
                case 'I' -> terminal.processInputBytes(content);
                case 'W' -> resize(terminal, new String(content, StandardCharsets.UTF_8));
                default -> LOG.debug("frame '{}' is not known", kind);
            }
        } catch (RuntimeException e) {
            LOG.warn("the line editor failed at a signal", e); // its handlers run here
        }
    }

    private static void resize(LineDisciplineTerminal terminal, String columnsAndRows) {
        String[] cells = columnsAndRows.split(" ", 2);
        Size size = terminal.getSize();
        terminal.setSize(
                new Size(
                        Header.cells(cells[0], size.getColumns()),
                        Header.cells(cells.length > 1 ? cells[1] : "", size.getRows())));
        terminal.raise(Signal.WINCH);
    }

    private static Thread start(String name, Runnable work) {
        return Thread.ofPlatform().daemon().name(name).start(work);
    }

    private static void join(Thread runner) {
        try {
            runner.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Runs the session and sends the client its exit status. The channel is the client's to close:
     * what it has typed ahead would make ours a reset, which may take the status with it.
     */
    private void end(IntSupplier session) {
        int status;
        try {
            status = session.getAsInt();
        } catch (RuntimeException | Error e) {
            LOG.error("the shell failed", e);
            status = CommandFailure.FAULT;
        }
        ended = true;
        byte[] text = Integer.toString(status).getBytes(StandardCharsets.UTF_8);
        try {
            frames.send('X', text, 0, text.length);
        } catch (IOException e) {
            LOG.debug("the client has not waited for its exit status");
        }
    }
}
