package org.alcazar.devices.apic;

import static org.alcazar.devices.apic.Registers.*;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Requests;
import org.alcazar.machine.SavedState;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.platforms.pc.api.PcLayout;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.Vcore;

import java.util.Arrays;

/**
 * The local APIC of one core (AMD64 Architecture Programmer's Manual, volume 2, chapter 16).
 *
 * <p>Lock: this object, the last in the order but for those of the clock's timers: neither the PIC,
 * nor the I/O APIC, nor another local APIC is called under it. Requests to the core are posted
 * under it and take no lock.
 */
final class LocalApic implements InterruptSource {
    /** Version 0x14: an integrated one; six entries in the local vector table. */
    static final int VERSION = 0x0005_0014;

    /**
     * Local vector table, in the order of the registers: timer, thermal, performance, LINT0, LINT1,
     * error.
     */
    static final int TIMER = 0, PERFORMANCE = 2, LINT0 = 3, LINT1 = 4, ERROR = 5, ENTRIES = 6;

    static final int[] LVT_WRITABLE = {
        LVT_MASK | LVT_PERIODIC | LVT_DEADLINE | LVT_VECTOR,
        LVT_MASK | LVT_MODE | LVT_VECTOR,
        LVT_MASK | LVT_MODE | LVT_VECTOR,
        LVT_MASK | LVT_LEVEL | LVT_POLARITY | LVT_MODE | LVT_VECTOR,
        LVT_MASK | LVT_LEVEL | LVT_POLARITY | LVT_MODE | LVT_VECTOR,
        LVT_MASK | LVT_VECTOR
    };

    /** A destination: everybody. */
    static final int EVERYBODY = -1;

    private final int hardwareId;
    private final Vcore core;
    private final ExternalInterrupts external;
    private final Wiring wiring;
    private final ApicTimer timer;
    private final boolean virtualWire;

    private final Vectors isr = new Vectors();
    private final Vectors tmr = new Vectors();
    private final Vectors irr = new Vectors();
    private final int[] lvt = new int[ENTRIES];

    /** What messages are matched with: read without the lock, written under it. */
    private volatile long base;

    private volatile int id;
    private volatile int ldr;
    private volatile int dfr;

    private int tpr;
    private int svr;
    private long icr;

    /** What the last remote read has brought. */
    private int remote;

    private int esr;

    /** Errors since ESR was written last. */
    private int errors;

    /** Derived from TPR and ISR. */
    private int ppr;

    /** Levels of the wires into LINT0 and LINT1. */
    private boolean lint0Level;

    private boolean lint1Level;

    /** A message with delivery mode ExtINT has come and is not acknowledged yet. */
    private boolean externalMessage;

    /** What the local APIC calls, never under its lock. */
    interface Wiring {
        void endOfInterrupt(int vector);

        /**
         * @param command the whole ICR; the destination has 32 bits in x2APIC mode, else 8
         */
        void send(LocalApic from, long command, boolean wide);

        /** The registers have moved in memory, between physical addresses. */
        void moved(long from, long to);
    }

    /** The PIC's acknowledge cycle. */
    interface ExternalInterrupts {
        ExternalInterrupts ABSENT = () -> NONE;

        /**
         * @return the vector, or {@link InterruptSource#NONE}
         */
        int acknowledge();

        /** {@link LegacyPic#floatError}. */
        default boolean floatError(boolean pending) {
            return true;
        }
    }

    /**
     * @param virtualWire whether a reset leaves LINT0 as firmware does: enabled, for the PIC
     */
    LocalApic(
            int id,
            Vcore core,
            GuestClock clock,
            ExternalInterrupts external,
            Wiring wiring,
            boolean virtualWire) {
        this.hardwareId = id;
        this.core = core;
        this.external = external;
        this.wiring = wiring;
        this.virtualWire = virtualWire;
        timer = new ApicTimer(clock, "apic " + id, this::fireTimer);
        this.id = id;
        base = powerOnBase();
        clear();
    }

    private long powerOnBase() {
        return PcLayout.LOCAL_APIC | BASE_ENABLE | (hardwareId == 0 ? BASE_BOOT_CORE : 0);
    }

    /** Everything but the id and what the core has (16.3.3). */
    private void clear() {
        isr.clear();
        tmr.clear();
        irr.clear();
        Arrays.fill(lvt, LVT_MASK);
        tpr = 0;
        ldr = 0;
        dfr = -1;
        svr = 0xff;
        icr = 0;
        remote = 0;
        esr = 0;
        errors = 0;
        externalMessage = false;
        timer.reset();
        updatePpr();
    }

