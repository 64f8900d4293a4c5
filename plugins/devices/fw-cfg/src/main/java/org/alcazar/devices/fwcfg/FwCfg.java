package org.alcazar.devices.fwcfg;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.FirmwareConfig;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestMemory;
import org.alcazar.vmm.device.Device;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * QEMU's firmware configuration device by its specification (QEMU documentation, "QEMU Firmware
 * Configuration (fw_cfg) Device"), port version: selector, data, and the DMA interface. Items are
 * read-only for the guest.
 */
public final class FwCfg implements Device, BusDevice, FirmwareConfig {
    /** Register offsets from port 0x510. */
    static final class Reg {
        static final int SELECTOR = 0;
        static final int DATA = 1;
        static final int DMA_HIGH = 4;
        static final int DMA_LOW = 8;

        private Reg() {}
    }

    static final int PORTS = 12;

    /** Numeric selectors. */
    static final int SIGNATURE = 0x00;

    static final int ID = 0x01;
    static final int RAM_SIZE = 0x03;
    static final int NB_CPUS = 0x05;
    static final int FILE_DIR = 0x19;
    static final int FILE_FIRST = 0x20;
    static final int FILES_MAX = 0x20;

    /** In ID: traditional interface and DMA. */
    private static final int ID_FEATURES = 3;

    /** Bits of the control field of a DMA request. */
    private static final int DMA_ERROR = 1;

    private static final int DMA_READ = 1 << 1;
    private static final int DMA_SKIP = 1 << 2;
    private static final int DMA_SELECT = 1 << 3;
    private static final int DMA_WRITE = 1 << 4;

    /** "QEMU CFG", what the DMA register reads as. */
    private static final long DMA_SIGNATURE = 0x51454d5520434647L;

    private static final int NAME_BYTES = 56;
    private static final int ENTRY_BYTES = 64;
    private static final byte[] NOTHING = {};

    private final GuestMemory memory;
    private final Counter errors;
    private final byte[][] items = new byte[FILE_FIRST + FILES_MAX][];
    private final Map<String, Integer> files = new TreeMap<>();
    private int selector;
    private long position;
    private long dmaHigh;

    /**
     * @param memory that DMA goes to
     * @param errors counts DMA requests that were refused
     */
    public FwCfg(GuestMemory memory, Counter errors) {
        this.memory = memory;
        this.errors = errors;
        java.util.Arrays.fill(items, NOTHING);
        items[SIGNATURE] = "QEMU".getBytes(StandardCharsets.US_ASCII);
        items[ID] = new byte[] {ID_FEATURES, 0, 0, 0};
        directory();
    }

    @Override
    public synchronized void setItem(int item, byte[] contents) {
        if (item < 0 || item >= FILE_FIRST) {
            throw new IllegalArgumentException("no such selector: " + item);
        }
        items[item] = contents.clone();
    }

    @Override
    public synchronized void addFile(String name, byte[] contents) {
        if (name.isEmpty() || name.length() >= NAME_BYTES) {
            throw new IllegalArgumentException("a file's name has 1 to 55 characters: " + name);
        }
        if (!files.containsKey(name)) {
            if (files.size() == FILES_MAX) {
                throw new IllegalArgumentException("no place for " + name + " in the directory");
            }
            files.put(name, FILE_FIRST + files.size());
        }
        items[files.getOrDefault(name, FILE_FIRST)] = contents.clone();
        directory();
    }

    /** Builds the directory; its numbers are big-endian. */
    private void directory() {
        ByteBuffer directory = ByteBuffer.allocate(4 + files.size() * ENTRY_BYTES);
        directory.putInt(files.size());
        int at = 4;
        for (Map.Entry<String, Integer> file : files.entrySet()) {
            directory.position(at);
            directory.putInt(items[file.getValue()].length);
            directory.putShort(file.getValue().shortValue());
            directory.putShort((short) 0);
            directory.put(file.getKey().getBytes(StandardCharsets.US_ASCII));
            at += ENTRY_BYTES;
        }
        items[FILE_DIR] = directory.array();
    }

