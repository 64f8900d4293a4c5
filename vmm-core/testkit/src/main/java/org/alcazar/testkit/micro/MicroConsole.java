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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A console port at 0xe9: each byte written is kept as text. Reads give 0xe9, as in Bochs, where
 * the port comes from.
 */
public final class MicroConsole implements Device, BusDevice {
    /** Its device type. */
    public static final String TYPE = "micro-console";

    static final int PORT = 0xe9;

    private byte[] text = new byte[64];
    private int length;
    private final List<Map.Entry<String, CompletableFuture<String>>> waiting = new ArrayList<>();

    MicroConsole() {}

    /** The type {@code micro-console}. */
    static final class Type implements DeviceType {
        @Override
        public String name() {
            return TYPE;
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

    /** Completes when the text contains {@code wanted}. */
    public synchronized CompletableFuture<String> until(String wanted) {
        CompletableFuture<String> shown = new CompletableFuture<>();
        waiting.add(Map.entry(wanted, shown));
        tell();
        return shown;
    }

    private void tell() {
        if (!waiting.isEmpty()) {
            String now = text();
            waiting.removeIf(
                    entry -> now.contains(entry.getKey()) && entry.getValue().complete(now));
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
        tell();
    }

    @Override
    public synchronized void reset() {}

    @Override
    public synchronized SavedState save() {
        return new SavedState(TYPE, 1).put("text", Arrays.copyOf(text, length));
    }

    @Override
    public synchronized void restore(SavedState state) {
        text = state.require(TYPE, 1).getBytes("text");
        length = text.length;
        text = Arrays.copyOf(text, Math.max(64, length));
    }
}
