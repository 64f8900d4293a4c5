package org.alcazar.testkit.micro;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.device.DeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Settings;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A console port at 0xe9: each byte written is kept as text. Reads give 0xe9, as in Bochs, where
 * the port comes from.
 */
public final class MicroConsole implements Device, BusDevice {
    static final int PORT = 0xe9;

    private byte[] text = new byte[64];
    private int length;

    MicroConsole() {}

    /** The type {@code micro-console}. */
    static final class Type implements DeviceType {
        @Override
        public String name() {
            return "micro-console";
        }

        @Override
        public String description() {
            return "console port that keeps its text for a test";
        }

        @Override
        public Device create(DeviceContext context, Settings settings)
                throws ConfigurationException {
            MicroConsole console = new MicroConsole();
            context.hookPorts(PORT, 1, console);
            context.provide(MicroConsole.class, console);
            return console;
        }
    }

    public synchronized String text() {
        return new String(text, 0, length, StandardCharsets.ISO_8859_1);
    }

    /** Waits until the text contains {@code wanted}. */
    public synchronized void await(String wanted) {
        try {
            while (!text().contains(wanted)) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted; the console shows: " + text(), e);
        }
    }

    @Override
    public long read(long offset, Width width) {
        return PORT;
    }

    @Override
    public synchronized void write(long offset, Width width, long value) {
        if (length == text.length) {
            text = Arrays.copyOf(text, 2 * length);
        }
        text[length++] = (byte) value;
        notifyAll();
    }

    @Override
    public synchronized void reset() {}

    @Override
    public synchronized SavedState save() {
        return new SavedState("micro-console", 1).put("text", Arrays.copyOf(text, length));
    }

    @Override
    public synchronized void restore(SavedState state) {
        text = state.require("micro-console", 1).getBytes("text");
        length = text.length;
        text = Arrays.copyOf(text, Math.max(64, length));
    }
}