    void reset() {
        coreRegister(X86.APIC_BASE, powerOnBase());
        restart();
    }

    private synchronized void restart() {
        id = hardwareId;
        clear();
        timer.offset(0);
        if (virtualWire) {
            svr |= SVR_ENABLE;
            lvt[LINT0] = ApicBus.EXTERNAL << LVT_MODE_SHIFT;
            lvt[LINT1] = ApicBus.NMI << LVT_MODE_SHIFT;
        }
    }

    /** INIT resets the APIC with its core, but for its id and mode. */
    @Override
    public synchronized void initialised() {
        clear();
        requestIfDeliverable();
    }

    // Modes

    boolean off() {
        return (base & BASE_ENABLE) == 0;
    }

    boolean wide() {
        return (base & BASE_X2APIC) != 0;
    }

    /** Where the registers are in memory; -1 if they are not. */
    long address() {
        long now = base;
        return (now & (BASE_ENABLE | BASE_X2APIC)) == BASE_ENABLE ? now & BASE_ADDRESS : -1;
    }

    @Override
    public void coreRegister(int register, long value) {
        if (register == X86.TSC_OFFSET) {
            counterMoved(value);
        } else if (register == X86.APIC_BASE && value != base) {
            long from = address();
            change(value);
            if (address() != from) {
                wiring.moved(from, address());
            }
        }
    }

    /** The core itself has seen to it that the way between the modes is legal (16.9.1). */
    private synchronized void change(long value) {
        boolean wasOff = off();
        boolean wasWide = wide();
        base = value;
        if (off() && !wasOff) {
            id = hardwareId;
            clear();
        } else if (wide() && !wasWide) {
            id = hardwareId;
            icr &= 0xffff_ffffL;
        }
        requestIfDeliverable();
    }

    private synchronized void counterMoved(long offset) {
        boolean follows = timer.followsCounter();
        timer.offset(offset);
        if (follows) {
            core.post(Requests.KICK); // what is armed now may come before the present run ends
        }
    }

    // Registers

    /** A register in xAPIC mode, by its offset. */
    synchronized int read(int register) {
        return switch (register) {
            case ID -> id << 24;
            case APR -> arbitrationPriority();
            case RRR -> remote;
            case EOI -> 0;
            case LDR -> ldr;
            case DFR -> dfr;
            case ICR_HIGH -> (int) (icr >>> 32);
            default -> X2apic.readable(register) ? common(register) : illegal();
        };
    }

    /** A register in x2APIC mode that is {@link X2apic#readable}. */
    synchronized long readWide(int register) {
        return switch (register) {
            case ID -> hardwareId;
            case LDR -> cluster();
            case ICR_LOW -> icr;
            default -> common(register) & 0xffff_ffffL;
        };
    }

    private int illegal() {
        error(ESR_ILLEGAL_REGISTER);
        return 0;
    }

    /** What is the same in both modes. */
    private int common(int register) {
        return switch (register) {
            case VERSION_REGISTER -> VERSION;
            case TPR -> tpr;
            case PPR -> ppr;
            case SVR -> svr;
            case ESR -> esr;
            case ICR_LOW -> (int) icr;
            case LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR ->
                    lvt[register - LVT_TIMER >> 4];
            case TIMER_INITIAL -> (int) timer.initial();
            case TIMER_CURRENT -> (int) timer.current();
            case TIMER_DIVIDE -> timer.divideRegister();
            default -> {
                Vectors which = register < TMR ? isr : register < IRR ? tmr : irr;
                yield which.word(register >> 4 & 7);
            }
        };
    }

    /** Writes a register in xAPIC mode. */
    void write(int register, int value) {
        if (register == ICR_LOW) {
            long high = command(value & ICR_WRITABLE);
            wiring.send(this, high << 32 | value & ICR_WRITABLE, false);
        } else if (!act(register)) {
            writeRegister(register, value);
        }
    }

    /** Writes a register in x2APIC mode, with a value that is {@link X2apic#writable}. */
    void writeWide(int register, long value) {
        switch (register) {
            case ICR_LOW -> {
                commandWide(value);
                wiring.send(this, value, true);
            }
            case SELF_IPI -> wiring.send(this, value | TO_SELF << ICR_SHORTHAND_SHIFT, true);
            default -> {
                if (!act(register)) {
                    writeRegister(register, (int) value);
                }
            }
        }
    }

    /** What goes beyond this APIC and the command register. @return whether it was that */
    private boolean act(int register) {
        if (register != EOI) {
            return false;
        }
        int vector = endOfInterrupt();
        if (vector >= 0) {
            wiring.endOfInterrupt(vector);
        }
        return true;
    }

