package org.alcazar.launcher.terminal;

import org.alcazar.launcher.message.Messages;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Standard output while a guest runs: its console. Tells of the first byte, and keeps messages off
 * the guest's lines.
 */
public final class ConsoleOutput extends OutputStream {
    private final OutputStream out;
    private final Messages messages;
    private final boolean terminal;
    private final Runnable atFirst;
    private final AtomicBoolean printed = new AtomicBoolean();

    /**
     * Creates the stream in front of standard output.
     *
     * @param terminal whether {@code out} is a terminal, on which messages may follow
     * @param atFirst is run once, when the guest prints its first byte
     */
    public ConsoleOutput(OutputStream out, Messages messages, boolean terminal, Runnable atFirst) {
        this.out = out;
        this.messages = messages;
        this.terminal = terminal;
        this.atFirst = atFirst;
    }

    @Override
    public void write(int octet) throws IOException {
        write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
        if (count > 0) {
            if (!printed.getAndSet(true)) {
                atFirst.run();
            }
            messages.guestPrints(!terminal || bytes[from + count - 1] == '\n');
            out.write(bytes, from, count);
        }
    }

    @Override
    public void flush() throws IOException {
        out.flush();
    }
}
