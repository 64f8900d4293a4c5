package org.alcazar.engines.x86.state;

import org.alcazar.engines.x86.api.X86;

/**
 * The core's performance counters (APM volume 2, 13.2). Two events are there, all others count
 * nothing: retired instructions (C0h), exact, and cycles not in halt (76h), which are ticks of the
 * VM's clock, those of the TSC, while the core is not halted. Both happen at most once a cycle, so
 * a count mask of 1 changes nothing and a larger one never matches.
 *
 * <p>Nothing is counted while code runs: {@link #settle} brings the registers up to date from the
 * instructions retired and the clock whenever somebody looks, the privilege changes and some
 * counter cares for it, or {@link #next} is reached. An instruction belongs to the privilege that
 * it started at; one that reads or writes a counter's registers is not counted by it yet.
 */
public final class Counters {
    /** Counters; the first four have legacy numbers too. */
    public static final int COUNT = 6;

    private static final int INSTRUCTIONS = 0xc0, CYCLES = 0x76;
    private static final long USR = 1 << 16, OS = 1 << 17, EDGE = 1 << 18, INT = 1 << 20;
    private static final long EN = 1 << 22, INV = 1 << 23;

    /** Bits of an event select that are there. */
    private static final long CONTROL_BITS = 0x30f_ffd7_ffffL;

    private static final int WIDTH = 48;
    private static final long MASK = (1L << WIDTH) - 1;

    /**
     * While a counter of cycles may interrupt, the clock is looked at whenever the count of retired
     * instructions is a multiple of this; while that is far off, of this.
     */
    private static final long LOOK = 1 << 16, SELDOM = 1 << 20;

    /**
     * So many cycles are far off: {@link #SELDOM} instructions take fewer even where they are slow.
     * The watchdog of a Linux kernel counts ten times as many.
     */
    private static final long FAR = 1 << 30;

    private final Cpu cpu;

    /** Counters that count now, a bit for each. */
    private int instructions;

    private int cycles;

    /** Some counter runs at one privilege only: changes of CPL have to be told. */
    public boolean split;

    /**
     * Value of {@link Cpu#retired} at which the run loop has to call {@link #settle} for an
     * interrupt.
     */
    public long next = Long.MAX_VALUE;

    private boolean user;
    private boolean halted;
    private long retiredSeen;
    private long ticksSeen;

    Counters(Cpu cpu) {
        this.cpu = cpu;
    }

    /** Whether a counter of the model has this number. */
    public boolean has(int n) {
        return n >= 0 && n < (extended() ? COUNT : 4);
    }

    /** Whether the six counters with numbers of their own are announced. */
    public boolean extended() {
        return cpu.model.has(0x8000_0001, 1, 23);
    }

    /** What an instruction reads from counter {@code n}. */
    public long read(int n) {
        settle(cpu.retired - 1);
        return cpu.msr[X86.PERF_CTR0 + n];
    }

    /** An instruction writes counter {@code n}. */
    public void write(int n, long value) {
        settle(cpu.retired - 1);
        cpu.msr[X86.PERF_CTR0 + n] = value & MASK;
        start(cpu.retired);
    }

    /** An instruction writes the event select of counter {@code n}. */
    public void control(int n, long value) {
        settle(cpu.retired - 1);
        cpu.msr[X86.PERF_CTL0 + n] = value & CONTROL_BITS;
        start(cpu.retired);
    }

    /** Registers, instruction count or privilege were set from outside. */
    public void loaded() {
        halted = false;
        start(cpu.block.retired);
    }

    /** CPL may have changed. */
    public void privilege() {
        if (user != cpu.cpl > 0) {
            settle(cpu.retired);
            start(cpu.retired);
        }
    }

    /** The core waits for an interrupt. */
    public void halt() {
        if (!halted) {
            settle(cpu.retired);
            halted = true;
            start(cpu.retired);
        }
    }

    /** An interrupt has come. */
    public void wake() {
        if (halted) {
            halted = false;
            start(cpu.retired);
        }
    }

    /** Finds out what counts from here on. */
    private void start(long retired) {
        retiredSeen = retired;
        user = cpu.cpl > 0;
        instructions = 0;
        cycles = 0;
        split = false;
        for (int n = 0; n < COUNT; n++) {
            long control = cpu.msr[X86.PERF_CTL0 + n];
            if ((control & EN) == 0) {
                continue;
            }
            split |= (control & USR) == 0 != ((control & OS) == 0);
            if ((control & (user ? USR : OS)) == 0) {
                continue;
            }
            int event = event(control);
            instructions |= event == INSTRUCTIONS ? 1 << n : 0;
            cycles |= event == CYCLES && !halted ? 1 << n : 0;
        }
        if (cycles != 0) {
            ticksSeen = cpu.block.time.ticks(retired);
        }
        plan();
    }

    private static int event(long control) {
        int event = (int) (control & 0xff | control >>> 24 & 0xf00);
        int mask = (int) (control >>> 24) & 0xff;
        boolean inverted = (control & INV) != 0 && mask != 0;
        boolean known = event == INSTRUCTIONS || event == CYCLES;
        if ((control & EDGE) != 0) {
            return 0;
        }
        if (inverted) {
            // Cycles with fewer events than that.
            return mask > 1 || !known ? CYCLES : 0;
        }
        return known && mask <= 1 ? event : 0;
    }

    /**
     * Brings the counters up to date and raises the interrupts of those that have overflown.
     *
     * @param retired instructions that count
     */
    public void settle(long retired) {
        if ((instructions | cycles) == 0) {
            return;
        }
        long ticks = cycles != 0 ? cpu.block.time.ticks(retired) : 0;
        boolean interrupts = false;
        for (int n = 0; n < COUNT; n++) {
            long done = 0;
            if ((instructions >> n & 1) != 0) {
                done = retired - retiredSeen;
            } else if ((cycles >> n & 1) != 0) {
                done = Math.max(0, ticks - ticksSeen);
            }
            long count = cpu.msr[X86.PERF_CTR0 + n] + done;
            cpu.msr[X86.PERF_CTR0 + n] = count & MASK;
            interrupts |= count > MASK && (cpu.msr[X86.PERF_CTL0 + n] & INT) != 0;
        }
        retiredSeen = retired;
        ticksSeen = ticks;
        plan();
        if (interrupts) {
            cpu.interrupts.counterOverflow();
        }
    }

    private void plan() {
        next = Long.MAX_VALUE;
        for (int n = 0; n < COUNT; n++) {
            if ((cpu.msr[X86.PERF_CTL0 + n] & INT) == 0) {
                continue;
            }
            long left = MASK + 1 - cpu.msr[X86.PERF_CTR0 + n];
            if ((instructions >> n & 1) != 0) {
                next = Math.min(next, retiredSeen + left);
            } else if ((cycles >> n & 1) != 0) {
                next = Math.min(next, (retiredSeen | (left > FAR ? SELDOM : LOOK) - 1) + 1);
            }
        }
    }
}