    @Override
    public synchronized long read(long offset, Width width) {
        if (offset >= Reg.DMA_HIGH) {
            return dmaSignature((int) offset - Reg.DMA_HIGH, width);
        }
        if (offset != Reg.DATA) {
            return width.mask();
        }
        return width == Width.BYTE ? next() : width.mask();
    }

    private static long dmaSignature(int offset, Width width) {
        // The register is big-endian: its first byte is the highest.
        long value = 0;
        for (int i = width.bytes() - 1; i >= 0; i--) {
            int at = offset + i;
            value = value << 8 | (at < 8 ? DMA_SIGNATURE >>> 56 - 8 * at & 0xff : 0xff);
        }
        return value;
    }

    private int next() {
        byte[] item = item();
        int octet = position < item.length ? item[(int) position] & 0xff : 0;
        position++;
        return octet;
    }

    private byte[] item() {
        return selector < items.length ? items[selector] : NOTHING;
    }

    private void select(int item) {
        selector = item;
        position = 0;
    }

    @Override
    public synchronized void write(long offset, Width width, long value) {
        if (offset == Reg.SELECTOR && width == Width.WORD) {
            select((int) value);
        } else if (offset == Reg.DMA_HIGH && width == Width.DWORD) {
            dmaHigh = Integer.reverseBytes((int) value) & 0xffff_ffffL;
        } else if (offset == Reg.DMA_LOW && width == Width.DWORD) {
            dma(dmaHigh << 32 | Integer.reverseBytes((int) value) & 0xffff_ffffL);
            dmaHigh = 0;
        } else if (offset == Reg.DMA_HIGH && width == Width.QWORD) {
            dma(Long.reverseBytes(value));
        }
    }

    /**
     * Carries out the request at a guest-physical address: control, length, address, all
     * big-endian.
     */
    private void dma(long request) {
        if (!memory.isRam(request, 16)) {
            errors.increment();
            return;
        }
        int control = Integer.reverseBytes(memory.readInt(request));
        long length = Integer.reverseBytes(memory.readInt(request + 4)) & 0xffff_ffffL;
        long address = Long.reverseBytes(memory.readLong(request + 8));
        if ((control & DMA_SELECT) != 0) {
            select(control >>> 16);
        }
        boolean failed = false;
        if ((control & DMA_READ) != 0) {
            failed = !transfer(address, length);
        } else if ((control & DMA_WRITE) != 0) {
            failed = true;
        } else if ((control & DMA_SKIP) != 0) {
            position += length;
        }
        if (failed) {
            errors.increment();
        }
        memory.writeInt(request, failed ? Integer.reverseBytes(DMA_ERROR) : 0);
    }

    /** Copies from the item into RAM; zeros behind its end. */
    private boolean transfer(long address, long length) {
        if (length > 0 && !memory.isRam(address, length)) {
            return false;
        }
        byte[] item = item();
        int bytes = (int) Math.clamp(item.length - position, 0, length);
        if (bytes > 0) {
            memory.write(address, item, (int) position, bytes);
        }
        memory.fill(address + bytes, length - bytes, 0);
        position += length;
        return true;
    }

    @Override
    public synchronized void reset() {
        select(0);
        dmaHigh = 0;
    }

    /** Items are made anew from the configuration; only where the guest stands is state. */
    @Override
    public synchronized SavedState save() {
        return new SavedState("fw-cfg", 1)
                .put("selector", selector)
                .put("position", position)
                .put("dma-high", dmaHigh);
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require("fw-cfg", 1);
        selector = state.getInt("selector") & 0xffff;
        position = Math.max(0, state.getLong("position"));
        dmaHigh = state.getLong("dma-high") & 0xffff_ffffL;
    }
}
