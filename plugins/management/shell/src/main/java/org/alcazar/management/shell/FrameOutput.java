package org.alcazar.management.shell;

import java.io.IOException;
import java.io.OutputStream;

/** A stream to the client: each write is a frame. */
final class FrameOutput extends OutputStream {
    private final Frames frames;
    private final char kind;

    FrameOutput(Frames frames, char kind) {
        this.frames = frames;
        this.kind = kind;
    }

    @Override
    public void write(int octet) throws IOException {
        write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
        if (count > 0) {
            frames.send(kind, bytes, from, count);
        }
    }
}
