package org.alcazar.devices.pit8254;

import org.alcazar.machine.SavedState;

/**
 * One counter of an 8254. Times are ticks of its clock. The count is derived: it began at {@link
 * #start} with {@link #reload} and has run ever since, unless the gate holds it. The one tick
 * between the writing of a count and its loading is left out.
 */
final class Channel {
    static final long NEVER = Long.MAX_VALUE;

    /** RW1-RW0. */
    private static final int LSB = 1, MSB = 2, BOTH = 3;

    private static final int TERMINAL_COUNT = 0,
            ONE_SHOT = 1,
            RATE = 2,
            SQUARE = 3,
            SOFT_STROBE = 4;
    private static final int HARD_STROBE = 5;

    private static final int STATUS_OUT = 0x80, STATUS_NULL_COUNT = 0x40;

    private int mode;
    private int access;
    private boolean bcd;

    private boolean gate;

    /** The count that runs, in ticks: 2 to 65536 (10000 in BCD), or 1. */
    private int reload;

    /** The count written last, which becomes {@link #reload} at the next load. */
    private int written;

    /** Written, not loaded yet. */
    private boolean nullCount;

    /**
     * Whether a count runs (or stands, held by the gate); not before the first count, or the first
     * trigger in modes 1 and 5.
     */
    private boolean running;

    private long start;

    /** Rising edges of the output before {@link #start}, since the control word. */
    private long earlierEdges;

    /** Ticks done when the gate went low in modes 0 and 4, or -1. */
    private long heldAt;

    private boolean secondByte;
    private int firstByte;
    private boolean readSecond;
    private int latched;

    /** Bytes of {@link #latched} that are still to be read: 0, 1 or 2. */
    private int latchedBytes;

    private int latchedStatus;
    private boolean statusLatched;

    void reset(long now) {
        gate = true;
        control(0x30, now);
        running = false;
        reload = 0x10000;
        written = 0x10000;
        firstByte = 0;
        latched = 0;
        latchedStatus = 0;
        mode = SQUARE; // its output is high: no interrupt is pending in an edge-triggered way
    }

    /**
     * @param value the control word's lower six bits
     */
    void control(int value, long now) {
        access = value >> 4;
        mode = (value >> 1 & 3) == 2 || (value >> 1 & 3) == 3 ? value >> 1 & 3 : value >> 1 & 7;
        bcd = (value & 1) != 0;
        running = false;
        nullCount = true;
        heldAt = -1;
        start = now;
        earlierEdges = 0;
        secondByte = false;
        readSecond = false;
        latchedBytes = 0;
        statusLatched = false;
    }

    void write(int value, long now) {
        advance(now);
        switch (access) {
            case LSB -> count(value, now);
            case MSB -> count(value << 8, now);
            default -> {
                if (secondByte) {
                    secondByte = false;
                    count(firstByte | value << 8, now);
                } else {
                    secondByte = true;
                    firstByte = value;
                    if (mode == TERMINAL_COUNT) {
                        running = false; // the first byte stops the count, and OUT is low
                    }
                }
            }
        }
    }

    private void count(int value, long now) {
        int range = bcd ? 10000 : 0x10000;
        int ticks = bcd ? fromBcd(value) : value;
        written = ticks == 0 ? range : ticks;
        nullCount = true;
        switch (mode) {
            case TERMINAL_COUNT, SOFT_STROBE -> {
                load(now);
                heldAt = gate ? -1 : 0;
            }
            case RATE, SQUARE -> {
                if (!running) {
                    load(now);
                } else if (gate) {
                    dropPeriods(now); // the new count is loaded at the end of the present one
                }
            }
            default -> {} // at the next trigger
        }
    }

    private void load(long at) {
        reload = written;
        nullCount = false;
        running = true;
        start = at;
    }

    /** In the periodic modes a new count is loaded at the end of a period. */
    void advance(long now) {
        if (nullCount && running && gate && periodic() && now - start >= period()) {
            earlierEdges++;
            load(start + period());
        }
    }

    /** Lets the count begin with the present period. */
    private void dropPeriods(long now) {
        long periods = elapsed(now) / period();
        earlierEdges += periods;
        start += periods * period();
    }

    private int period() {
        return Math.max(2, reload); // 1 is illegal in the periodic modes
    }

    void gate(boolean level, long now) {
        advance(now);
        boolean rises = level && !gate;
        boolean falls = !level && gate;
        gate = level;
        switch (mode) {
            case TERMINAL_COUNT, SOFT_STROBE -> {
                if (falls && running) {
                    heldAt = now - start;
                } else if (rises && heldAt >= 0) {
                    start = now - heldAt;
                    heldAt = -1;
                }
            }
            case RATE, SQUARE -> {
                if (rises && running) {
                    load(now);
                }
            }
            default -> {
                if (rises) {
                    load(now);
                }
            }
        }
    }

    private long elapsed(long now) {
        return heldAt >= 0 ? heldAt : Math.max(0, now - start);
    }

    private boolean periodic() {
        return mode == RATE || mode == SQUARE;
    }

