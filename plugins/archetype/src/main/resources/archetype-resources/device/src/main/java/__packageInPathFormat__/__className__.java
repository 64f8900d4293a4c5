package ${package};

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.device.Device;

/** Adds up what the guest writes; its interrupt line is high once the sum reaches a limit. */
final class ${className} implements Device, BusDevice {
    static final int PORTS = 12;

    private static final String TYPE = "${type}";
    private static final int SUM = 0;
    private static final int LIMIT = 4;
    private static final int CLEAR = 8;

    private final InterruptLine line;
    private final Counter oddAccesses;
    private int sum;
    private int limit;

    ${className}(InterruptLine line, Counter oddAccesses) {
        this.line = line;
        this.oddAccesses = oddAccesses;
    }

    @Override
    public long read(long offset, Width width) {
        if (width == Width.DWORD && offset == SUM) {
            return Integer.toUnsignedLong(sum);
        }
        if (width == Width.DWORD && offset == LIMIT) {
            return Integer.toUnsignedLong(limit);
        }
        return width.mask();
    }

    @Override
    public void write(long offset, Width width, long value) {
        if (width == Width.DWORD && offset == SUM) {
            sum += (int) value;
        } else if (width == Width.DWORD && offset == LIMIT) {
            limit = (int) value;
        } else if (width == Width.DWORD && offset == CLEAR) {
            sum = 0;
        } else {
            oddAccesses.increment();
        }
        drive();
    }

    private void drive() {
        line.set(limit != 0 && Integer.compareUnsigned(sum, limit) >= 0);
    }

    @Override
    public void reset() {
        sum = 0;
        limit = 0;
        drive();
    }

    @Override
    public SavedState save() {
        return new SavedState(TYPE, 1).put("sum", sum).put("limit", limit);
    }

    @Override
    public void restore(SavedState state) {
        state.require(TYPE, 1);
        sum = state.getInt("sum");
        limit = state.getInt("limit");
        drive();
    }
}
