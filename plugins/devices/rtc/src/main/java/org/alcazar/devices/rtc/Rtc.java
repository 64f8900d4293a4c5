package org.alcazar.devices.rtc;

import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.platforms.pc.api.Cmos;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.device.Device;

/**
 * Motorola MC146818A real-time clock (data sheet of 1984) with 128 bytes of memory and a century
 * byte, as PCs have it. The time is the guest's wall clock plus an offset that changes when the
 * guest sets it. Flags are worked out when somebody looks; one timer is armed for the next
 * interrupt that is enabled.
 *
 * <p>Lock: this object; the interrupt controllers are called under it.
 */
final class Rtc implements Device, ByteDevice, Cmos {
    static final int PORTS = 2;

    /** Registers. */
    static final int SECONDS = 0,
            SECONDS_ALARM = 1,
            MINUTES = 2,
            MINUTES_ALARM = 3,
            HOURS = 4,
            HOURS_ALARM = 5;

    static final int DAY_OF_WEEK = 6,
            DAY = 7,
            MONTH = 8,
            YEAR = 9,
            A = 10,
            B = 11,
            C = 12,
            D = 13,
            CENTURY = 0x32;

    static final int SIZE = 128;
    static final int A_UIP = 0x80, A_DIVIDER = 0x70, A_RATE = 0x0f;
    static final int B_SET = 0x80,
            B_PIE = 0x40,
            B_AIE = 0x20,
            B_UIE = 0x10,
            B_SQWE = 8,
            B_BINARY = 4,
            B_24H = 2;
    static final int C_IRQF = 0x80, FLAGS = 0x70;
    static final int C_PF = 0x40, C_AF = 0x20, C_UF = 0x10;
    static final int D_VRT = 0x80;
    static final int PM = 0x80;

    /** Top bits of an alarm register that matches anything. */
    private static final int ANY = 0xc0;

    private static final long SECOND = GuestClock.NANOS_PER_SECOND;
    private static final long CRYSTAL = 32_768;

    /** UIP is set so long before an update. */
    private static final long UPDATE_NOTICE = 244_000;

    private static final int NONE = -1;

    private final GuestClock clock;
    private final InterruptLine line;
    private final GuestTimer timer;

    private final byte[] memory = new byte[SIZE];
    private int index;

    /** Added to the guest's wall clock. */
    private long offset;

    /**
     * The update chain stands (SET, or divider held): the time registers in {@link #memory} hold.
     */
    private boolean halted;

    private int flags;

    /**
     * Up to which flags have been worked out: second of the time, period of the periodic interrupt.
     */
    private long seenSecond;

    private long seenPeriod;

    private boolean asserted;

    Rtc(GuestClock clock, InterruptLine line) {
        this.clock = clock;
        this.line = line;
        timer = clock.timer("rtc", this::expired);
        memory[A] = 0x26;
        memory[B] = B_24H;
        memory[D] = (byte) D_VRT;
        seenSecond = second();
        seenPeriod = period();
    }

    /** The battery keeps all but the interrupt enables and flags (RESET pin). */
    @Override
    public synchronized void reset() {
        memory[B] &= (byte) ~(B_PIE | B_AIE | B_UIE | B_SQWE);
        flags = 0;
        index = 0;
        update();
    }

    // Ports

    @Override
    public synchronized int readByte(int portOffset) {
        return portOffset == 1 ? readRegister(index) : 0xff;
    }

    @Override
    public synchronized void writeByte(int portOffset, int value) {
        switch (portOffset) {
            case 0 -> index = value & SIZE - 1; // bit 7 masks NMIs, of which there are none
            case 1 -> writeRegister(index, value);
            default -> {}
        }
    }

    @Override
    public synchronized int get(int at) {
        return memory[at & SIZE - 1] & 0xff;
    }

    @Override
    public synchronized void set(int at, int value) {
        if (at > D && at < SIZE) {
            memory[at] = (byte) value;
        }
    }

    private int readRegister(int register) {
        return switch (register) {
            case A -> memory[A] & 0xff | (updateSoon() ? A_UIP : 0);
            case C -> readFlags();
            default ->
                    isTime(register) && !halted
                            ? timeRegister(register, second())
                            : memory[register] & 0xff;
        };
    }

    private static boolean isTime(int register) {
        return switch (register) {
            case SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY, MONTH, YEAR, CENTURY -> true;
            default -> false;
        };
    }

    private int readFlags() {
        catchUp();
        int value = flags | ((flags & memory[B] & FLAGS) != 0 ? C_IRQF : 0);
        flags = 0;
        update();
        return value;
    }

