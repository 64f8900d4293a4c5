package org.alcazar.devices.pci.api;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The 256 bytes of configuration space of one function, header type 0: which bits a guest may
 * write, base addresses, a list of capabilities (PCI Local Bus Specification 3.0, chapter 6).
 * Offsets are bytes from 0 to 255. Not thread-safe: the bus calls it under its lock.
 */
public final class ConfigSpace {
    /** Offsets of registers in a header of type 0 (6.1, 6.2). */
    public static final int VENDOR_ID = 0x00;

    public static final int DEVICE_ID = 0x02;
    public static final int COMMAND = 0x04;
    public static final int STATUS = 0x06;
    public static final int REVISION_ID = 0x08;
    public static final int CLASS_CODE = 0x09;
    public static final int HEADER_TYPE = 0x0e;
    public static final int BAR0 = 0x10;
    public static final int BAR_END = 0x28;
    public static final int SUBSYSTEM_VENDOR_ID = 0x2c;
    public static final int SUBSYSTEM_ID = 0x2e;
    public static final int CAPABILITIES = 0x34;
    public static final int INTERRUPT_LINE = 0x3c;
    public static final int INTERRUPT_PIN = 0x3d;

    /** Bits of COMMAND (6.2.2): the function answers to ports. */
    public static final int IO_SPACE = 1;

    /** The function answers to memory addresses. */
    public static final int MEMORY_SPACE = 1 << 1;

    /** The function may reach RAM by itself. */
    public static final int BUS_MASTER = 1 << 2;

    /** The function does not drive its interrupt pin. */
    public static final int INTERRUPT_DISABLE = 1 << 10;

    /** In STATUS: the function would drive its interrupt pin. The bus answers it. */
    public static final int INTERRUPT_STATUS = 1 << 3;

    /** In STATUS: there is a list of capabilities. */
    private static final int CAPABILITIES_LIST = 1 << 4;

    private static final int SIZE = 256;

    private static final BusDevice NOTHING =
            new BusDevice() {
                @Override
                public long read(long offset, Width width) {
                    return 0;
                }

                @Override
                public void write(long offset, Width width, long value) {}
            };

    /** Bytes that lead elsewhere. */
    private record Window(int offset, int count, BusDevice registers) {
        boolean covers(int at) {
            return at >= offset && at < offset + count;
        }
    }

    private static final int FIRST_CAPABILITY = 0x40;

    private final byte[] bytes = new byte[SIZE];
    private final byte[] initial = new byte[SIZE];
    private final byte[] writable = new byte[SIZE];
    private final List<Bar> bars = new ArrayList<>();
    private final List<Runnable> listeners = new ArrayList<>();
    private Window window = new Window(SIZE, 0, NOTHING);
    private int nextCapability = FIRST_CAPABILITY;
    private int lastLink = CAPABILITIES;

    /**
     * A function with no base addresses, capabilities or interrupt pin yet. Guests may write
     * COMMAND and INTERRUPT_LINE.
     *
     * @param vendor 16 bits
     * @param device 16 bits
     * @param classCode 24 bits: class, subclass, programming interface
     * @param revision 8 bits
     */
    public ConfigSpace(int vendor, int device, int classCode, int revision) {
        init(VENDOR_ID, Width.WORD, vendor);
        init(DEVICE_ID, Width.WORD, device);
        init(REVISION_ID, Width.DWORD, (long) classCode << 8 | revision);
        allowWrites(COMMAND, Width.WORD, IO_SPACE | MEMORY_SPACE | BUS_MASTER | INTERRUPT_DISABLE);
        allowWrites(INTERRUPT_LINE, Width.BYTE, 0xff);
    }

    /**
     * Sets a value that a reset brings back, whether a guest may write it or not.
     *
     * @throws IndexOutOfBoundsException if it reaches beyond the 256 bytes
     */
    public void init(int offset, Width width, long value) {
        for (int i = 0; i < width.bytes(); i++) {
            initial[offset + i] = (byte) (value >>> 8 * i);
            bytes[offset + i] = initial[offset + i];
        }
    }

    /**
     * Lets guests write the bits of a mask, beside those that they may write already.
     *
     * @throws IndexOutOfBoundsException if it reaches beyond the 256 bytes
     */
    public void allowWrites(int offset, Width width, long mask) {
        for (int i = 0; i < width.bytes(); i++) {
            writable[offset + i] |= (byte) (mask >>> 8 * i);
        }
    }

    /** Uses interrupt pin INTA#. */
    public ConfigSpace usesInterrupt() {
        init(INTERRUPT_PIN, Width.BYTE, 1);
        return this;
    }

