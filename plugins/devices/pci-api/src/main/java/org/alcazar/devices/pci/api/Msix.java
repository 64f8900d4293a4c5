package org.alcazar.devices.pci.api;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;

/**
 * MSI-X of one function (PCI Local Bus Specification 3.0, 6.8.2): the capability, and behind a base
 * address register of its own the table and the pending bits. Any thread; its lock is held only
 * while it works on its own, and while a message goes out.
 */
public final class Msix implements BusDevice {
    /** Takes an interrupt message. */
    @FunctionalInterface
    public interface Messages {
        void send(long address, int data);
    }

    private static final int CAPABILITY = 0x11;
    private static final int CAPABILITY_BYTES = 12;

    /** Offsets in the capability. */
    private static final int CONTROL = 2, TABLE = 4, PENDING = 8;

    private static final int ENABLE = 1 << 15, FUNCTION_MASK = 1 << 14;

    /** A table entry: address, its upper half, data, vector control. */
    private static final int ENTRY_WORDS = 4, ENTRY_BYTES = 16, DATA = 2, VECTOR_CONTROL = 3;

    private static final int MASKED = 1;

    private static final int BAR_BYTES = 4096, PENDING_OFFSET = 2048;

    private final ConfigSpace config;
    private final Messages messages;
    private final int control;
    private final int vectors;
    private final int[] table;
    private final int[] pending;
    private boolean enabled;
    private boolean functionMasked;

    /**
     * Adds the capability and the base address register.
     *
     * @param bar its number, 0 to 5
     * @param vectors 1 to 128
     * @param messages called under this object's lock
     */
    public Msix(ConfigSpace config, int bar, int vectors, Messages messages) {
        if (vectors < 1 || vectors > PENDING_OFFSET / ENTRY_BYTES) {
            throw new IllegalArgumentException(vectors + " vectors");
        }
        this.config = config;
        this.messages = messages;
        this.vectors = vectors;
        table = new int[vectors * ENTRY_WORDS];
        pending = new int[(vectors + 63) / 64 * 2];
        int at = config.addCapability(CAPABILITY, CAPABILITY_BYTES);
        control = at + CONTROL;
        config.init(control, Width.WORD, vectors - 1);
        config.allowWrites(control, Width.WORD, ENABLE | FUNCTION_MASK);
        config.init(at + TABLE, Width.DWORD, bar);
        config.init(at + PENDING, Width.DWORD, PENDING_OFFSET | bar);
        config.addBar(new Bar(bar, Bar.Kind.MEMORY_32, BAR_BYTES, this));
        config.onChange(this::reload);
        maskAll();
    }

    /** As many as the table has. */
    public int vectors() {
        return vectors;
    }

    /** Whether the function signals by messages now, and not by its pin. */
    public synchronized boolean isEnabled() {
        return enabled;
    }

    /** Sends a vector's message, or has it pend while it is masked. Nothing while disabled. */
    public synchronized void signal(int vector) {
        if (enabled) {
            if (isMasked(vector)) {
                pending[vector >> 5] |= 1 << vector;
            } else {
                send(vector);
            }
        }
    }

    private boolean isMasked(int vector) {
        return functionMasked || (table[vector * ENTRY_WORDS + VECTOR_CONTROL] & MASKED) != 0;
    }

    private void send(int vector) {
        int at = vector * ENTRY_WORDS;
        long address = (long) table[at + 1] << 32 | table[at] & 0xffff_fffcL;
        messages.send(address, table[at + DATA]);
    }

    private void sendPending() {
        for (int vector = 0; enabled && vector < vectors; vector++) {
            if ((pending[vector >> 5] & 1 << vector) != 0 && !isMasked(vector)) {
                pending[vector >> 5] &= ~(1 << vector);
                send(vector);
            }
        }
    }

    private synchronized void reload() {
        long word = config.get(control, Width.WORD);
        enabled = (word & ENABLE) != 0;
        functionMasked = (word & FUNCTION_MASK) != 0;
        sendPending();
    }

    private void maskAll() {
        for (int at = VECTOR_CONTROL; at < table.length; at += ENTRY_WORDS) {
            table[at] = MASKED;
        }
    }

    /** Guests have to use aligned four or eight bytes; what else they do reads all ones. */
    @Override
    public synchronized long read(long offset, Width width) {
        if ((offset & width.bytes() - 1) != 0 || width.bytes() < Integer.BYTES) {
            return width.mask();
        }
        long value = word((int) offset) & 0xffff_ffffL;
        return width == Width.QWORD ? value | (long) word((int) offset + 4) << 32 : value;
    }

    private int word(int offset) {
        int at = offset >> 2;
        int bit = offset - PENDING_OFFSET >> 2;
        if (at < table.length) {
            return table[at];
        }
        return bit >= 0 && bit < pending.length ? pending[bit] : 0;
    }

    @Override
    public synchronized void write(long offset, Width width, long value) {
        int at = (int) offset >> 2;
        if ((offset & width.bytes() - 1) != 0
                || width.bytes() < Integer.BYTES
                || at >= table.length) {
            return;
        }
        set(at, (int) value);
        if (width == Width.QWORD) {
            set(at + 1, (int) (value >>> 32));
        }
        sendPending();
    }

    private void set(int at, int value) {
        table[at] = at % ENTRY_WORDS == VECTOR_CONTROL ? value & MASKED : value;
    }

    /** All entries are masked, nothing pends. The capability goes with the configuration space. */
    public synchronized void reset() {
        java.util.Arrays.fill(table, 0);
        java.util.Arrays.fill(pending, 0);
        maskAll();
    }

    /** Table and pending bits; the capability is saved with the configuration space. */
    public synchronized SavedState save() {
        return new SavedState("msix", 1).put("table", table).put("pending", pending);
    }

    /**
     * Takes back what {@link #save} gave, before the configuration space is restored.
     *
     * @throws org.alcazar.machine.IncompatibleStateException if it is of another type or version
     */
    public synchronized void restore(SavedState state) {
        state.require("msix", 1);
        enabled = false; // until the capability comes: nothing is sent on the way
        copy(state.getInts("table"), table);
        copy(state.getInts("pending"), pending);
        for (int at = VECTOR_CONTROL; at < table.length; at += ENTRY_WORDS) {
            table[at] &= MASKED;
        }
    }

    private static void copy(int[] from, int[] to) {
        System.arraycopy(from, 0, to, 0, Math.min(from.length, to.length));
    }
}
