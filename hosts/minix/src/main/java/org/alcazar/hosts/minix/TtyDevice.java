package org.alcazar.hosts.minix;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The hardware of one terminal line. It outlives its driver, and counts the bytes that have gone
 * out and those that came in; so a driver that is new can tell what its predecessor has done. Input
 * stays until whoever reads has said that it got there.
 */
final class TtyDevice {
    private final InputStream in;
    private final OutputStream out;
    private final Runnable interrupt;
    private final byte[] fifo = new byte[4096];

    // Guarded by the object.
    private long received;
    private long taken;
    private boolean ended;
    private boolean listening;
    private boolean closed;

    /** Guarded by the output's own lock: it may block while input comes. */
    private final Object output = new Object();

    private long written;

    /**
     * @param interrupt is run when input has come, or its end
     */
    TtyDevice(InputStream in, OutputStream out, Runnable interrupt) {
        this.in = in;
        this.out = out;
        this.interrupt = interrupt;
    }

    /** Bytes that have gone out. */
    long written() {
        synchronized (output) {
            return written;
        }
    }

    /** Sends bytes; they count as gone even where that fails. */
    void write(byte[] bytes, int offset, int count) throws IOException {
        synchronized (output) {
            written += count;
            out.write(bytes, offset, count);
            out.flush();
        }
    }

    /**
     * Input from a position on.
     *
     * @param position how many bytes the reader has; they are forgotten
     * @return how many bytes there are; 0 if none yet, -1 if none will come
     */
    synchronized int read(long position, byte[] to) {
        if (!listening) {
            listening = true;
            Thread.ofPlatform().daemon().name("minix-tty-line").start(this::listen);
        }
        taken = position;
        notifyAll();
        int count = (int) Math.min(received - taken, to.length);
        for (int i = 0; i < count; i++) {
            to[i] = fifo[(int) ((taken + i) % fifo.length)];
        }
        return count == 0 && ended ? -1 : count;
    }

    private void listen() {
        try {
            for (int octet = in.read(); octet >= 0 && put(octet); octet = in.read()) {
                interrupt.run();
            }
        } catch (IOException e) {
            // An input that fails has ended.
        }
        synchronized (this) {
            ended = true;
        }
        interrupt.run();
    }

    private synchronized boolean put(int octet) {
        while (received - taken == fifo.length && !closed) {
            try {
                wait();
            } catch (InterruptedException e) {
                return false;
            }
        }
        fifo[(int) (received++ % fifo.length)] = (byte) octet;
        return !closed;
    }

    void close() throws IOException {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        synchronized (output) {
            if (out != System.out) { // the process keeps it
                out.close();
            }
        }
    }
}
