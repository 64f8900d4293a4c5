package org.alcazar.devices.virtio.api;

import org.alcazar.machine.SavedState;

/**
 * A function with two queues: what comes in the first one goes back in the same request, inverted;
 * what comes in the second one stays until the first is notified.
 */
final class Echo implements VirtioFunction {
    static final VirtioKind KIND =
            new VirtioKind(42, 0xff_00_00, 1 << 3, java.util.List.of(8, 4), 6);

    private final VirtioTransport transport;
    private final byte[] config = {1, 2, 3, 4, 5, 6};
    boolean ready;
    int served;

    Echo(VirtioTransport transport) {
        this.transport = transport;
    }

    @Override
    public int readConfig(int offset) {
        return config[offset];
    }

    @Override
    public void writeConfig(int offset, int value) {
        config[offset] = (byte) value;
    }

    @Override
    public void ready() {
        ready = true;
    }

    @Override
    public void notified(int queue) {
        if (queue != 0) {
            return;
        }
        Virtqueue from = transport.queue(0);
        byte[] bytes = new byte[64];
        while (from.next()) {
            served++;
            int count = from.read(0, bytes, 0, bytes.length);
            for (int i = 0; i < count; i++) {
                bytes[i] = (byte) ~bytes[i];
            }
            from.complete(from.write(0, bytes, 0, count));
        }
        transport.used(0);
    }

    @Override
    public void reset() {
        ready = false;
    }

    @Override
    public SavedState save() {
        return new SavedState("echo", 1).put("ready", ready).put("config", config);
    }

    @Override
    public void restore(SavedState state) {
        ready = state.getBoolean("ready");
        System.arraycopy(state.getBytes("config"), 0, config, 0, config.length);
    }
}
