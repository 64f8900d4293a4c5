package org.alcazar.devices.pit8254;

import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.device.Device;

import java.util.List;

/**
 * Intel 8254 programmable interval timer (data sheet 231164-005, September 1993) as a PC has it:
 * clocked with 1.193182 MHz, channel 0's output is interrupt 0, channel 2's gate and output are in
 * {@link SystemControl}. Channels keep no running count: all follows from the guest's clock and the
 * tick at which the count began. One timer is armed, for channel 0's next change.
 *
 * <p>Lock: this object; the interrupt controllers are called under it.
 */
final class Pit8254 implements Device, ByteDevice {
    static final int PORTS = 4;

    /** A PC's timer clock: 315 / 264 MHz. */
    static final long HERTZ = 1_193_182;

    static final int CONTROL = 3;

    /**
     * Control word: SC1-SC0 (3 is the read-back command), RW1-RW0 (0 latches the count), M2-M0,
     * BCD.
     */
    static final int READ_BACK = 3;

    static final int READ_BACK_NO_COUNT = 0x20, READ_BACK_NO_STATUS = 0x10;

    private static final int VERSION = 1;

    private final GuestClock clock;
    private final InterruptLine line;
    private final Counter lost;
    private final GuestTimer timer;
    private final Channel[] channels = {new Channel(), new Channel(), new Channel()};

    /** Rising edges of channel 0's output that have been passed on. */
    private long edges;

    private boolean asserted;

    Pit8254(GuestClock clock, InterruptLine line, Counter lost) {
        this.clock = clock;
        this.line = line;
        this.lost = lost;
        timer = clock.timer("pit8254", this::expired);
        clear();
    }

    private void clear() {
        long now = ticks();
        for (Channel channel : channels) {
            channel.reset(now);
        }
        edges = 0;
    }

    private long ticks() {
        return GuestClock.ticks(clock.nanos(), HERTZ);
    }

    @Override
    public synchronized void reset() {
        clear();
        output(ticks());
    }

    @Override
    public synchronized int readByte(int offset) {
        return offset < CONTROL ? channels[offset].read(ticks()) : 0xff;
    }

    @Override
    public synchronized void writeByte(int offset, int value) {
        long now = ticks();
        if (offset == 0 || offset == CONTROL) {
            passEdges(now);
        }
        if (offset < CONTROL) {
            channels[offset].write(value, now);
        } else if (offset == CONTROL) {
            control(value, now);
        }
        if (offset == 0 || offset == CONTROL) {
            edges = channels[0].risingEdges(now);
            output(now);
        }
    }

    private void control(int value, long now) {
        int select = value >> 6;
        if (select == READ_BACK) {
            for (int i = 0; i < channels.length; i++) {
                if ((value & 2 << i) != 0) {
                    channels[i].readBack(
                            (value & READ_BACK_NO_COUNT) == 0,
                            (value & READ_BACK_NO_STATUS) == 0,
                            now);
                }
            }
        } else if ((value & 0x30) == 0) {
            channels[select].latchCount(now);
        } else {
            channels[select].control(value & 0x3f, now);
        }
    }

    private synchronized void expired() {
        long now = ticks();
        passEdges(now);
        output(now);
    }

    /** Gives interrupt 0 an edge if there was one, or several, since the last time. */
    private void passEdges(long now) {
        Channel channel = channels[0];
        channel.advance(now);
        long passed = channel.risingEdges(now) - edges;
        edges += passed;
        if (passed > 1) {
            lost.add(passed - 1);
        }
        if (passed > 0) {
            drive(false);
            drive(true);
        }
    }

    /** Drives interrupt 0 with channel 0's output and waits for its next change. */
    private void output(long now) {
        Channel channel = channels[0];
        drive(channel.out(now));
        long next = channel.nextChange(now);
        if (next == Channel.NEVER) {
            timer.cancel();
        } else {
            timer.arm(GuestClock.nanosOf(next, HERTZ));
        }
    }

    private void drive(boolean level) {
        if (level != asserted) {
            asserted = level;
            line.set(level);
        }
    }

    /** Channel 2's gate input. */
    synchronized void gate2(boolean level) {
        channels[2].gate(level, ticks());
    }

    /** Channel 2's output. */
    synchronized boolean out2() {
        long now = ticks();
        channels[2].advance(now);
        return channels[2].out(now);
    }

    /**
     * A square wave of the memory refresh that channel 1 once timed: about 15 microseconds each
     * half.
     */
    boolean refreshToggle() {
        return (ticks() / 18 & 1) != 0;
    }

    @Override
    public synchronized SavedState save() {
        long now = ticks();
        return new SavedState("pit8254", VERSION)
                .put("edges", edges)
                .put(
                        "channels",
                        List.of(
                                channels[0].save(now),
                                channels[1].save(now),
                                channels[2].save(now)));
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require("pit8254", VERSION);
        List<SavedState> saved = state.getList("channels", SavedState.class);
        if (saved.size() != channels.length) {
            throw new IncompatibleStateException(
                    "saved state of pit8254 has " + saved.size() + " channels, wanted 3");
        }
        for (int i = 0; i < channels.length; i++) {
            channels[i].restore(saved.get(i));
        }
        edges = state.getLong("edges");
        long now = ticks();
        boolean due = channels[0].risingEdges(now) != edges; // the timer had not fired yet
        asserted = !due && channels[0].out(now);
        line.set(asserted);
        if (due) {
            timer.arm(clock.nanos());
        } else {
            output(now);
        }
    }

    @Override
    public synchronized void close() {
        timer.close();
    }
}