    private void writeRegister(int register, int value) {
        catchUp();
        switch (register) {
            case A -> {
                memory[A] = (byte) (value & ~A_UIP);
                seenPeriod = period();
                halt(SECOND / 2); // the first update comes half a second after the divider is
                // let go
            }
            case B -> {
                memory[B] = (byte) ((value & B_SET) != 0 ? value & ~B_UIE : value);
                halt(Math.floorMod(nanos(), SECOND));
            }
            case C, D -> {} // read-only
            default -> {
                if (isTime(register) && !halted) {
                    setTime(register, value);
                } else {
                    memory[register] = (byte) value;
                }
            }
        }
        update();
    }

    // Time

    private long nanos() {
        return clock.epochNanos() + offset;
    }

    private long second() {
        return Math.floorDiv(nanos(), SECOND);
    }

    private boolean updateSoon() {
        return !halted && Math.floorMod(nanos(), SECOND) >= SECOND - UPDATE_NOTICE;
    }

    private boolean dividerHeld() {
        return (memory[A] & 0x60) == 0x60;
    }

    /**
     * Stops the update chain as A and B say, or lets it go on from {@code fraction} nanoseconds
     * behind the second.
     */
    private void halt(long fraction) {
        boolean now = (memory[B] & B_SET) != 0 || dividerHeld();
        if (now && !halted) {
            copyTime();
        } else if (!now && halted) {
            takeTime(fraction);
        }
        halted = now;
    }

    private void copyTime() {
        long second = second();
        for (int r = SECONDS; r <= YEAR; r++) {
            if (isTime(r)) {
                memory[r] = (byte) timeRegister(r, second);
            }
        }
        memory[CENTURY] = (byte) timeRegister(CENTURY, second);
    }

    private void setTime(int register, int value) {
        long fraction = Math.floorMod(nanos(), SECOND);
        copyTime();
        memory[register] = (byte) value;
        takeTime(fraction);
    }

    /** Lets the clock go on from the time registers. */
    private void takeTime(long fraction) {
        int year = 100 * decode(memory[CENTURY]) + decode(memory[YEAR]);
        int month = Math.clamp(decode(memory[MONTH]), 1, 12);
        long day = Calendar.day(year, month, decode(memory[DAY]));
        long second =
                day * Calendar.SECONDS_PER_DAY
                        + 3600L * decodeHours(memory[HOURS])
                        + 60L * decode(memory[MINUTES])
                        + decode(memory[SECONDS]);
        offset = second * SECOND + fraction - clock.epochNanos();
        seenSecond = second;
    }

    private int timeRegister(int register, long second) {
        long day = Math.floorDiv(second, (long) Calendar.SECONDS_PER_DAY);
        int ofDay = (int) Math.floorMod(second, (long) Calendar.SECONDS_PER_DAY);
        return switch (register) {
            case SECONDS -> encode(ofDay % 60);
            case MINUTES -> encode(ofDay / 60 % 60);
            case HOURS -> encodeHours(ofDay / 3600);
            case DAY_OF_WEEK -> encode(Calendar.dayOfWeek(day));
            case DAY -> encode(Calendar.date(day) & 0xff);
            case MONTH -> encode(Calendar.date(day) >> 8 & 0xff);
            case YEAR -> encode((Calendar.date(day) >> 16) % 100);
            default -> encode((Calendar.date(day) >> 16) / 100 % 100);
        };
    }

    private int encode(int value) {
        return (memory[B] & B_BINARY) != 0 ? value : value / 10 << 4 | value % 10;
    }

    private int decode(int value) {
        return (memory[B] & B_BINARY) != 0 ? value & 0xff : (value >> 4 & 15) * 10 + (value & 15);
    }

    private int encodeHours(int hours) {
        if ((memory[B] & B_24H) != 0) {
            return encode(hours);
        }
        return encode(hours % 12 == 0 ? 12 : hours % 12) | (hours >= 12 ? PM : 0);
    }

    private int decodeHours(int value) {
        if ((memory[B] & B_24H) != 0) {
            return decode(value);
        }
        return decode(value & ~PM) % 12 + ((value & PM) != 0 ? 12 : 0);
    }

    // Alarm and interrupts

    /** Seconds until the alarm comes after {@code second}, 1 to 86400, or {@link #NONE}. */
    private int alarmIn(long second) {
        int hour = alarm(HOURS_ALARM);
        int minute = alarm(MINUTES_ALARM);
        int sec = alarm(SECONDS_ALARM);
        if (hour >= 24 || minute >= 60 || sec >= 60) {
            return NONE;
        }
        int now = (int) Math.floorMod(second, (long) Calendar.SECONDS_PER_DAY);
        int at = nextAlarm(now + 1, hour, minute, sec);
        if (at == NONE) {
            at = nextAlarm(0, hour, minute, sec) + Calendar.SECONDS_PER_DAY;
        }
        return at - now;
    }

