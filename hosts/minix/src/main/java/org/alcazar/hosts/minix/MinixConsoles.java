package org.alcazar.hosts.minix;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostRefusal;
import org.alcazar.hosts.support.StreamConsole;
import org.alcazar.hosts.support.StreamConsoles;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/** Consoles by messages to the terminal driver. */
final class MinixConsoles implements HostConsoles {
    private final Kernel kernel;
    private final Calls calls;
    private final AtomicLong lines = new AtomicLong();

    MinixConsoles(Kernel kernel, Calls calls) {
        this.kernel = kernel;
        this.calls = calls;
    }

    @Override
    public Console open(String name) throws HostRefusal {
        Line line = new Line(kernel, calls, lines.incrementAndGet());
        line.open(name);
        return new StreamConsole(new Input(line), new Output(line), StreamConsoles.loss(name));
    }

    /**
     * An open line.
     *
     * @param port where its reader waits for input
     */
    private record Line(Kernel kernel, Calls calls, long number, Port port) {
        Line(Kernel kernel, Calls calls, long number) {
            this(kernel, calls, number, new Port());
        }

        void open(String name) throws HostRefusal {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            if (bytes.length > TtyServer.BUFFER) {
                throw new HostRefusal("console: the name is longer than a path may be");
            }
            byte[] buffer = new byte[TtyServer.BUFFER];
            System.arraycopy(bytes, 0, buffer, 0, bytes.length);
            String why = request(Message.TTY_OPEN, buffer, bytes.length, 0);
            if (!why.isEmpty()) {
                throw new HostRefusal(why);
            }
            kernel.terminalPorts().put(number, port);
        }

        /** What went wrong; empty if nothing did. */
        String request(int type, byte[] buffer, int length, long position) {
            int grant = kernel.grant(buffer);
            Caller slot = calls.claim(type);
            try {
                long[] words = slot.message.words;
                words[0] = number;
                words[1] = grant;
                words[2] = length;
                words[3] = position;
                return switch (calls.call(ServerName.TTY, slot)) {
                    case Message.OK -> "";
                    case Message.ENXIO, Message.EIO ->
                            new String(buffer, 0, (int) words[1], StandardCharsets.UTF_8);
                    case Message.ESHUTDOWN -> "host minix has been shut down";
                    case Message.EDEADSRCDST ->
                            "host minix: the terminal driver has died of request %d %d times"
                                    .formatted(type, Calls.MOST_DEATHS);
                    default -> "the terminal driver refuses request " + type;
                };
            } finally {
                slot.release();
                kernel.revoke(grant);
            }
        }

        /** How many bytes of input there are from a position on; -1 at the end. */
        int read(byte[] buffer, int grant, long position) {
            Caller slot = calls.claim(Message.TTY_READ);
            try {
                long[] words = slot.message.words;
                words[0] = number;
                words[1] = grant;
                words[2] = buffer.length;
                words[3] = position;
                return calls.call(ServerName.TTY, slot) == Message.OK ? (int) words[0] : -1;
            } finally {
                slot.release();
            }
        }

        void close() {
            Caller slot = calls.claim(Message.TTY_CLOSE);
            try {
                slot.message.words[0] = number;
                calls.call(ServerName.TTY, slot);
            } finally {
                slot.release();
            }
            kernel.terminalPorts().remove(number);
            port.notify(Port.OWN);
        }
    }

    /** Output; the console's own thread alone writes. */
    private static final class Output extends OutputStream {
        private final Line line;
        private final byte[] buffer = new byte[TtyServer.BUFFER];
        private long position;

        Output(Line line) {
            this.line = line;
        }

        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            for (int done = 0; done < length; ) {
                int count = Math.min(buffer.length, length - done);
                System.arraycopy(bytes, offset + done, buffer, 0, count);
                String why = line.request(Message.TTY_WRITE, buffer, count, position);
                position += count;
                done += count;
                if (!why.isEmpty()) {
                    throw new IOException(why);
                }
            }
        }

        @Override
        public void close() {
            line.close();
        }
    }

    /** Input; the console's own thread alone reads. */
    private static final class Input extends InputStream {
        private final Line line;
        private final byte[] buffer = new byte[256];
        private long position;
        private int next;
        private int count;

        Input(Line line) {
            this.line = line;
        }

        @Override
        public int read() {
            while (next == count) {
                int grant = line.kernel().grant(buffer);
                try {
                    int got = line.read(buffer, grant, position);
                    if (got < 0) {
                        return -1;
                    }
                    next = 0;
                    count = got;
                } finally {
                    line.kernel().revoke(grant);
                }
                if (count == 0 && (line.port().await() & Port.OWN) != 0) {
                    return -1;
                }
            }
            position++;
            return buffer[next++] & 0xff;
        }
    }
}
