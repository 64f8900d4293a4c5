package org.alcazar.machine;

import org.alcazar.host.HostRam;

/**
 * Host-physical space: RAM from 0 to {@link HostRam#SIZE}, above it windows of modelled hardware.
 * Ports form a second space.
 *
 * <p>Reads of nothing give all ones, writes to it vanish. Windows are few and change rarely: the
 * arrays are replaced as a whole.
 */
public final class PhysicalBus {
    /** Where windows start: beyond any RAM, within 52 bits. */
    public static final long WINDOWS = 1L << 46;

    private record Window(long first, long last, BusDevice device) {}

    private volatile Window[] memory = {};
    private volatile Window[] ports = {};

    /** Whether a host-physical address is RAM. */
    public static boolean isRam(long address) {
        return Long.compareUnsigned(address, HostRam.SIZE) < 0;
    }

    /**
     * Attaches a device to host-physical memory above the RAM. An access goes to the window that it
     * starts in, with its whole width, even where it reaches beyond the window's end.
     *
     * @throws IllegalArgumentException if the window is empty, lies in RAM or overlaps another
     */
    public synchronized Attachment attachMemory(long first, long bytes, BusDevice device) {
        if (bytes <= 0 || first < HostRam.SIZE || first > Long.MAX_VALUE - bytes) {
            throw new IllegalArgumentException(
                    "no place for a bus window: 0x%x, %d bytes".formatted(first, bytes));
        }
        Window window = new Window(first, first + bytes - 1, device);
        memory = with(memory, window);
        return () -> detach(window);
    }

    /**
     * Attaches a device to ports.
     *
     * @throws IllegalArgumentException if the range is empty or overlaps another
     */
    public synchronized Attachment attachPorts(int first, int count, BusDevice device) {
        if (first < 0 || count <= 0) {
            throw new IllegalArgumentException("no ports: %d from %d".formatted(count, first));
        }
        Window window = new Window(first, first + count - 1L, device);
        ports = with(ports, window);
        return () -> detach(window);
    }

    /**
     * Reads from the window at a host-physical address; RAM is not looked at.
     *
     * @return zero-extended; all ones of the width where no window is
     */
    public long readMemory(long address, Width width) {
        return read(memory, address, width);
    }

    /**
     * Writes to the window at a host-physical address, or to nothing. Bits of {@code value} above
     * the width are dropped.
     */
    public void writeMemory(long address, Width width, long value) {
        write(memory, address, width, value);
    }

    /** As {@link #readMemory}, in the space of ports; {@code port} is 0 or more. */
    public long readPort(int port, Width width) {
        return read(ports, port, width);
    }

    /** As {@link #writeMemory}, in the space of ports; {@code port} is 0 or more. */
    public void writePort(int port, Width width, long value) {
        write(ports, port, width, value);
    }

    private static long read(Window[] windows, long address, Width width) {
        for (Window w : windows) {
            if (address >= w.first && address <= w.last) {
                return w.device.read(address - w.first, width) & width.mask();
            }
        }
        return width.mask();
    }

    private static void write(Window[] windows, long address, Width width, long value) {
        for (Window w : windows) {
            if (address >= w.first && address <= w.last) {
                w.device.write(address - w.first, width, value & width.mask());
                return;
            }
        }
    }

    private static Window[] with(Window[] windows, Window added) {
        for (Window w : windows) {
            if (added.first <= w.last && w.first <= added.last) {
                throw new IllegalArgumentException(
                        "bus window at " + Long.toHexString(added.first) + " overlaps another");
            }
        }
        Window[] out = java.util.Arrays.copyOf(windows, windows.length + 1);
        out[windows.length] = added;
        return out;
    }

    private synchronized void detach(Window window) {
        memory = without(memory, window);
        ports = without(ports, window);
    }

    private static Window[] without(Window[] windows, Window gone) {
        return java.util.Arrays.stream(windows).filter(w -> !w.equals(gone)).toArray(Window[]::new);
    }

    /** A device on the bus. Closing takes it off; accesses that have begun still reach it. */
    @FunctionalInterface
    public interface Attachment extends AutoCloseable {
        @Override
        void close();
    }
}