    /** Value of an alarm register, or {@link #NONE} for any. */
    private int alarm(int register) {
        int raw = memory[register] & 0xff;
        if ((raw & ANY) == ANY) {
            return NONE;
        }
        return register == HOURS_ALARM ? decodeHours(raw) : decode(raw);
    }

    /** The first second of the day from {@code from} on that matches, or {@link #NONE}. */
    private static int nextAlarm(int from, int hour, int minute, int second) {
        int h = Math.max(from / 3600, hour);
        while (h < 24 && (hour == NONE || h == hour)) {
            int m = h == from / 3600 ? from / 60 % 60 : 0;
            for (m = Math.max(m, minute); m < 60 && (minute == NONE || m == minute); m++) {
                int base = 3600 * h + 60 * m;
                int s = second == NONE ? Math.max(0, from - base) : second;
                if (s < 60 && base + s >= from) {
                    return base + s;
                }
            }
            h++;
        }
        return NONE;
    }

    /** Nanoseconds between periodic interrupts in 32768ths of a second, or 0. */
    private int interval() {
        int rate = memory[A] & A_RATE;
        if (rate == 0 || dividerHeld()) {
            return 0;
        }
        return 1 << (rate <= 2 ? rate + 6 : rate - 1);
    }

    private long period() {
        int interval = interval();
        return interval == 0 ? 0 : GuestClock.ticks(clock.nanos(), CRYSTAL) / interval;
    }

    /** Sets the flags of what has happened since the last time. */
    private void catchUp() {
        long period = period();
        if (period != seenPeriod) {
            seenPeriod = period;
            flags |= C_PF;
        }
        long second = halted ? seenSecond : second();
        if (second != seenSecond) {
            int alarm = alarmIn(seenSecond);
            if (alarm != NONE && (second < seenSecond || second - seenSecond >= alarm)) {
                flags |= C_AF;
            }
            flags |= C_UF;
            seenSecond = second;
        }
    }

    private synchronized void expired() {
        catchUp();
        update();
    }

    private void update() {
        boolean active = (flags & memory[B] & FLAGS) != 0;
        if (active != asserted) {
            asserted = active;
            line.set(active);
        }
        arm();
    }

    private void arm() {
        long now = clock.nanos();
        long next = asserted ? Long.MAX_VALUE : Math.min(nextPeriodic(), nextUpdate(now));
        if (next == Long.MAX_VALUE) {
            timer.cancel();
        } else {
            timer.arm(Math.max(next, now + 1));
        }
    }

    private long nextPeriodic() {
        int interval = interval();
        return (memory[B] & B_PIE) == 0 || interval == 0
                ? Long.MAX_VALUE
                : GuestClock.nanosOf((seenPeriod + 1) * interval, CRYSTAL);
    }

    private long nextUpdate(long now) {
        if (halted || (memory[B] & (B_UIE | B_AIE)) == 0) {
            return Long.MAX_VALUE;
        }
        int seconds = (memory[B] & B_UIE) != 0 ? 1 : alarmIn(seenSecond);
        return seconds == NONE ? Long.MAX_VALUE : now + (seenSecond + seconds) * SECOND - nanos();
    }

    @Override
    public synchronized SavedState save() {
        return new SavedState("rtc", 1)
                .put("memory", memory)
                .put("index", index)
                .put("offset", offset)
                .put("halted", halted)
                .put("flags", flags)
                .put("seen-second", seenSecond)
                .put("seen-period", seenPeriod);
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require("rtc", 1);
        byte[] saved = state.getBytes("memory");
        if (saved.length != SIZE) {
            throw new IncompatibleStateException(
                    "saved state of rtc has " + saved.length + " bytes of memory, wanted " + SIZE);
        }
        System.arraycopy(saved, 0, memory, 0, SIZE);
        index = state.getInt("index") & SIZE - 1;
        offset = state.getLong("offset");
        halted = state.getBoolean("halted");
        flags = state.getInt("flags") & FLAGS;
        seenSecond = state.getLong("seen-second");
        seenPeriod = state.getLong("seen-period");
        asserted = (flags & memory[B] & FLAGS) != 0;
        line.set(asserted);
        arm();
    }

    @Override
    public synchronized void close() {
        timer.close();
    }
}
