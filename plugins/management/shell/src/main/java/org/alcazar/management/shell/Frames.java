package org.alcazar.management.shell;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.Optional;

/**
 * Frames of the protocol on a channel, either way: a byte of kind, four of length (big-endian), the
 * content. One thread reads, any may write.
 */
final class Frames {
    /** More is no frame of ours. */
    private static final int MOST = 1 << 24;

    private static final int CHUNK = 1 << 16;
    private static final int HEAD = 5;

    private final ByteChannel channel;

    Frames(ByteChannel channel) {
        this.channel = channel;
    }

    /** What came. */
    record Frame(char kind, byte[] content) {}

    /**
     * The next frame; empty at the end.
     *
     * @throws IOException if the channel fails, or ends within a frame, or carries something else
     */
    Optional<Frame> read() throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD);
        if (channel.read(head) < 0) {
            return Optional.empty();
        }
        fill(head);
        char kind = (char) (head.get() & 0xff);
        int length = head.getInt();
        if (length < 0 || length > MOST) {
            throw new IOException("a frame of " + (length & 0xffffffffL) + " bytes");
        }
        ByteBuffer content = ByteBuffer.allocate(length);
        fill(content);
        return Optional.of(new Frame(kind, content.array()));
    }

    private void fill(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("the connection ended within a frame");
            }
        }
        buffer.flip();
    }

    /** Sends bytes, in several frames if they are many. */
    synchronized void send(char kind, byte[] bytes, int from, int count) throws IOException {
        int at = from;
        do {
            int now = Math.min(CHUNK, from + count - at);
            ByteBuffer frame = ByteBuffer.allocate(HEAD + now);
            frame.put((byte) kind).putInt(now).put(bytes, at, now).flip();
            while (frame.hasRemaining()) {
                channel.write(frame);
            }
            at += now;
        } while (at < from + count);
    }
}