    /** The output pin. */
    boolean out(long now) {
        if (!running || periodic() && !gate) {
            return mode != TERMINAL_COUNT;
        }
        long done = elapsed(now);
        return switch (mode) {
            case TERMINAL_COUNT, ONE_SHOT -> done >= reload;
            case RATE -> done % period() != period() - 1;
            case SQUARE -> done % period() < (period() + 1) / 2;
            default -> done != reload;
        };
    }

    /**
     * Rising edges of the output since the control word, but for those that a gate or a new count
     * makes.
     */
    long risingEdges(long now) {
        if (!running || periodic() && !gate) {
            return earlierEdges;
        }
        long done = elapsed(now);
        return earlierEdges
                + switch (mode) {
                    case TERMINAL_COUNT, ONE_SHOT -> done >= reload ? 1 : 0;
                    case RATE, SQUARE -> done / period();
                    default -> done > reload ? 1 : 0;
                };
    }

    /** Tick of the next change that matters: the next rising edge, or in mode 3 any edge. */
    long nextChange(long now) {
        if (!running || heldAt >= 0 || periodic() && !gate) {
            return NEVER;
        }
        long done = elapsed(now);
        return switch (mode) {
            case TERMINAL_COUNT, ONE_SHOT -> done < reload ? start + reload : NEVER;
            case RATE -> start + (done / period() + 1) * period();
            case SQUARE -> {
                long begin = done / period() * period();
                long half = (period() + 1) / 2;
                yield start + begin + (done - begin < half ? half : period());
            }
            default -> done <= reload ? start + reload + 1 : NEVER;
        };
    }

    /** The counting element, 0 to 0xffff, in BCD if so programmed. */
    private int count(long now) {
        int range = bcd ? 10000 : 0x10000;
        long value;
        if (!running) {
            value = reload;
        } else if (mode == RATE) {
            value = gate ? period() - elapsed(now) % period() : period();
        } else if (mode == SQUARE) {
            value = gate ? squareCount(elapsed(now) % period()) : period();
        } else {
            value = Math.floorMod(reload - elapsed(now), (long) range);
        }
        int wrapped = (int) (value % range);
        return bcd ? toBcd(wrapped) : wrapped;
    }

    /** Mode 3 counts down by two, twice in a period, from the even part of the count. */
    private long squareCount(long done) {
        long half = (period() + 1) / 2;
        long from = period() & ~1L;
        return from - 2 * (done < half ? done : done - half);
    }

    void latchCount(long now) {
        advance(now);
        if (latchedBytes == 0) { // a second latch command before the reading is ignored
            latched = count(now);
            latchedBytes = access == BOTH ? 2 : 1;
        }
    }

    void readBack(boolean ofCount, boolean ofStatus, long now) {
        advance(now);
        if (ofStatus && !statusLatched) {
            latchedStatus =
                    (out(now) ? STATUS_OUT : 0)
                            | (nullCount ? STATUS_NULL_COUNT : 0)
                            | access << 4
                            | mode << 1
                            | (bcd ? 1 : 0);
            statusLatched = true;
        }
        if (ofCount) {
            latchCount(now);
        }
    }

    int read(long now) {
        advance(now);
        if (statusLatched) {
            statusLatched = false;
            return latchedStatus;
        }
        int value = latchedBytes > 0 ? latched : count(now);
        if (latchedBytes > 0) {
            latchedBytes--;
        }
        return switch (access) {
            case LSB -> value & 0xff;
            case MSB -> value >> 8;
            default -> {
                boolean second = readSecond;
                readSecond = !second;
                yield second ? value >> 8 : value & 0xff;
            }
        };
    }

    private static int fromBcd(int value) {
        return (value >> 12) * 1000
                + (value >> 8 & 15) * 100
                + (value >> 4 & 15) * 10
                + (value & 15);
    }

    private static int toBcd(int value) {
        return value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
    }

    SavedState save(long now) {
        advance(now);
        return new SavedState("pit8254-channel", 1)
                .put("mode", mode)
                .put("access", access)
                .put("bcd", bcd)
                .put("gate", gate)
                .put("reload", reload)
                .put("written", written)
                .put("null-count", nullCount)
                .put("running", running)
                .put("start", start)
                .put("earlier-edges", earlierEdges)
                .put("held-at", heldAt)
                .put("second-byte", secondByte)
                .put("first-byte", firstByte)
                .put("read-second", readSecond)
                .put("latched", latched)
                .put("latched-bytes", latchedBytes)
                .put("latched-status", latchedStatus)
                .put("status-latched", statusLatched);
    }

    void restore(SavedState state) {
        state.require("pit8254-channel", 1);
        mode = state.getInt("mode");
        access = state.getInt("access");
        bcd = state.getBoolean("bcd");
        gate = state.getBoolean("gate");
        reload = state.getInt("reload");
        written = state.getInt("written");
        nullCount = state.getBoolean("null-count");
        running = state.getBoolean("running");
        start = state.getLong("start");
        earlierEdges = state.getLong("earlier-edges");
        heldAt = state.getLong("held-at");
        secondByte = state.getBoolean("second-byte");
        firstByte = state.getInt("first-byte");
        readSecond = state.getBoolean("read-second");
        latched = state.getInt("latched");
        latchedBytes = state.getInt("latched-bytes");
        latchedStatus = state.getInt("latched-status");
        statusLatched = state.getBoolean("status-latched");
    }
}
