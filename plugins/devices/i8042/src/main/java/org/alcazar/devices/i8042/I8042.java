package org.alcazar.devices.i8042;

import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.platforms.pc.api.Keyboard;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.device.Device;

import java.util.function.Consumer;

/**
 * The keyboard and auxiliary device controller of a PS/2 (IBM Personal System/2 Hardware Interface
 * Technical Reference, "Keyboard and Auxiliary Device Controller") with a keyboard at its first
 * connector and nothing at its second, and system control port A. It begins as firmware leaves it.
 *
 * <p>Lock: this object; interrupt lines are driven under it.
 */
final class I8042 implements Device, Keyboard {
    /** Status register. */
    static final int STATUS_OUTPUT_FULL = 1;

    static final int STATUS_SYSTEM = 4;
    static final int STATUS_COMMAND = 8;
    static final int STATUS_NOT_INHIBITED = 0x10;
    static final int STATUS_AUX_DATA = 0x20;
    static final int STATUS_TIMEOUT = 0x40;

    /** Command byte. */
    static final int KEYBOARD_INTERRUPT = 1;

    static final int AUX_INTERRUPT = 2;
    static final int SYSTEM_FLAG = 4;
    static final int DISABLE_KEYBOARD = 0x10;
    static final int DISABLE_AUX = 0x20;
    static final int TRANSLATE = 0x40;

    /** What firmware leaves in the command byte of a machine without a mouse. */
    static final int INITIAL = TRANSLATE | DISABLE_AUX | SYSTEM_FLAG | KEYBOARD_INTERRUPT;

    /** Commands, at port 0x64. */
    static final int READ_RAM = 0x20;

    static final int WRITE_RAM = 0x60;
    static final int TEST_PASSWORD = 0xa4;
    static final int AUX_DISABLE = 0xa7;
    static final int AUX_ENABLE = 0xa8;
    static final int AUX_TEST = 0xa9;
    static final int SELF_TEST = 0xaa;
    static final int KEYBOARD_TEST = 0xab;
    static final int KEYBOARD_DISABLE = 0xad;
    static final int KEYBOARD_ENABLE = 0xae;
    static final int READ_INPUT_PORT = 0xc0;
    static final int READ_OUTPUT_PORT = 0xd0;
    static final int WRITE_OUTPUT_PORT = 0xd1;
    static final int WRITE_KEYBOARD_BUFFER = 0xd2;
    static final int WRITE_AUX_BUFFER = 0xd3;
    static final int WRITE_AUX = 0xd4;
    static final int READ_TEST_INPUTS = 0xe0;

    /** To 0xff: pulses low those of the output port's lines 0 to 3 whose bit is 0. */
    static final int PULSE = 0xf0;

    static final int SELF_TEST_PASSED = 0x55;
    static final int NO_PASSWORD = 0xf1;

    /** What stands in for the answer of a device that is silent. */
    static final int SILENCE = 0xfe;

    /** Input port: keyboard not locked, colour display, no manufacturing jumper, all RAM there. */
    static final int INPUT_PORT = 0xb0;

    /** Output port: lines that are always high, and those with a meaning here. */
    static final int OUTPUT_HIGH = 0xc0;

    static final int OUTPUT_NOT_RESET = 1;
    static final int OUTPUT_A20 = 2;
    static final int OUTPUT_KEYBOARD_FULL = 0x10;
    static final int OUTPUT_AUX_FULL = 0x20;

    /** System control port A. */
    static final int SYSTEM_RESET = 1;

    static final int SYSTEM_A20 = 2;

    /** Eleven bits at 12.5 kHz: the least time from one byte of the keyboard to the next. */
    static final long CHARACTER_NANOS = 880_000;

    private static final int RAM = 0x20;
    private static final int NOTHING = -1;
    private static final String TYPE = "i8042";

    private final GuestClock clock;
    private final InterruptLine keyboardLine;
    private final InterruptLine auxLine;
    private final Consumer<String> machineReset;
    private final Counter unknown;
    private final Ps2Keyboard keyboard;
    private final GuestTimer timer;

    /** The controller's memory; its first byte is the command byte. */
    private final byte[] ram = new byte[RAM];

    private int output;
    private boolean full;

    /** Whether {@link #output} counts as from the auxiliary connector. */
    private boolean fromAux;

    /** Whether it came over the keyboard's wire, not from the controller itself. */
    private boolean fromWire;

    private boolean timedOut;

    /** A byte of the keyboard that an answer of the controller has taken the place of. */
    private int displaced;

    /** The command whose data byte comes next at port 0x60. */
    private int awaiting;

    private boolean commandWritten;
    private boolean a20;
    private int systemControl;

    /** The translation has swallowed a break prefix. */
    private boolean released;

    /** When the keyboard's wire is free for its next byte. */
    private long wireFree;

