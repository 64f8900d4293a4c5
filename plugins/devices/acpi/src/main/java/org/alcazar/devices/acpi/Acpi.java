package org.alcazar.devices.acpi;

import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.PowerButton;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.device.Device;

/**
 * ACPI's fixed hardware (ACPI 6.4, 4.8): PM1a event and control registers, power management timer.
 * The machine is always in ACPI mode. There are no general purpose events.
 *
 * <p>Lock: this object; the interrupt controllers are called under it.
 */
final class Acpi implements Device, ByteDevice, PowerButton {
    static final int PORTS = 16;

    /** Registers, each in its own grouping (4.8.1). */
    static final int PM1_STS = 0, PM1_EN = 2, PM1_CNT = 4, PM_TMR = 8;

    static final int TMR_STS = 1, GBL_STS = 1 << 5, PWRBTN_STS = 1 << 8, RTC_STS = 1 << 10;

    /** The clock's alarm can be enabled, as kernels insist, but wakes nobody: there is no sleep. */
    static final int WRITABLE_EN = TMR_STS | GBL_STS | PWRBTN_STS | RTC_STS;

    static final int SCI_EN = 1, SLP_EN = 1 << 13, SLP_TYP_SHIFT = 10;

    /** SLP_TYP of soft off, as the table says in _S5. */
    static final int SLEEP_OFF = 5;

    /** Hertz of the power management timer, 24 bits wide (4.8.3.3). */
    static final long TIMER_HERTZ = 3_579_545;

    static final int TIMER_MASK = 0xff_ffff;

    /** TMR_STS is set each time the timer's highest bit changes. */
    private static final int HALF = 23;

    private final GuestClock clock;
    private final InterruptLine sci;
    private final Runnable powerOff;
    private final Runnable firmware;
    private final GuestTimer timer;

    private int status;
    private int enable;
    private int control;

    /** How often the timer's highest bit had changed when status was brought up to date. */
    private long seenHalf;

    private boolean asserted;

    /**
     * @param powerOff what soft off does
     * @param firmware runs at each reset: writes the tables
     */
    Acpi(GuestClock clock, InterruptLine sci, Runnable powerOff, Runnable firmware) {
        this.clock = clock;
        this.sci = sci;
        this.powerOff = powerOff;
        this.firmware = firmware;
        timer = clock.timer("acpi pm timer", this::expired);
        seenHalf = half();
    }

    @Override
    public void reset() {
        firmware.run();
        synchronized (this) {
            status = 0;
            enable = 0;
            control = 0;
            seenHalf = half();
            update();
        }
    }

    private long ticks() {
        return GuestClock.ticks(clock.nanos(), TIMER_HERTZ);
    }

    private long half() {
        return ticks() >> HALF;
    }

    @Override
    public long read(long offset, Width width) {
        if (offset == PM_TMR && width == Width.DWORD) {
            return ticks() & TIMER_MASK; // in one piece
        }
        return ByteDevice.super.read(offset, width);
    }

    @Override
    public synchronized int readByte(int offset) {
        catchUp();
        return switch (offset) {
            case PM1_STS -> status & 0xff;
            case PM1_STS + 1 -> status >> 8;
            case PM1_EN -> enable & 0xff;
            case PM1_EN + 1 -> enable >> 8;
            case PM1_CNT -> control & 0xff | SCI_EN;
            case PM1_CNT + 1 -> control >> 8;
            case PM_TMR, PM_TMR + 1, PM_TMR + 2, PM_TMR + 3 ->
                    (int) (ticks() & TIMER_MASK) >> 8 * (offset - PM_TMR) & 0xff;
            default -> 0xff;
        };
    }

    @Override
    public synchronized void writeByte(int offset, int value) {
        catchUp();
        switch (offset) {
            case PM1_STS -> status &= ~value;
            case PM1_STS + 1 -> status &= ~(value << 8);
            case PM1_EN -> enable = (enable & 0xff00 | value) & WRITABLE_EN;
            case PM1_EN + 1 -> enable = (enable & 0xff | value << 8) & WRITABLE_EN;
            case PM1_CNT -> control = control & 0xff00 | value & 2;
            case PM1_CNT + 1 -> sleep(value << 8);
            default -> {}
        }
        update();
    }

    private void sleep(int value) {
        control = control & 0xff | value & 7 << SLP_TYP_SHIFT; // SLP_EN reads as 0
        if ((value & SLP_EN) != 0
                && value >> SLP_TYP_SHIFT == (SLEEP_OFF | SLP_EN >> SLP_TYP_SHIFT)) {
            powerOff.run();
        }
    }

    @Override
    public synchronized void press() {
        status |= PWRBTN_STS;
        update();
    }

    private void catchUp() {
        long half = half();
        if (half != seenHalf) {
            seenHalf = half;
            status |= TMR_STS;
        }
    }

    private synchronized void expired() {
        catchUp();
        update();
    }

    private void update() {
        boolean active = (status & enable) != 0;
        if (active != asserted) {
            asserted = active;
            sci.set(active);
        }
        if ((enable & ~status & TMR_STS) != 0) {
            timer.arm(GuestClock.nanosOf(seenHalf + 1 << HALF, TIMER_HERTZ));
        } else {
            timer.cancel();
        }
    }

    @Override
    public synchronized SavedState save() {
        return new SavedState("acpi", 1)
                .put("status", status)
                .put("enable", enable)
                .put("control", control)
                .put("seen-half", seenHalf);
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require("acpi", 1);
        status = state.getInt("status");
        enable = state.getInt("enable") & WRITABLE_EN;
        control = state.getInt("control");
        seenHalf = state.getLong("seen-half");
        asserted = (status & enable) != 0;
        sci.set(asserted);
        update();
    }

    @Override
    public synchronized void close() {
        timer.close();
    }
}