    /**
     * Adds a base address register (6.2.5), whose address guests may write down to the window's
     * size. The caller sees to it that no two take the same index.
     */
    public ConfigSpace addBar(Bar bar) {
        int offset = BAR0 + 4 * bar.index();
        long mask = -bar.bytes();
        init(offset, Width.DWORD, bar.kind().bits());
        allowWrites(offset, Width.DWORD, mask & (bar.kind() == Bar.Kind.IO ? ~3L : ~15L));
        if (bar.kind() == Bar.Kind.MEMORY_64) {
            allowWrites(offset + 4, Width.DWORD, mask >>> 32);
        }
        bars.add(bar);
        return this;
    }

    /** In the order in which they were added. */
    public List<Bar> bars() {
        return List.copyOf(bars);
    }

    /**
     * Adds a capability to the list (6.7). Its body is zero and read-only until {@link #init} and
     * {@link #allowWrites} say otherwise.
     *
     * @param id 8 bits (appendix H)
     * @param size bytes with the two of id and link
     * @return its offset, a multiple of 4
     * @throws IllegalArgumentException if the 256 bytes are full
     */
    public int addCapability(int id, int size) {
        int at = nextCapability;
        if (at + size > SIZE) {
            throw new IllegalArgumentException("no room for capability " + id);
        }
        init(lastLink, Width.BYTE, at);
        init(STATUS, Width.WORD, get(STATUS, Width.WORD) | CAPABILITIES_LIST);
        init(at, Width.BYTE, id);
        lastLink = at + 1;
        nextCapability = at + size + 3 & ~3;
        return at;
    }

    /**
     * Has guests' accesses that begin in some bytes go to registers, with offsets from the first of
     * them. One range per function; what is written there is not kept here.
     */
    public void redirect(int offset, int count, BusDevice registers) {
        window = new Window(offset, count, registers);
    }

    /** Runs an action after each write of a guest, each restore and each reset. */
    public void onChange(Runnable action) {
        listeners.add(action);
    }

    /** Whether the function may reach memory by itself, messages included. Any thread. */
    public boolean isBusMaster() {
        return (bytes[COMMAND] & BUS_MASTER) != 0;
    }

    /** Whether the function may drive its interrupt pin. Any thread. */
    public boolean isPinEnabled() {
        return (bytes[COMMAND + 1] & INTERRUPT_DISABLE >> 8) == 0;
    }

    /** What a guest reads. */
    public long read(int offset, Width width) {
        return window.covers(offset)
                ? window.registers.read(offset - window.offset, width) & width.mask()
                : get(offset, width);
    }

    /** Zero-extended and little-endian; bytes beyond the end read 0. */
    public long get(int offset, Width width) {
        long value = 0;
        for (int i = Math.min(width.bytes(), SIZE - offset) - 1; i >= 0; i--) {
            value = value << 8 | bytes[offset + i] & 0xff;
        }
        return value;
    }

    /** A guest's write: read-only bits stay, bytes beyond the end vanish. */
    public void write(int offset, Width width, long value) {
        if (window.covers(offset)) {
            window.registers.write(offset - window.offset, width, value);
            return;
        }
        for (int i = 0; i < width.bytes() && offset + i < SIZE; i++) {
            int mask = writable[offset + i];
            int octet = (int) (value >>> 8 * i);
            bytes[offset + i] = (byte) (bytes[offset + i] & ~mask | octet & mask);
        }
        changed();
    }

    private void changed() {
        for (int i = 0; i < listeners.size(); i++) { // no iterator: this is an access path
            listeners.get(i).run();
        }
    }

    /** Where a base address register maps its window now, if it is enabled and set. */
    public Optional<Long> base(Bar bar) {
        boolean io = bar.kind() == Bar.Kind.IO;
        long enabled = get(COMMAND, Width.WORD) & (io ? IO_SPACE : MEMORY_SPACE);
        int offset = BAR0 + 4 * bar.index();
        Width width = bar.kind() == Bar.Kind.MEMORY_64 ? Width.QWORD : Width.DWORD;
        long base = get(offset, width) & -bar.bytes();
        return enabled == 0 || base == 0 ? Optional.empty() : Optional.of(base);
    }

    /** All that guests have written goes: addresses, COMMAND, INTERRUPT_LINE. */
    public void reset() {
        System.arraycopy(initial, 0, bytes, 0, SIZE);
        changed();
    }

    /** The 256 bytes; what is writable belongs to the function's making. */
    public SavedState save() {
        return new SavedState("pci-config", 1).put("bytes", bytes);
    }

    /**
     * Takes back what {@link #save} gave, in a function that was made alike.
     *
     * @throws org.alcazar.machine.IncompatibleStateException if it is of another type or version
     */
    public void restore(SavedState state) {
        byte[] saved = state.require("pci-config", 1).getBytes("bytes");
        System.arraycopy(saved, 0, bytes, 0, Math.min(saved.length, SIZE));
        changed();
    }
}
