package org.alcazar.devices.debugexit;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.vmm.device.Device;

import java.util.function.IntConsumer;

/**
 * A port through which a guest ends its VM: writing v gives status (2v + 1) &amp; 255, as QEMU's
 * isa-debug-exit does. Reads give 0.
 */
public final class DebugExit implements Device, BusDevice {
    static final int PORTS = 4;
    private static final String TYPE = "debug-exit";

    private final IntConsumer exit;

    /**
     * @param exit takes the status, 0 to 255
     */
    public DebugExit(IntConsumer exit) {
        this.exit = exit;
    }

    @Override
    public long read(long offset, Width width) {
        return 0;
    }

    /** Any of the four ports, any width: what QEMU's device takes too. */
    @Override
    public void write(long offset, Width width, long value) {
        exit.accept((int) (2 * value + 1) & 0xff);
    }

    @Override
    public void reset() {}

    @Override
    public SavedState save() {
        return new SavedState(TYPE, 1);
    }

    @Override
    public void restore(SavedState state) {
        state.require(TYPE, 1);
    }
}
