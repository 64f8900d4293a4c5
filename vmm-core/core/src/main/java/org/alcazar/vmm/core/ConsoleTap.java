package org.alcazar.vmm.core;

import org.alcazar.host.HostConsoles;
import org.alcazar.vmm.management.GuestConsole;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * A VM's console between its device and the host: keeps the last output, and lets others read along
 * and type.
 */
final class ConsoleTap implements HostConsoles.Console, GuestConsole {
    private static final int RECENT = 1 << 16;
    private static final IntConsumer NOBODY = octet -> {};

    private final HostConsoles.Console host;
    private final AtomicInteger inHost = new AtomicInteger();
    private final byte[] ring = new byte[RECENT];

    /** Bytes written so far; the last of them are in the ring, whose monitor guards all of this. */
    private long written;

    private int waiting;
    private boolean closed;
    private boolean hostReads;
    private final List<IntConsumer> sinks = new ArrayList<>();
    private volatile IntConsumer sink = NOBODY;

    ConsoleTap(HostConsoles.Console host) {
        this.host = host;
    }

    @Override
    public void write(int octet) {
        inHost.incrementAndGet();
        try {
            host.write(octet);
        } finally {
            inHost.decrementAndGet();
        }
        synchronized (ring) {
            ring[(int) (written++ % RECENT)] = (byte) octet;
            if (waiting != 0) {
                ring.notifyAll();
            }
        }
    }

    @Override
    public void flush() {
        inHost.incrementAndGet();
        try {
            host.flush();
        } finally {
            inHost.decrementAndGet();
        }
    }

    /** Whether a thread is in the host's console, which may hold it back for long. Any thread. */
    boolean isInHost() {
        return inHost.get() != 0;
    }

    /** The device that asked last gets the input; the host is asked once. */
    @Override
    public void onInput(IntConsumer newSink) {
        boolean first;
        synchronized (ring) {
            first = !hostReads;
            hostReads = true;
            sinks.add(newSink);
            sink = newSink;
        }
        if (first) {
            host.onInput(octet -> sink.accept(octet));
        }
    }

    /** Who asked for input goes: of the others the one that asked last gets it. */
    void noInput(IntConsumer old) {
        synchronized (ring) {
            sinks.remove(old);
            sink = sinks.isEmpty() ? NOBODY : sinks.getLast();
        }
    }

    @Override
    public void type(byte[] bytes) {
        for (byte octet : bytes) {
            sink.accept(octet & 0xff);
        }
    }

    @Override
    public byte[] recent() {
        synchronized (ring) {
            byte[] out = new byte[(int) Math.min(RECENT, written)];
            copy(written - out.length, out, out.length);
            return out;
        }
    }

    @Override
    public Reader reader() {
        synchronized (ring) {
            return new RingReader(Math.max(0, written - RECENT));
        }
    }

    private void copy(long from, byte[] into, int count) {
        for (int i = 0; i < count; i++) {
            into[i] = ring[(int) ((from + i) % RECENT)];
        }
    }

    @Override
    public void close() {
        synchronized (ring) {
            closed = true;
            sinks.clear();
            sink = NOBODY;
            ring.notifyAll();
        }
        host.close();
    }

    private final class RingReader implements Reader {
        private long at;
        private boolean ended;

        RingReader(long at) {
            this.at = at;
        }

        @Override
        public int read(byte[] into) throws InterruptedException {
            synchronized (ring) {
                waiting++;
                try {
                    while (at == written && !ended && !closed) {
                        ring.wait();
                    }
                } finally {
                    waiting--;
                }
                if (at == written || ended) {
                    return -1;
                }
                at = Math.max(at, written - RECENT);
                int count = (int) Math.min(into.length, written - at);
                copy(at, into, count);
                at += count;
                return count;
            }
        }

        @Override
        public void close() {
            synchronized (ring) {
                ended = true;
                ring.notifyAll();
            }
        }
    }
}
