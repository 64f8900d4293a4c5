package org.alcazar.devices.ioapic;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.device.Device;

import java.util.Arrays;
import java.util.Optional;

/**
 * An I/O APIC with 24 inputs: Intel 82093AA (data sheet 290566-001, May 1996) with the EOI register
 * of version 0x20 (Intel 631xESB data sheet, 11.5).
 *
 * <p>Lock: this object; local APICs are called under it, and tell the end of an interrupt without
 * their own lock.
 */
final class IoApic implements Device, BusDevice {
    static final int PINS = 24;

    /** Version 0x20 in bits 0 to 7, the highest redirection entry in 16 to 23. */
    static final int VERSION = PINS - 1 << 16 | 0x20;

    /** The window: register select, data, end of interrupt. */
    static final int IOREGSEL = 0x00, IOWIN = 0x10, IOEOI = 0x40;

    /**
     * Registers behind IOREGSEL; entry n is at IOREDTBL + 2 n (low half) and the next (high half).
     */
    static final int IOAPICID = 0, IOAPICVER = 1, IOAPICARB = 2, IOREDTBL = 0x10;

    static final int VECTOR = 0xff, MODE_SHIFT = 8, LOGICAL = 1 << 11, POLARITY = 1 << 13;
    static final int REMOTE_IRR = 1 << 14, LEVEL = 1 << 15, MASK = 1 << 16;

    /** All but delivery status and remote IRR. */
    private static final int WRITABLE = 0x0001_afff;

    private final Counter ignored;
    private final int initialId;
    private Optional<ApicBus> bus = Optional.empty();

    private int select;
    private int id;
    private final int[] low = new int[PINS];
    private final int[] high = new int[PINS];

    /** Wires, a bit for each pin: asserted or not, whatever the pin's polarity. */
    private int inputs;

    /**
     * @param ignored counts accesses that this chip has nothing for
     */
    IoApic(int id, Counter ignored) {
        this.ignored = ignored;
        this.initialId = id;
        clear();
    }

    /** Sends interrupts there from now on, until the hook is closed. */
    Hook connect(ApicBus to) {
        Hook ends = to.addEndOfInterrupt(this::endOfInterrupt);
        bus(Optional.of(to));
        return () -> {
            bus(Optional.empty());
            ends.close();
        };
    }

    private synchronized void bus(Optional<ApicBus> to) {
        bus = to;
    }

    private void clear() {
        select = 0;
        id = initialId;
        Arrays.fill(low, MASK);
        Arrays.fill(high, 0);
    }

    @Override
    public synchronized void reset() {
        clear();
    }

    /** The wire into a pin. */
    InterruptLine pin(int pin) {
        return level -> set(pin, level);
    }

    private synchronized void set(int pin, boolean level) {
        int bit = 1 << pin;
        boolean rises = level && (inputs & bit) == 0;
        inputs = level ? inputs | bit : inputs & ~bit;
        if (rises && (low[pin] & (LEVEL | MASK)) == 0) {
            send(pin); // an edge at a masked pin is lost
        } else {
            serveLevel(pin);
        }
    }

    /** A level is sent once, and again after the end of the interrupt if it still stands. */
    private void serveLevel(int pin) {
        if ((low[pin] & (LEVEL | MASK | REMOTE_IRR)) == LEVEL && (inputs & 1 << pin) != 0) {
            int mode = low[pin] >> MODE_SHIFT & 7;
            if (mode == ApicBus.FIXED || mode == ApicBus.LOWEST_PRIORITY) {
                low[pin] |= REMOTE_IRR;
            }
            send(pin);
        }
    }

    private void send(int pin) {
        int entry = low[pin];
        if (bus.isPresent()) {
            bus.get()
                    .deliver(
                            high[pin] >>> 24,
                            (entry & LOGICAL) != 0,
                            entry >> MODE_SHIFT & 7,
                            entry & VECTOR,
                            (entry & LEVEL) != 0);
        }
    }

    /** The end of a level-triggered interrupt, from a local APIC or the EOI register. */
    synchronized void endOfInterrupt(int vector) {
        for (int pin = 0; pin < PINS; pin++) {
            if ((low[pin] & (LEVEL | REMOTE_IRR)) == (LEVEL | REMOTE_IRR)
                    && (low[pin] & VECTOR) == vector) {
                low[pin] &= ~REMOTE_IRR;
                serveLevel(pin);
            }
        }
    }

    @Override
    public synchronized long read(long offset, Width width) {
        return switch ((int) offset) {
            case IOREGSEL -> select;
            case IOWIN -> readRegister() & 0xffff_ffffL & width.mask();
            default -> {
                ignored.increment();
                yield width.mask();
            }
        };
    }

    @Override
    public synchronized void write(long offset, Width width, long value) {
        switch ((int) offset) {
            case IOREGSEL -> select = (int) value & 0xff;
            case IOWIN -> {
                if (width.bytes() >= Integer.BYTES) {
                    writeRegister((int) value);
                } else {
                    ignored.increment();
                }
            }
            case IOEOI -> endOfInterrupt((int) value & VECTOR);
            default -> ignored.increment();
        }
    }

    private int readRegister() {
        int entry = select - IOREDTBL >> 1;
        if (select >= IOREDTBL && entry < PINS) {
            return (select & 1) == 0 ? low[entry] : high[entry];
        }
        return switch (select) {
            case IOAPICID, IOAPICARB -> id << 24;
            case IOAPICVER -> VERSION;
            default -> {
                ignored.increment();
                yield 0;
            }
        };
    }

    private void writeRegister(int value) {
        int entry = select - IOREDTBL >> 1;
        if (select >= IOREDTBL && entry < PINS) {
            if ((select & 1) == 0) {
                writeEntry(entry, value);
            } else {
                high[entry] = value & 0xff00_0000;
            }
        } else if (select == IOAPICID) {
            id = value >>> 24 & 0xf;
        } else {
            ignored.increment();
        }
    }

    private void writeEntry(int pin, int value) {
        int remote = low[pin] & REMOTE_IRR;
        low[pin] = value & WRITABLE;
        if ((value & LEVEL) != 0) {
            low[pin] |= remote; // an edge-triggered entry has none
            serveLevel(pin);
        }
    }

    @Override
    public synchronized SavedState save() {
        return new SavedState("ioapic", 1)
                .put("select", select)
                .put("id", id)
                .put("low", low)
                .put("high", high)
                .put("inputs", inputs);
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require("ioapic", 1);
        select = state.getInt("select") & 0xff;
        id = state.getInt("id") & 0xf;
        copy(state, "low", low);
        copy(state, "high", high);
        inputs = state.getInt("inputs");
    }

    private static void copy(SavedState state, String name, int[] into) {
        int[] from = state.getInts(name);
        if (from.length != into.length) {
            throw new IncompatibleStateException(
                    "saved state of ioapic: '"
                            + name
                            + "' has "
                            + from.length
                            + " entries, wanted "
                            + into.length);
        }
        System.arraycopy(from, 0, into, 0, into.length);
    }
}
