package org.alcazar.hosts.support;

import org.alcazar.host.HostConsoles.Console;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * A console over streams. Output goes through a ring and a thread of its own, so that a slow
 * terminal delays the guest only when the ring is full. A reader that has gone (broken pipe)
 * swallows the rest; so does one that cannot be written, which is told at the end.
 */
public final class StreamConsole implements Console {
    private final InputStream in;
    private final OutputStream out;
    private final Consumer<String> loss;
    private final AtomicReference<String> failure = new AtomicReference<>("");
    private final byte[] ring = new byte[1 << 16];
    private int first;
    private int count;
    private boolean writing;
    private boolean closed;

    /** A console whose losses nobody wants to know of. */
    public StreamConsole(InputStream in, OutputStream out) {
        this(in, out, why -> {});
    }

    /**
     * Creates a console.
     *
     * @param loss is told once, when the console is closed, why output was lost if some was; a
     *     broken pipe is no loss
     */
    public StreamConsole(InputStream in, OutputStream out, Consumer<String> loss) {
        this.in = in;
        this.out = out;
        this.loss = loss;
        Thread.ofPlatform().daemon().name("console-output").start(this::drain);
    }

    @Override
    public synchronized void write(int octet) {
        while (count == ring.length && !closed) {
            await();
        }
        if (!closed) {
            ring[first + count & ring.length - 1] = (byte) octet;
            if (count++ == 0) {
                notifyAll();
            }
        }
    }

    @Override
    public synchronized void flush() {
        while ((count > 0 || writing) && !closed) {
            await();
        }
    }

    @Override
    public void onInput(IntConsumer sink) {
        Thread.ofPlatform().daemon().name("console-input").start(() -> read(sink));
    }

    @Override
    public void close() {
        flush();
        boolean first;
        synchronized (this) {
            first = !closed;
            closed = true;
            notifyAll();
        }
        try {
            if (out != System.out) {
                out.close();
            }
        } catch (IOException e) {
            failed(e);
        }
        String why = failure.get();
        if (first && !why.isEmpty()) {
            loss.accept(why);
        }
    }

    private void read(IntConsumer sink) {
        try {
            for (int octet = in.read(); octet >= 0 && !isClosed(); octet = in.read()) {
                sink.accept(octet);
            }
        } catch (IOException e) {
            // An input that fails has ended.
        }
    }

    private void drain() {
        byte[] chunk = new byte[ring.length];
        for (int bytes = take(chunk); bytes > 0; bytes = take(chunk)) {
            try {
                out.write(chunk, 0, bytes);
                out.flush();
            } catch (IOException | UncheckedIOException e) {
                failed(e); // the guest must not notice
            }
        }
    }

    private void failed(Exception e) {
        String why = String.valueOf(e.getMessage());
        if (!why.toLowerCase(Locale.ROOT).contains("broken pipe")) { // else the reader has gone
            failure.compareAndSet("", why);
        }
    }

    /** Waits for output and takes all of it; 0 at the end. */
    private synchronized int take(byte[] chunk) {
        writing = false;
        notifyAll();
        while (count == 0 && !closed) {
            await();
        }
        int bytes = count;
        for (int i = 0; i < bytes; i++) {
            chunk[i] = ring[first + i & ring.length - 1];
        }
        first = first + bytes & ring.length - 1;
        count = 0;
        writing = bytes > 0;
        notifyAll();
        return bytes;
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private void await() {
        try {
            wait();
        } catch (InterruptedException e) {
            closed = true;
            Thread.currentThread().interrupt();
        }
    }
}
