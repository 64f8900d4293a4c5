package org.alcazar.devices.pic8259;

import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.platforms.pc.api.LegacyPic;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.device.Device;

import java.util.Arrays;

/**
 * Two 8259As as a PC has them: the slave's output is the master's input 2. Interrupts 0 to 7 are
 * the master's inputs, 8 to 15 the slave's.
 *
 * <p>Lock: this object. It is called with the locks of devices held, and drives its output under
 * its own lock.
 */
final class PicPair implements Device, LegacyPic {
    static final int INPUTS = 16;
    static final int CASCADE = 2;

    /** Floating-point errors come in here. */
    private static final int FLOAT = 13;

    /** Interrupts 0, 1, 2, 8 and 13 are always edge triggered (PIIX3, ELCR). */
    private static final int MASTER_LEVEL_CAPABLE = 0xf8;

    private static final int SLAVE_LEVEL_CAPABLE = 0xde;

    private final Pic8259 master = new Pic8259(MASTER_LEVEL_CAPABLE);
    private final Pic8259 slave = new Pic8259(SLAVE_LEVEL_CAPABLE);
    private final int initialElcr;

    /** Replaced as a whole. */
    private InterruptLine[] outputs = {};

    private boolean asserted;

    /** A floating-point error drives input 13, beside the wire into it. */
    private boolean floatError;

    private boolean floatWire;

    /** IGNNE#: floating-point errors are ignored. */
    private boolean ignoring;

    /**
     * @param initialElcr which interrupts are level triggered after a reset, as firmware leaves it
     */
    PicPair(int initialElcr) {
        this.initialElcr = initialElcr;
        clear();
    }

    private void clear() {
        master.reset(initialElcr);
        slave.reset(initialElcr >> 8);
        floatError = false;
        ignoring = false;
    }

    @Override
    public synchronized void reset() {
        clear();
        update();
    }

    @Override
    public synchronized Hook addOutput(InterruptLine wire) {
        outputs = Arrays.copyOf(outputs, outputs.length + 1);
        outputs[outputs.length - 1] = wire;
        wire.set(asserted);
        return () -> removeOutput(wire);
    }

    private synchronized void removeOutput(InterruptLine wire) {
        outputs = Arrays.stream(outputs).filter(w -> w != wire).toArray(InterruptLine[]::new);
    }

    /** The wire into input {@code number}, 0 to 15 without 2. */
    InterruptLine input(int number) {
        return level -> set(number, level);
    }

    private synchronized void set(int number, boolean level) {
        if (number == FLOAT) {
            floatWire = level;
            slave.setInput(number - 8, level || floatError);
        } else if (number < 8) {
            master.setInput(number, level);
        } else {
            slave.setInput(number - 8, level);
        }
        update();
    }

    private void update() {
        boolean cascade = slave.output();
        if (cascade != master.input(CASCADE)) {
            master.setInput(CASCADE, cascade);
        }
        drive(master.output());
    }

    private void drive(boolean level) {
        if (level != asserted) {
            asserted = level;
            for (InterruptLine wire : outputs) {
                wire.set(level);
            }
        }
    }

    @Override
    public synchronized boolean pending() {
        return asserted;
    }

    @Override
    public synchronized int acknowledge() {
        int level = master.acknowledge();
        int vector = master.vector(level);
        if (level == CASCADE && master.cascaded(level)) {
            vector = slave.vector(slave.acknowledge());
            master.setInput(
                    CASCADE,
                    false); // INT falls with the acknowledge and rises again for what is left
        }
        drive(false);
        update();
        return vector;
    }

    @Override
    public synchronized boolean floatError(boolean pending) {
        ignoring &= pending;
        driveFloat(pending && !ignoring);
        return ignoring || !pending;
    }

    private void driveFloat(boolean level) {
        floatError = level;
        set(FLOAT, floatWire);
    }

    /** Ports F0h and F1h: any write answers a floating-point error. */
    ByteDevice floatErrorPort() {
        return new ByteDevice() {
            @Override
            public int readByte(int offset) {
                return 0xff;
            }

            @Override
            public void writeByte(int offset, int value) {
                answerFloatError();
            }
        };
    }

    private synchronized void answerFloatError() {
        if (floatError) {
            ignoring = true;
            driveFloat(false);
        }
    }

    /** Command and data port of the master (or the slave). */
    ByteDevice ports(boolean ofSlave) {
        Pic8259 pic = ofSlave ? slave : master;
        return new ByteDevice() {
            @Override
            public int readByte(int offset) {
                return readPort(pic, offset);
            }

            @Override
            public void writeByte(int offset, int value) {
                writePort(pic, offset, value);
            }
        };
    }

    private synchronized int readPort(Pic8259 pic, int offset) {
        int value =
                switch (offset) {
                    case 0 -> pic.readCommand();
                    case 1 -> pic.readData();
                    default -> 0xff;
                };
        update(); // a poll acknowledges
        return value;
    }

    private synchronized void writePort(Pic8259 pic, int offset, int value) {
        switch (offset) {
            case 0 -> pic.writeCommand(value);
            case 1 -> pic.writeData(value);
            default -> {}
        }
        update();
    }

    /** ELCR1 and ELCR2. */
    ByteDevice edgeLevelControl() {
        return new ByteDevice() {
            @Override
            public int readByte(int offset) {
                return readElcr(offset);
            }

            @Override
            public void writeByte(int offset, int value) {
                writeElcr(offset, value);
            }
        };
    }

    private synchronized int readElcr(int offset) {
        return switch (offset) {
            case 0 -> master.elcr();
            case 1 -> slave.elcr();
            default -> 0xff;
        };
    }

    private synchronized void writeElcr(int offset, int value) {
        switch (offset) {
            case 0 -> master.writeElcr(value);
            case 1 -> slave.writeElcr(value);
            default -> {}
        }
        update();
    }

    @Override
    public synchronized SavedState save() {
        return new SavedState("pic8259", 1)
                .put("master", master.save())
                .put("slave", slave.save())
                .put("float-error", floatError)
                .put("float-wire", floatWire)
                .put("ignoring-float-errors", ignoring);
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require("pic8259", 1);
        master.restore(state.getState("master"));
        slave.restore(state.getState("slave"));
        floatError = state.getBoolean("float-error");
        floatWire = state.getBoolean("float-wire");
        ignoring = state.getBoolean("ignoring-float-errors");
        asserted = master.output();
        for (InterruptLine wire : outputs) {
            wire.set(asserted);
        }
    }
}
