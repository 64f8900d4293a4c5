package org.alcazar.launcher.terminal;

import org.alcazar.launcher.message.Messages;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

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
    private final AtomicReference<String> loss = new AtomicReference<>("");

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
            try {
                out.write(bytes, from, count);
            } catch (IOException e) {
                lost(e);
                throw e;
            }
        }
    }

    @Override
    public void flush() throws IOException {
        try {
            out.flush();
        } catch (IOException e) {
            lost(e);
            throw e;
        }
    }

    /** A reader that has gone (broken pipe) wants no more: that is no loss. */
    private void lost(IOException e) {
        String why = String.valueOf(e.getMessage());
        if (!why.toLowerCase(Locale.ROOT).contains("broken pipe")) {
            loss.compareAndSet("", why);
        }
    }

    /** Says, at the end, that output was lost, if some was. */
    public void reportLoss() {
        String why = loss.get();
        if (!why.isEmpty()) {
            messages.say("warning: the guest's output could not be written, some is lost: " + why);
        }
    }
}