    /**
     * @param machineReset pulls the machine's reset line; takes the reason
     * @param unknown counts commands that controller or keyboard lacks
     */
    I8042(
            GuestClock clock,
            InterruptLine keyboardLine,
            InterruptLine auxLine,
            Consumer<String> machineReset,
            Counter unknown) {
        this.clock = clock;
        this.keyboardLine = keyboardLine;
        this.auxLine = auxLine;
        this.machineReset = machineReset;
        this.unknown = unknown;
        keyboard = new Ps2Keyboard(unknown);
        timer = clock.timer("i8042 wire", this::wireIsFree);
        clear();
    }

    private void clear() {
        java.util.Arrays.fill(ram, (byte) 0);
        ram[0] = INITIAL;
        output = 0;
        full = false;
        fromAux = false;
        fromWire = false;
        timedOut = false;
        displaced = NOTHING;
        awaiting = NOTHING;
        commandWritten = true;
        a20 = true;
        systemControl = SYSTEM_A20;
        released = false;
        wireFree = 0;
    }

    @Override
    public synchronized void reset() {
        timer.cancel();
        keyboard.reset();
        clear();
        driveLines();
    }

    /** Port 0x60. */
    ByteDevice dataPort() {
        return new Port() {
            @Override
            int read() {
                return readData();
            }

            @Override
            void write(int value) {
                writeData(value);
            }
        };
    }

    /** Port 0x64: status when read, commands when written. */
    ByteDevice commandPort() {
        return new Port() {
            @Override
            int read() {
                return status();
            }

            @Override
            void write(int value) {
                writeCommand(value);
            }
        };
    }

    /** Port 0x92. */
    ByteDevice systemControlPort() {
        return new Port() {
            @Override
            int read() {
                return readSystemControl();
            }

            @Override
            void write(int value) {
                writeSystemControl(value);
            }
        };
    }

    @Override
    public synchronized boolean press(int... codes) {
        boolean taken = keyboard.press(codes);
        feed();
        return taken;
    }

    private synchronized int status() {
        return (full ? STATUS_OUTPUT_FULL : 0)
                | (has(SYSTEM_FLAG) ? STATUS_SYSTEM : 0)
                | (commandWritten ? STATUS_COMMAND : 0)
                | STATUS_NOT_INHIBITED
                | (fromAux ? STATUS_AUX_DATA : 0)
                | (timedOut ? STATUS_TIMEOUT : 0);
    }

    private boolean has(int commandBit) {
        return (ram[0] & commandBit) != 0;
    }

    private void change(int commandBit, boolean on) {
        ram[0] = (byte) (on ? ram[0] | commandBit : ram[0] & ~commandBit);
    }

    private synchronized int readData() {
        int value = output; // an empty buffer gives the last byte again
        if (full) {
            full = false;
            if (fromWire) {
                wireFree = clock.nanos() + CHARACTER_NANOS;
            }
            driveLines();
            feed();
        }
        return value;
    }

    /**
     * Fills the output buffer from the keyboard if it can, and else waits for the wire if that
     * helps.
     */
    private void feed() {
        if (!full && displaced != NOTHING) {
            fill(displaced, false, true, false);
            displaced = NOTHING;
        }
        while (!full && wanted()) {
            if (clock.nanos() < wireFree) {
                timer.arm(wireFree);
                return;
            }
            receive(keyboard.take());
        }
        timer.cancel();
    }

    private boolean wanted() {
        return !has(DISABLE_KEYBOARD) && keyboard.hasByte();
    }

    private void receive(int octet) {
        if (!has(TRANSLATE)) {
            fill(octet, false, true, false);
        } else if (octet == ScanCodes.BREAK) {
            released = true;
        } else {
            int code = ScanCodes.translate(octet) | (released ? ScanCodes.RELEASED : 0);
            released = false;
            fill(code, false, true, false);
        }
    }

    private synchronized void wireIsFree() {
        feed();
    }

    /** The controller's own answer: it does not wait until the buffer is empty. */
    private void answer(int octet) {
        fill(octet, false, false, false);
    }

    private void fill(int octet, boolean aux, boolean wire, boolean silent) {
        if (full) {
            if (fromWire) {
                displaced = output;
            }
            full = false;
            driveLines(); // each byte is an edge of its own
        }
        output = octet;
        full = true;
        fromAux = aux;
        fromWire = wire;
        timedOut = silent;
        driveLines();
    }

    private void driveLines() {
        keyboardLine.set(full && !fromAux && has(KEYBOARD_INTERRUPT));
        auxLine.set(full && fromAux && has(AUX_INTERRUPT));
    }

    private synchronized void writeData(int value) {
        int command = awaiting;
        awaiting = NOTHING;
        commandWritten = false;
        switch (command) {
            case NOTHING -> {
                change(DISABLE_KEYBOARD, false); // talking to it opens its wire
                keyboard.write(value);
            }
            case WRITE_OUTPUT_PORT -> writeOutputPort(value);
            case WRITE_KEYBOARD_BUFFER -> answer(value);
            case WRITE_AUX_BUFFER -> fill(value, true, false, false);
            case WRITE_AUX -> {
                change(DISABLE_AUX, false);
                fill(SILENCE, true, false, true);
            }
            default -> {
                ram[command & RAM - 1] = (byte) value;
                driveLines();
            }
        }
        feed();
    }

