package org.alcazar.vmm.core;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.Width;
import org.alcazar.vmm.HypercallHandler;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.DeviceContext.RegisterHandler;
import org.alcazar.vmm.device.DeviceContext.VcoreMemory;

/**
 * A hooked range of one address space. Counts are approximate when several vcores use it at once.
 */
final class AccessHook {
    final String owner;
    final long first;
    final long last;
    final VcoreMemory handler;
    long reads;
    long writes;

    AccessHook(String owner, long first, long count, VcoreMemory handler) {
        this.owner = owner;
        this.first = first;
        this.last = first + count - 1;
        this.handler = handler;
    }

    boolean covers(long address) {
        return Long.compareUnsigned(address, first) >= 0
                && Long.compareUnsigned(address, last) <= 0;
    }

    /** Whether it covers the same addresses as another one of the same device. */
    boolean isLike(AccessHook other) {
        return first == other.first && last == other.last;
    }

    /** Counts on where another one was. */
    void countsOf(AccessHook other) {
        reads = other.reads;
        writes = other.writes;
    }

    /** Whether an access that starts within the hook also ends in it. */
    boolean reaches(long address, int bytes) {
        return last - address >= bytes - 1;
    }

    /** A bus device, whoever asks. */
    static VcoreMemory of(BusDevice device) {
        return new VcoreMemory() {
            @Override
            public long read(Vcore vcore, long offset, Width width) {
                return device.read(offset, width);
            }

            @Override
            public void write(Vcore vcore, long offset, Width width, long value) {
                device.write(offset, width, value);
            }

            @Override
            public String toString() {
                return device.getClass().getName();
            }
        };
    }

    static VcoreMemory of(RegisterHandler registers) {
        return new VcoreMemory() {
            @Override
            public long read(Vcore vcore, long offset, Width width) {
                return registers.read(vcore, offset);
            }

            @Override
            public void write(Vcore vcore, long offset, Width width, long value) {
                registers.write(vcore, offset, value);
            }
        };
    }

    /** A call counts as a write of its number. */
    static VcoreMemory of(HypercallHandler calls, long first) {
        return new VcoreMemory() {
            @Override
            public long read(Vcore vcore, long offset, Width width) {
                return width.mask();
            }

            @Override
            public void write(Vcore vcore, long offset, Width width, long value) {
                calls.call(vcore, first + offset);
            }
        };
    }

    /** Lets one vcore at a time into a device. */
    static VcoreMemory guarded(Object guard, VcoreMemory inner) {
        return new VcoreMemory() {
            @Override
            public long read(Vcore vcore, long offset, Width width) {
                synchronized (guard) {
                    return inner.read(vcore, offset, width);
                }
            }

            @Override
            public void write(Vcore vcore, long offset, Width width, long value) {
                synchronized (guard) {
                    inner.write(vcore, offset, width, value);
                }
            }
        };
    }
}
