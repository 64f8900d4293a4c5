package org.alcazar.devices.pit8254;

import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.SavedState;

/**
 * Port 0x61 of a PC, the NMI status and control register (Intel 82371SB, 2.5.3.1): gate and output
 * of timer channel 2, the speaker, refresh toggle. No source of NMIs is modelled, so the status
 * bits stay 0.
 */
final class SystemControl implements ByteDevice {
    static final int TIMER2_GATE = 1, SPEAKER = 2, SERR_DISABLE = 4, IOCHK_DISABLE = 8;
    static final int REFRESH = 0x10, TIMER2_OUT = 0x20, WRITABLE = 0x0f;

    private final Pit8254 pit;
    private int control;

    SystemControl(Pit8254 pit) {
        this.pit = pit;
        reset();
    }

    void reset() {
        synchronized (pit) {
            control = 0;
            pit.gate2(false);
        }
    }

    @Override
    public int readByte(int offset) {
        if (offset != 0) {
            return 0xff;
        }
        synchronized (pit) {
            return control | (pit.refreshToggle() ? REFRESH : 0) | (pit.out2() ? TIMER2_OUT : 0);
        }
    }

    @Override
    public void writeByte(int offset, int value) {
        if (offset == 0) {
            synchronized (pit) {
                control = value & WRITABLE;
                pit.gate2((control & TIMER2_GATE) != 0);
            }
        }
    }

    SavedState save() {
        synchronized (pit) {
            return new SavedState("pc-port-61", 1).put("control", control);
        }
    }

    void restore(SavedState state) {
        synchronized (pit) {
            control = state.require("pc-port-61", 1).getInt("control") & WRITABLE;
        }
    }
}