    private synchronized long command(int low) {
        icr = icr & ~0xffff_ffffL | low;
        return icr >>> 32;
    }

    private synchronized void commandWide(long value) {
        icr = value;
    }

    private synchronized void writeRegister(int register, int value) {
        switch (register) {
            case ID -> id = value >>> 24;
            case TPR -> writeTpr(value & 0xff);
            case LDR -> ldr = value & 0xff00_0000;
            case DFR -> dfr = value | 0x0fff_ffff;
            case SVR -> writeSvr(value);
            case ESR -> {
                esr = errors;
                errors = 0;
            }
            case ICR_HIGH -> icr = icr & 0xffff_ffffL | (value & 0xff00_0000L) << 32;
            case LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR ->
                    writeLvt(register - LVT_TIMER >> 4, value);
            case TIMER_INITIAL -> timer.start(value & 0xffff_ffffL);
            case TIMER_DIVIDE -> timer.divide(value);
            case APR, RRR -> {} // read-only
            default -> {
                if (!X2apic.readable(register)) {
                    illegal();
                }
            }
        }
    }

    private void writeTpr(int value) {
        tpr = value;
        updatePpr();
        requestIfDeliverable();
    }

    private void writeSvr(int value) {
        if ((value & SVR_ENABLE) == 0) {
            timer.program(timerMode(lvt[TIMER]), true);
            for (int i = 0; i < ENTRIES; i++) {
                lvt[i] |= LVT_MASK;
            }
        }
        svr = value & SVR_WRITABLE;
    }

    private static int timerMode(int entry) {
        return (entry & LVT_TIMER_MODE) >> LVT_TIMER_MODE_SHIFT;
    }

    private void writeLvt(int entry, int value) {
        int bits = value & LVT_WRITABLE[entry] | lvt[entry] & LVT_REMOTE_IRR;
        if ((svr & SVR_ENABLE) == 0) {
            bits |= LVT_MASK;
        }
        if (entry == TIMER) {
            // A count that is over already ends by the entry as it was.
            timer.program(timerMode(bits), (bits & LVT_MASK) != 0);
        }
        lvt[entry] = bits;
        switch (entry) {
            case LINT0 -> lintLevel(LINT0, lint0Level);
            case LINT1 -> lintLevel(LINT1, lint1Level);
            default -> {}
        }
    }

    /** The timer's deadline in ticks of the time-stamp counter, 0 if there is none. */
    synchronized long deadline() {
        return timer.deadline();
    }

    synchronized void deadline(long ticks) {
        timer.startUntil(ticks);
    }

    // Interrupts in

    /** The wire into LINT0, where a PC has the PIC. */
    InterruptLine lint0() {
        return this::lint0;
    }

    private synchronized void lint0(boolean level) {
        boolean rises = level && !lint0Level;
        lint0Level = level;
        lint(LINT0, level, rises);
    }

    /** The wire into LINT1, where a PC has its NMI button. */
    InterruptLine lint1() {
        return this::lint1;
    }

    private synchronized void lint1(boolean level) {
        boolean rises = level && !lint1Level;
        lint1Level = level;
        lint(LINT1, level, rises);
    }

    private void lint(int entry, boolean level, boolean rises) {
        if (off()) {
            pin(entry, level, rises);
            return;
        }
        if ((lvt[entry] & LVT_MASK) != 0) {
            return;
        }
        if (rises && mode(entry) == ApicBus.NMI) {
            core.post(Requests.NMI);
        } else if (rises && (lvt[entry] & LVT_LEVEL) == 0 && mode(entry) == ApicBus.FIXED) {
            accept(lvt[entry] & LVT_VECTOR, false);
        } else {
            lintLevel(entry, level);
        }
    }

    /** Without an APIC these are the core's pins for interrupts and for NMI. */
    private void pin(int entry, boolean level, boolean rises) {
        if (entry == LINT0 && level) {
            core.post(Requests.INTERRUPT);
        } else if (entry == LINT1 && rises) {
            core.post(Requests.NMI);
        }
    }

    /** What a level does, also when the entry is unmasked later. */
    private void lintLevel(int entry, boolean level) {
        if (!level || (lvt[entry] & LVT_MASK) != 0) {
            return;
        }
        if (mode(entry) == ApicBus.EXTERNAL) {
            core.post(Requests.INTERRUPT);
        } else if (mode(entry) == ApicBus.FIXED
                && (lvt[entry] & (LVT_LEVEL | LVT_REMOTE_IRR)) == LVT_LEVEL) {
            lvt[entry] |= LVT_REMOTE_IRR;
            accept(lvt[entry] & LVT_VECTOR, true);
        }
    }

