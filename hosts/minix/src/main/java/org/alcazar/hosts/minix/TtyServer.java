package org.alcazar.hosts.minix;

import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.StreamConsoles;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The terminal driver. Requests say where in the stream they are, and the hardware knows how far it
 * is: a driver that is asked a second time does only what is left to do.
 */
final class TtyServer extends Server {
    /** Bytes of a request at most. */
    static final int BUFFER = 4096;

    /** Bytes that go to the hardware at once. */
    static final int BURST = 1024;

    // What the hardware interrupts for.
    private static final long INPUT = 1;
    private static final long OUTPUT = 2;

    private final byte[] buffer = new byte[BUFFER];

    /** Lines whose reader waits for a notification. */
    private final Set<Long> readers = new HashSet<>();

    /** Who waits for output to have gone out. */
    private final List<Writer> writers = new ArrayList<>();

    /**
     * A request to write.
     *
     * @param end where in the stream it ends
     */
    private record Writer(
            Caller caller, long line, TtyDevice device, int grant, long from, long end) {
        boolean done() {
            return device.gone() >= end;
        }
    }

    TtyServer(Kernel kernel) {
        super(kernel, ServerName.TTY);
    }

    @Override
    int handle(Caller from, Message message) {
        long line = message.words[0];
        if (message.type == Message.TTY_OPEN) {
            return open(line, message);
        }
        TtyDevice device = kernel().terminals().get(line);
        if (device == null) {
            // A close that is asked for again has been done.
            return message.type == Message.TTY_CLOSE ? Message.OK : Message.ENXIO;
        }
        return switch (message.type) {
            case Message.TTY_WRITE -> write(from, line, device, message);
            case Message.TTY_READ -> read(line, device, message);
            case Message.TTY_CLOSE -> close(line, device);
            default -> Message.EINVAL;
        };
    }

    private int open(long line, Message message) {
        int grant = (int) message.words[1];
        int length = (int) message.words[2];
        if (kernel().terminals().containsKey(line)) {
            return Message.OK; // by an incarnation that could not say so
        }
        if (!kernel().copyFrom(grant, buffer, length)) {
            return Message.EINVAL;
        }
        try {
            var streams =
                    StreamConsoles.streams(new String(buffer, 0, length, StandardCharsets.UTF_8));
            kernel().terminals()
                    .put(
                            line,
                            new TtyDevice(
                                    streams.in(),
                                    streams.out(),
                                    () -> kernel().notify(ServerName.TTY, INPUT),
                                    () -> kernel().notify(ServerName.TTY, OUTPUT)));
            return Message.OK;
        } catch (HostRefusal e) {
            message.words[1] = kernel().copyTo(grant, String.valueOf(e.getMessage()));
            return Message.ENXIO;
        }
    }

    /** The caller waits until the hardware has sent all; others go on meanwhile. */
    private int write(Caller from, long line, TtyDevice device, Message message) {
        int grant = (int) message.words[1];
        int length = (int) message.words[2];
        long position = message.words[3];
        if (position < 0 || !kernel().copyFrom(grant, buffer, length)) {
            return Message.EINVAL;
        }
        // Another incarnation may have sent some of it, or all.
        for (int done = Math.clamp(device.accepted() - position, 0, length); done < length; ) {
            int burst = Math.min(BURST, length - done);
            if (!device.send(position + done, buffer, done, burst)) {
                return Message.EINVAL;
            }
            done += burst;
            reached(Crashes.Moment.WORKING);
        }
        Writer writer = new Writer(from, line, device, grant, position, position + length);
        if (writer.done()) {
            return outcome(writer, message);
        }
        writers.add(writer);
        return SUSPENDED;
    }

    private int outcome(Writer writer, Message message) {
        String why = writer.device().failure(writer.from());
        if (why.isEmpty()) {
            return Message.OK;
        }
        message.words[1] = kernel().copyTo(writer.grant(), why);
        return Message.EIO;
    }

    /** Replies to those whose output has gone out, or whose line goes. */
    private void release(Predicate<Writer> which) {
        for (Writer writer : List.copyOf(writers)) {
            if (which.test(writer)) {
                writers.remove(writer);
                Message answer = new Message();
                answer.type = outcome(writer, answer);
                kernel().reply(writer.caller(), answer);
            }
        }
    }

    private int read(long line, TtyDevice device, Message message) {
        int count = device.read(message.words[3], buffer);
        reached(Crashes.Moment.WORKING);
        if (count > 0) {
            count = kernel().copyTo((int) message.words[1], buffer, count);
        } else if (count == 0) {
            readers.add(line);
        }
        message.words[0] = count;
        return Message.OK;
    }

    private int close(long line, TtyDevice device) {
        try {
            device.close();
        } catch (IOException e) {
            return Message.EIO;
        } finally {
            kernel().terminals().remove(line);
            readers.remove(line);
            release(writer -> writer.line() == line);
        }
        return Message.OK;
    }

    /** A line has interrupted: who waits for input asks again, who waits for output is told. */
    @Override
    void notified(long sources) {
        kernel().count(MinixPrimitive.INTERRUPT);
        release(Writer::done);
        if ((sources & INPUT) == 0) {
            return;
        }
        for (long line : readers) {
            Port port = kernel().terminalPorts().get(line);
            if (port != null) {
                kernel().notify(port, Port.SERVER);
            }
        }
        readers.clear();
    }

    /** They ask the next incarnation. */
    @Override
    void abandon() {
        writers.forEach(writer -> writer.caller().serverDied());
    }
}
