package org.alcazar.testkit.device;

import org.alcazar.vmm.device.CharacterBackend;

import java.util.function.IntConsumer;

/** A byte stream that keeps what a device writes and gives it what the test types. */
public final class RecordingBackend implements CharacterBackend {
    private final StringBuilder written = new StringBuilder();
    private IntConsumer sink = octet -> {};

    @Override
    public void write(int octet) {
        written.append((char) octet);
    }

    @Override
    public void flush() {}

    @Override
    public void onInput(IntConsumer to) {
        sink = to;
    }

    @Override
    public void close() {}

    /** All that was written, a character for each byte. */
    public String written() {
        return written.toString();
    }

    public void type(String text) {
        text.chars().forEach(sink);
    }
}
