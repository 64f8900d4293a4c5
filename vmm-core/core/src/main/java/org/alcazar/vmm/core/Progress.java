package org.alcazar.vmm.core;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** How far the streams of a call have come, and an end for those of one that was given up. */
final class Progress implements LongSupplier {
    private final AtomicLong steps = new AtomicLong();
    private volatile boolean ended;

    @Override
    public long getAsLong() {
        return steps.get();
    }

    /** The streams give and take nothing from now on. */
    void end() {
        ended = true;
    }

    private void step() throws IOException {
        if (ended) {
            throw new IOException("this was given up");
        }
        steps.incrementAndGet();
    }

    InputStream over(InputStream in) {
        return new FilterInputStream(in) {
            @Override
            public int read() throws IOException {
                step();
                return super.read();
            }

            @Override
            public int read(byte[] into, int offset, int bytes) throws IOException {
                step();
                int got = super.read(into, offset, bytes);
                step();
                return got;
            }
        };
    }

    OutputStream over(OutputStream out) {
        return new FilterOutputStream(out) {
            @Override
            public void write(int octet) throws IOException {
                step();
                out.write(octet);
            }

            @Override
            public void write(byte[] from, int offset, int bytes) throws IOException {
                step();
                out.write(from, offset, bytes);
            }
        };
    }
}
