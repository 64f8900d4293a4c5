package org.alcazar.testkit.device;

import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;
import org.alcazar.testkit.device.FakeDeviceContext.Window;

import java.util.Random;

/**
 * What a guest and the world around it do to a device at random: accesses of any width at any
 * offset, interrupts taken, time that passes, wires, input and events. The same seed does the same
 * to any device of a type. Allocates nothing by itself.
 */
final class GuestScript {
    /** Offsets in large windows that are used often: registers lie at the beginning. */
    private static final int BEGINNING = 0x400;

    private final FakeDeviceContext context;
    private final Random random;
    private final Window[] windows;
    private final Integer[] inputs;
    private final String[] events;
    private final InterruptSource[] sources;
    private final World world;
    private long trace = 1;

    /** What comes to a device of one type from outside. */
    @FunctionalInterface
    interface World {
        void act(FakeDeviceContext context, Random random);
    }

    GuestScript(FakeDeviceContext context, World world, long seed) {
        this.context = context;
        this.world = world;
        random = new Random(seed);
        windows = context.windows().toArray(new Window[0]);
        inputs = context.inputs().toArray(new Integer[0]);
        events = context.events().toArray(new String[0]);
        sources =
                context.vcores().stream()
                        .map(core -> core.block().interrupts)
                        .toArray(InterruptSource[]::new);
    }

    /**
     * Does {@code count} things.
     *
     * @return a digest of all that a guest could see on the way
     */
    long run(int count) {
        for (int i = 0; i < count; i++) {
            step();
        }
        return trace;
    }

    /** The same without input and events. */
    void runAccesses(int count) {
        for (int i = 0; i < count; i++) {
            access();
            context.clock().advance(random.nextInt(2_000));
        }
    }

    private void step() {
        switch (random.nextInt(32)) {
            case 0 -> world();
            case 1 -> see(sources[random.nextInt(sources.length)].acknowledge());
            case 2 -> context.clock().advance(random.nextInt(3_000_000));
            case 3 -> {
                if (random.nextInt(64) == 0) {
                    context.clock().jump(random.nextLong(3_000_000_000L));
                }
            }
            default -> {
                access();
                context.clock().advance(random.nextInt(2_000));
            }
        }
    }

    private void world() {
        int kind = random.nextInt(4);
        if (kind == 0) {
            context.type("a");
            world.act(context, random);
        } else if (kind == 1 && events.length > 0) {
            context.event(events[random.nextInt(events.length)]);
        } else if (inputs.length > 0) {
            context.drive(inputs[random.nextInt(inputs.length)], random.nextBoolean());
        }
    }

    private void access() {
        if (windows.length == 0) {
            return;
        }
        Window window = windows[random.nextInt(windows.length)];
        Width width =
                window.space() == Space.REGISTER ? Width.QWORD : Width.of(1 << random.nextInt(4));
        long offset = offset(window, width);
        int core = random.nextInt(sources.length);
        context.as(core);
        if (random.nextBoolean()) {
            see(window.registers().read(context.currentVcore(), offset, width));
        } else {
            long value = value() & width.mask();
            window.registers().write(context.currentVcore(), offset, width, value);
        }
    }

    private long offset(Window window, Width width) {
        long count = random.nextInt(8) == 0 ? window.count() : Math.min(window.count(), BEGINNING);
        long offset = random.nextLong(count);
        boolean aligned = window.space() == Space.MEMORY && random.nextInt(8) != 0;
        return aligned ? offset & -16L : offset;
    }

    /** Numbers that mean something to devices more often than those of a fair die. */
    private long value() {
        return switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> 1L << random.nextInt(64);
            case 3 -> random.nextInt(FakeDeviceContext.RAM);
            case 4 -> Integer.reverseBytes(random.nextInt(FakeDeviceContext.RAM)) & 0xffff_ffffL;
            case 5, 6 -> random.nextInt(0x100);
            default -> random.nextLong();
        };
    }

    private void see(long value) {
        trace = trace * 31 + value;
    }
}
