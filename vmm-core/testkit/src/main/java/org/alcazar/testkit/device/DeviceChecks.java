package org.alcazar.testkit.device;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Stateful;
import org.alcazar.machine.Width;

import java.util.Random;

/** What holds for every device. */
public final class DeviceChecks {
    private static final int ROUNDS = 20_000;

    private DeviceChecks() {}

    /**
     * A guest that reads and writes at random, at all widths and offsets of the window and a little
     * beyond, while time passes, meets no exception, and no value wider than its access.
     */
    public static void anyAccessIsHarmless(
            BusDevice device, int window, ManualClock clock, long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < ROUNDS; i++) {
            Width width = Width.of(1 << random.nextInt(4));
            long offset = random.nextInt(window + 8);
            if (random.nextBoolean()) {
                device.write(offset, width, random.nextLong() & width.mask());
            } else {
                long value = device.read(offset, width);
                if ((value & ~width.mask()) != 0) {
                    throw new AssertionError(
                            "a read of %d bytes at 0x%x gave 0x%x"
                                    .formatted(width.bytes(), offset, value));
                }
            }
            clock.advance(random.nextInt(4) == 0 ? random.nextInt(1_000_000) : 100);
        }
    }

    /**
     * What {@code fresh} saves after a restore is what {@code used} has saved. @return that state
     */
    public static SavedState savesWhatItRestored(Stateful used, Stateful fresh) {
        SavedState before = used.save();
        if (!before.equals(used.save())) {
            throw new AssertionError("saving changes the state of " + before.type());
        }
        fresh.restore(before);
        SavedState after = fresh.save();
        if (!before.equals(after)) {
            throw new AssertionError(
                    before.type()
                            + " saved "
                            + before.values()
                            + ", after restore "
                            + after.values());
        }
        return before;
    }
}