    private synchronized void writeCommand(int value) {
        awaiting = NOTHING;
        commandWritten = true;
        switch (value) {
            case TEST_PASSWORD -> answer(NO_PASSWORD);
            case AUX_DISABLE -> change(DISABLE_AUX, true);
            case AUX_ENABLE -> change(DISABLE_AUX, false);
            case AUX_TEST, KEYBOARD_TEST -> answer(0);
            case SELF_TEST -> {
                change(SYSTEM_FLAG, true);
                answer(SELF_TEST_PASSED);
            }
            case KEYBOARD_DISABLE -> change(DISABLE_KEYBOARD, true);
            case KEYBOARD_ENABLE -> change(DISABLE_KEYBOARD, false);
            case READ_INPUT_PORT -> answer(INPUT_PORT);
            case READ_OUTPUT_PORT -> answer(outputPort());
            case WRITE_OUTPUT_PORT, WRITE_KEYBOARD_BUFFER, WRITE_AUX_BUFFER, WRITE_AUX ->
                    awaiting = value;
            case READ_TEST_INPUTS -> answer(has(DISABLE_KEYBOARD) ? 2 : 3); // clock and data
            default -> writeRangeCommand(value);
        }
        feed();
    }

    private void writeRangeCommand(int value) {
        if ((value & -RAM) == READ_RAM) {
            answer(ram[value & RAM - 1] & 0xff);
        } else if ((value & -RAM) == WRITE_RAM) {
            awaiting = value;
        } else if (value < PULSE) {
            unknown.increment();
        } else if ((value & OUTPUT_NOT_RESET) == 0) {
            machineReset.accept("reset line of the keyboard controller");
        }
    }

    private int outputPort() {
        return OUTPUT_HIGH
                | OUTPUT_NOT_RESET
                | (a20 ? OUTPUT_A20 : 0)
                | (full && !fromAux ? OUTPUT_KEYBOARD_FULL : 0)
                | (full && fromAux ? OUTPUT_AUX_FULL : 0);
    }

    private void writeOutputPort(int value) {
        a20 = (value & OUTPUT_A20) != 0;
        if ((value & OUTPUT_NOT_RESET) == 0) {
            machineReset.accept("output port of the keyboard controller");
        }
    }

    private synchronized int readSystemControl() {
        return systemControl;
    }

    private synchronized void writeSystemControl(int value) {
        boolean rises = (value & ~systemControl & SYSTEM_RESET) != 0;
        systemControl = value & (SYSTEM_RESET | SYSTEM_A20);
        if (rises) {
            machineReset.accept("system control port A");
        }
    }

    @Override
    public synchronized SavedState save() {
        return new SavedState(TYPE, 1)
                .put("ram", ram)
                .put("output", output)
                .put("full", full)
                .put("from-aux", fromAux)
                .put("from-wire", fromWire)
                .put("timed-out", timedOut)
                .put("displaced", displaced)
                .put("awaiting", awaiting)
                .put("command-written", commandWritten)
                .put("a20", a20)
                .put("system-control", systemControl)
                .put("released", released)
                .put("wire-free", wireFree)
                .put("keyboard", keyboard.save());
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require(TYPE, 1);
        byte[] saved = state.getBytes("ram");
        if (saved.length != RAM) {
            throw new IncompatibleStateException(
                    "saved state of i8042: " + saved.length + " bytes of memory, wanted " + RAM);
        }
        System.arraycopy(saved, 0, ram, 0, RAM);
        output = state.getInt("output");
        full = state.getBoolean("full");
        fromAux = state.getBoolean("from-aux");
        fromWire = state.getBoolean("from-wire");
        timedOut = state.getBoolean("timed-out");
        displaced = state.getInt("displaced");
        awaiting = state.getInt("awaiting");
        commandWritten = state.getBoolean("command-written");
        a20 = state.getBoolean("a20");
        systemControl = state.getInt("system-control");
        released = state.getBoolean("released");
        wireFree = state.getLong("wire-free");
        keyboard.restore(state.getState("keyboard"));
        timer.cancel();
        if (!full && wanted()) {
            timer.arm(wireFree);
        }
        driveLines();
    }

    @Override
    public synchronized void close() {
        timer.close();
    }

    /** One port: its register, and nothing beside it. */
    private abstract static class Port implements ByteDevice {
        abstract int read();

        abstract void write(int value);

        @Override
        public int readByte(int offset) {
            return offset == 0 ? read() : 0xff;
        }

        @Override
        public void writeByte(int offset, int value) {
            if (offset == 0) {
                write(value);
            }
        }
    }
}