    private int mode(int entry) {
        return lvt[entry] >> LVT_MODE_SHIFT & 7;
    }

    /** The VM's clock has come to what the timer was armed for, maybe some time ago. */
    synchronized void fireTimer() {
        if (timer.expired() && (lvt[TIMER] & LVT_MASK) == 0) {
            accept(lvt[TIMER] & LVT_VECTOR, false);
        }
    }

    private void error(int bit) {
        boolean first = (errors & bit) == 0;
        errors |= bit;
        if (first && (lvt[ERROR] & LVT_MASK) == 0 && (lvt[ERROR] & LVT_VECTOR) >= 16) {
            accept(lvt[ERROR] & LVT_VECTOR, false);
        }
    }

    /** A message of this APIC's went wrong: {@link Registers#ESR_SEND_ACCEPT} or its like. */
    synchronized void sendError(int bit) {
        error(bit);
    }

    /** What a remote read has found; -1 if nothing. */
    synchronized void remoteData(long data) {
        if (data >= 0) {
            remote = (int) data;
            icr |= ICR_REMOTE_VALID;
        }
    }

    /** A register that another core reads from here (16.5); -1 if there is none. */
    synchronized long readRemotely(int register) {
        boolean there = !off() && !wide() && X2apic.readable(register);
        return there ? read(register) & 0xffff_ffffL : -1;
    }

    /**
     * A message on the APIC bus that is meant for this one.
     *
     * @return whether it takes it
     */
    synchronized boolean deliver(int deliveryMode, int vector, boolean level) {
        if (off()) {
            return false;
        }
        switch (deliveryMode) {
            case ApicBus.FIXED, ApicBus.LOWEST_PRIORITY -> {
                if ((svr & SVR_ENABLE) == 0) {
                    return false;
                }
                accept(vector, level);
            }
            case ApicBus.NMI -> core.post(Requests.NMI);
            case ApicBus.INIT -> {
                core.requests().take(Requests.STARTUP); // an earlier one found the core running
                core.post(Requests.INIT);
            }
            case ApicBus.STARTUP -> {
                core.requests().postStartup(vector);
                core.post(Requests.STARTUP); // wakes it, too
            }
            case ApicBus.EXTERNAL -> {
                externalMessage = true;
                core.post(Requests.INTERRUPT);
            }
            case ApicBus.SMI -> {} // there is no system management mode
            default -> {
                return false;
            }
        }
        return true;
    }

    private void accept(int vector, boolean level) {
        if (vector < 16) {
            error(ESR_RECEIVED_ILLEGAL_VECTOR);
            return;
        }
        irr.set(vector, true);
        tmr.set(vector, level);
        if (vector >> 4 > ppr >> 4) {
            core.post(Requests.INTERRUPT);
        }
    }

    // Interrupts out

    /** 16.6.4: the higher of task priority and the priority in service. */
    private void updatePpr() {
        int inService = Math.max(0, isr.highest()) & 0xf0;
        ppr = (tpr & 0xf0) >= inService ? tpr : inService;
    }

    private void requestIfDeliverable() {
        if (externalPending() || Math.max(0, irr.highest()) >> 4 > ppr >> 4) {
            core.post(Requests.INTERRUPT);
        }
    }

    private boolean externalPending() {
        return externalMessage
                || lint0Level
                        && (off()
                                || (lvt[LINT0] & LVT_MASK) == 0 && mode(LINT0) == ApicBus.EXTERNAL);
    }

    @Override
    public int acknowledge() {
        if (takeExternal()) {
            int vector = external.acknowledge(); // not under the lock
            if (vector != NONE) {
                return requestMore(vector);
            }
        }
        return takeVector();
    }

    /** The local entry for performance counters (16.4.3); the core does not mask it. */
    @Override
    public synchronized void counterOverflow() {
        if ((lvt[PERFORMANCE] & LVT_MASK) != 0) {
            return;
        }
        if (mode(PERFORMANCE) == ApicBus.NMI) {
            core.post(Requests.NMI);
        } else if (mode(PERFORMANCE) == ApicBus.FIXED) {
            accept(lvt[PERFORMANCE] & LVT_VECTOR, false);
        }
    }

    /** Only the boot core's pins are connected. */
    @Override
    public boolean floatError(boolean pending) {
        return hardwareId != 0 || external.floatError(pending);
    }

