package org.alcazar.hosts.minix;

import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.StreamConsoles;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * The terminal driver. Requests say where in the stream they are, and the hardware knows how far it
 * is: a driver that is asked a second time does only what is left to do.
 */
final class TtyServer extends Server {
    /** Bytes of a request at most. */
    static final int BUFFER = 4096;

    /** Bytes that go to the hardware at once. */
    static final int BURST = 1024;

    private final byte[] buffer = new byte[BUFFER];

    /** Lines whose reader waits for a notification. */
    private final Set<Long> readers = new HashSet<>();

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
            case Message.TTY_WRITE -> write(device, message);
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
                                    () -> kernel().notify(ServerName.TTY, 1)));
            return Message.OK;
        } catch (HostRefusal e) {
            message.words[1] = kernel().copyTo(grant, String.valueOf(e.getMessage()));
            return Message.ENXIO;
        }
    }

    private int write(TtyDevice device, Message message) {
        int grant = (int) message.words[1];
        int length = (int) message.words[2];
        long position = message.words[3];
        if (!kernel().copyFrom(grant, buffer, length)) {
            return Message.EINVAL;
        }
        try {
            for (int done = (int) (device.written() - position); done < length; ) {
                int burst = Math.min(BURST, length - done);
                device.write(buffer, done, burst);
                done += burst;
                reached(Crashes.Moment.WORKING);
            }
            return Message.OK;
        } catch (IOException e) {
            message.words[1] = kernel().copyTo(grant, String.valueOf(e.getMessage()));
            return Message.EIO;
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
        }
        return Message.OK;
    }

    /** A line has interrupted: who waits asks again. */
    @Override
    void notified(long sources) {
        kernel().count(MinixPrimitive.INTERRUPT);
        for (long line : readers) {
            Port port = kernel().terminalPorts().get(line);
            if (port != null) {
                kernel().notify(port, Port.SERVER);
            }
        }
        readers.clear();
    }
}
