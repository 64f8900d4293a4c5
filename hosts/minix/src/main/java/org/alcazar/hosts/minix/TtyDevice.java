package org.alcazar.hosts.minix;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The hardware of one terminal line. It outlives its driver, and counts the bytes that have gone
 * out and those that came in; so a driver that is new can tell what its predecessor has done. Input
 * stays until whoever reads has said that it got there. Output goes on a thread of its own: a line
 * that is stopped stops neither the driver nor other lines.
 */
final class TtyDevice {
    private final InputStream in;
    private final OutputStream out;
    private final Runnable interrupt;
    private final Runnable sent;
    private final byte[] fifo = new byte[4096];

    // Guarded by the object.
    private long received;
    private long taken;
    private boolean ended;
    private boolean listening;
    private boolean closed;

    /** The output's own lock. Nobody writes to the stream under it. */
    private final Object output = new Object();

    // Guarded by the output's lock.
    private final byte[] queue = new byte[TtyServer.BUFFER];
    private long accepted;
    private long gone;
    private boolean sending;
    private boolean stopped;

    /** Where the last burst that failed began. */
    private long failedAt = -1;

    private String failure = "";

    /**
     * @param interrupt is run when input has come, or its end
     * @param sent is run when output has gone out, or failed to
     */
    TtyDevice(InputStream in, OutputStream out, Runnable interrupt, Runnable sent) {
        this.in = in;
        this.out = out;
        this.interrupt = interrupt;
        this.sent = sent;
    }

    /** Bytes that it has taken. */
    long accepted() {
        synchronized (output) {
            return accepted;
        }
    }

    /** Bytes that have gone out, or never will. */
    long gone() {
        synchronized (output) {
            return gone;
        }
    }

    /** Why output from a position on has failed; empty if it has not. */
    String failure(long from) {
        synchronized (output) {
            return failedAt >= from ? failure : "";
        }
    }

    /**
     * Takes bytes that go out later.
     *
     * @param position in the stream; what lies between the last bytes and these is lost
     * @return false if it has no room for them
     */
    boolean send(long position, byte[] bytes, int offset, int count) {
        synchronized (output) {
            if (stopped || position < accepted || accepted - gone + count > queue.length) {
                return false;
            }
            if (position > accepted) {
                if (accepted != gone) {
                    return false;
                }
                accepted = position;
                gone = position;
            }
            if (!sending) {
                Thread.ofPlatform().daemon().name("minix-tty-output").start(this::transmit);
                sending = true;
            }
            for (int i = 0; i < count; i++) {
                queue[(int) (accepted++ % queue.length)] = bytes[offset + i];
            }
            output.notifyAll();
            return true;
        }
    }

    /** What is there goes out to the end, and then the stream is closed. */
    private void transmit() {
        byte[] burst = new byte[TtyServer.BURST];
        for (int count = next(burst); count > 0; count = next(burst)) {
            String why = "";
            try {
                out.write(burst, 0, count);
                out.flush();
            } catch (IOException | RuntimeException e) {
                why = String.valueOf(e.getMessage());
            }
            synchronized (output) {
                if (!why.isEmpty()) {
                    failure = why;
                    failedAt = gone;
                }
                gone += count; // even where that fails: nobody shall send it again
            }
            sent.run();
        }
        try {
            closeStream();
        } catch (IOException e) {
            // All has gone out.
        }
    }

    /** Waits for output; 0 at the end. */
    private int next(byte[] burst) {
        synchronized (output) {
            while (accepted == gone && !stopped) {
                try {
                    output.wait();
                } catch (InterruptedException e) {
                    stopped = true;
                }
            }
            int count = (int) Math.min(accepted - gone, burst.length);
            for (int i = 0; i < count; i++) {
                burst[i] = queue[(int) ((gone + i) % queue.length)];
            }
            return count;
        }
    }

    private void closeStream() throws IOException {
        if (out != System.out) { // the process keeps it
            out.close();
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

    /** Ends the line; what it has taken goes out still. */
    void close() throws IOException {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        boolean idle;
        synchronized (output) {
            stopped = true;
            idle = accepted == gone;
            output.notifyAll();
        }
        if (idle) { // the thread closes once more, which does no harm
            closeStream();
        }
    }
}
