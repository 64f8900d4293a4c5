package org.alcazar.launcher.terminal;

import java.io.IOException;
import java.io.InputStream;
import java.util.function.Consumer;

/**
 * What is typed on a terminal, without Alcazar's own keys: the input stream that the host's console
 * reads.
 *
 * <p>A thread of its own reads the terminal, so that the keys for Alcazar work whatever the guest
 * does. A guest that does not listen loses what was typed after the first 4096 bytes.
 */
public final class Keyboard extends InputStream {
    private static final int CAPACITY = 4096;

    private final byte[] ring = new byte[CAPACITY];
    private final EscapeKeys keys;
    private int first;
    private int count;
    private boolean ended;

    /** Creates a keyboard that gives commands to {@code commands}, on the keyboard's thread. */
    public Keyboard(Consumer<EscapeKeys.Command> commands) {
        keys =
                new EscapeKeys(
                        new EscapeKeys.Sink() {
                            @Override
                            public void guest(int octet) {
                                put(octet);
                            }

                            @Override
                            public void command(EscapeKeys.Command command) {
                                commands.accept(command);
                            }
                        });
    }

    /** Starts reading, on a daemon thread. */
    public void listen(InputStream terminal) {
        Thread.ofPlatform().daemon().name("keyboard").start(() -> pump(terminal));
    }

    private void pump(InputStream terminal) {
        try {
            for (int octet = terminal.read(); octet >= 0; octet = terminal.read()) {
                keys.typed(octet);
            }
        } catch (IOException e) {
            // The terminal has gone; the VM goes on, as at the end of any input.
        }
        end();
    }

    private synchronized void put(int octet) {
        if (count < CAPACITY) {
            ring[(first + count++) % CAPACITY] = (byte) octet;
            notifyAll();
        }
    }

    private synchronized void end() {
        ended = true;
        notifyAll();
    }

    @Override
    public synchronized int read() throws IOException {
        try {
            while (count == 0 && !ended) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        if (count == 0) {
            return -1;
        }
        int octet = ring[first] & 0xff;
        first = (first + 1) % CAPACITY;
        count--;
        return octet;
    }

    @Override
    public synchronized int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        int octet = read();
        int got = 0;
        while (octet >= 0) {
            into[offset + got++] = (byte) octet;
            octet = got < length && count > 0 ? read() : -1;
        }
        return got == 0 ? -1 : got;
    }

    @Override
    public synchronized int available() {
        return count;
    }
}
