package org.alcazar.hosts.l4;

import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostRam;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Console output on its way. A console whose reader is slow or stands still blocks a thread of its
 * own here and never the program's carrier, which has to see that the program shall stop.
 */
final class OutputQueue {
    private static final Logger LOG = LoggerFactory.getLogger(OutputQueue.class);

    private static final int MOST = 1 << 16;

    private final HostConsoles.Console console;
    private final Runnable progress;
    private final byte[] bytes = new byte[MOST];
    private int first;
    private int count;
    private boolean writing;
    private volatile boolean closed;

    /**
     * An empty queue, which nobody empties before {@link #start}.
     *
     * @param progress called when there is room again, and when all is written
     */
    OutputQueue(HostConsoles.Console console, Runnable progress) {
        this.console = console;
        this.progress = progress;
    }

    /** Starts to write, on a thread of its own, until {@link #close}. */
    void start(String name) {
        Thread.ofPlatform().daemon().name(name + " output").start(this::drain);
    }

    synchronized boolean isFull() {
        return count == MOST && !closed;
    }

    /** Whether the console has all of it, flushed. */
    synchronized boolean isDone() {
        return closed || count == 0 && !writing;
    }

    /**
     * Appends bytes as far as there is room; when closed it takes and forgets them all.
     *
     * @param host host-physical address of the first one
     * @return how many
     */
    synchronized int put(long host, int most) {
        if (closed) {
            return most;
        }
        int taken = Math.min(most, MOST - count);
        for (int i = 0; i < taken; i++) {
            bytes[(first + count++) % MOST] = HostRam.getByte(host + i);
        }
        notifyAll();
        return taken;
    }

    /** Forgets what is not written yet. A write that is under way may last, and nobody waits. */
    synchronized void close() {
        closed = true;
        count = 0;
        notifyAll();
    }

    private void drain() {
        byte[] chunk = new byte[MOST];
        try {
            for (int taken = take(chunk); taken > 0; taken = take(chunk)) {
                for (int i = 0; i < taken && !closed; i++) {
                    console.write(chunk[i] & 0xff);
                }
                if (!closed) {
                    console.flush();
                }
            }
        } catch (RuntimeException e) {
            LOG.error("a console failed; the rest of the output is lost", e);
            close();
            progress.run();
        }
    }

    /** Waits for output and takes all of it; 0 at the end. */
    private int take(byte[] chunk) {
        wrote();
        synchronized (this) {
            while (count == 0 && !closed) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    close();
                }
            }
            int taken = count;
            for (int i = 0; i < taken; i++) {
                chunk[i] = bytes[(first + i) % MOST];
            }
            first = (first + taken) % MOST;
            count = 0;
            writing = taken > 0;
            return taken;
        }
    }

    private void wrote() {
        synchronized (this) {
            writing = false;
        }
        progress.run();
    }
}