    private synchronized boolean takeExternal() {
        boolean pending = externalPending();
        externalMessage = false;
        return pending;
    }

    private synchronized int requestMore(int vector) {
        requestIfDeliverable();
        return vector;
    }

    private synchronized int takeVector() {
        int vector = irr.highest();
        if (vector >> 4 <= ppr >> 4) {
            return NONE;
        }
        irr.set(vector, false);
        isr.set(vector, true);
        updatePpr();
        requestIfDeliverable();
        return vector;
    }

    /**
     * @return the vector if its end must be told to the I/O APIC, else -1
     */
    private synchronized int endOfInterrupt() {
        int vector = isr.highest();
        if (vector < 0) {
            return -1;
        }
        isr.set(vector, false);
        updatePpr();
        boolean level = tmr.has(vector);
        if (level) {
            endLint(LINT0, vector, lint0Level);
            endLint(LINT1, vector, lint1Level);
        }
        requestIfDeliverable();
        return level ? vector : -1;
    }

    private void endLint(int entry, int vector, boolean level) {
        if ((lvt[entry] & LVT_REMOTE_IRR) != 0 && (lvt[entry] & LVT_VECTOR) == vector) {
            lvt[entry] &= ~LVT_REMOTE_IRR;
            lintLevel(entry, level);
        }
    }

    @Override
    public synchronized void taskPriority(int priority) {
        writeTpr(priority << 4);
    }

    @Override
    public synchronized int taskPriority() {
        return tpr >> 4;
    }

    // Destinations (16.6.1), without the lock: a message that crosses a change meets either.

    /**
     * @param destination 32 bits, or 8 and zeros, or {@link #EVERYBODY}
     */
    boolean matches(int destination, boolean logical) {
        if (destination == EVERYBODY) {
            return true;
        }
        if (!logical) {
            return destination == id;
        }
        return wide() ? matchesCluster(destination) : matchesLogical(destination);
    }

    /** 16 cores a cluster, whose number is in the upper half (16.9.3). */
    private int cluster() {
        return hardwareId >> 4 << 16 | 1 << (hardwareId & 15);
    }

    private boolean matchesCluster(int destination) {
        return destination >>> 16 == cluster() >>> 16 && (destination & cluster() & 0xffff) != 0;
    }

    private boolean matchesLogical(int destination) {
        int own = ldr >>> 24;
        if (dfr >>> 28 == 0xf) {
            return (own & destination) != 0;
        }
        return (own >> 4 == destination >>> 4 || destination >>> 4 == 0xf)
                && (own & destination & 0xf) != 0;
    }

    /** For the arbitration of lowest priority; disabled ones lose. */
    synchronized int arbitrationPriority() {
        boolean takesPart = !off() && (svr & SVR_ENABLE) != 0;
        return takesPart ? Math.max(ppr, Math.max(0, irr.highest())) : 0x100;
    }

    synchronized SavedState save() {
        SavedState state =
                new SavedState("local-apic", 2)
                        .put("base", base)
                        .put("id", id)
                        .put("tpr", tpr)
                        .put("ldr", ldr)
                        .put("dfr", dfr)
                        .put("svr", svr)
                        .put("icr", icr)
                        .put("remote", remote)
                        .put("esr", esr)
                        .put("errors", errors)
                        .put("lvt", lvt)
                        .put("lint0", lint0Level)
                        .put("lint1", lint1Level)
                        .put("external-message", externalMessage)
                        .put("timer", timer.save());
        isr.save(state, "isr");
        tmr.save(state, "tmr");
        irr.save(state, "irr");
        return state;
    }

    void restore(SavedState state) {
        state.require("local-apic", 2);
        coreRegister(X86.APIC_BASE, state.getLong("base"));
        restoreRest(state);
    }

    private synchronized void restoreRest(SavedState state) {
        id = state.getInt("id");
        tpr = state.getInt("tpr") & 0xff;
        ldr = state.getInt("ldr");
        dfr = state.getInt("dfr");
        svr = state.getInt("svr");
        icr = state.getLong("icr");
        remote = state.getInt("remote");
        esr = state.getInt("esr");
        errors = state.getInt("errors");
        isr.restore(state, "isr");
        tmr.restore(state, "tmr");
        irr.restore(state, "irr");
        Vectors.copy(state, "lvt", lvt);
        lint0Level = state.getBoolean("lint0");
        lint1Level = state.getBoolean("lint1");
        externalMessage = state.getBoolean("external-message");
        timer.restore(state.getState("timer"));
        updatePpr();
        requestIfDeliverable();
    }

    synchronized void close() {
        timer.close();
    }
}
