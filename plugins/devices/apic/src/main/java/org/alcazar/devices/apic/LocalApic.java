package org.alcazar.devices.apic;

import static org.alcazar.devices.apic.Registers.*;

import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Requests;
import org.alcazar.machine.SavedState;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.Vcore;

import java.util.Arrays;

/**
 * The local APIC of one core (AMD64 Architecture Programmer's Manual, volume 2, chapter 16).
 *
 * <p>Lock: this object, the last in the order: neither the PIC, nor the I/O APIC, nor another local
 * APIC is called under it. Requests to the core are posted under it and take no lock.
 */
final class LocalApic implements InterruptSource {
    /** Version 0x14: an integrated one; six entries in the local vector table. */
    static final int VERSION = 0x0005_0014;

    /**
     * Local vector table, in the order of the registers: timer, thermal, performance, LINT0, LINT1,
     * error.
     */
    static final int TIMER = 0, PERFORMANCE = 2, LINT0 = 3, LINT1 = 4, ERROR = 5, ENTRIES = 6;

    private static final int[] LVT_WRITABLE = {
        LVT_MASK | LVT_PERIODIC | LVT_VECTOR,
        LVT_MASK | LVT_MODE | LVT_VECTOR,
        LVT_MASK | LVT_MODE | LVT_VECTOR,
        LVT_MASK | LVT_LEVEL | LVT_POLARITY | LVT_MODE | LVT_VECTOR,
        LVT_MASK | LVT_LEVEL | LVT_POLARITY | LVT_MODE | LVT_VECTOR,
        LVT_MASK | LVT_VECTOR
    };

    private final int hardwareId;
    private final Vcore core;
    private final ExternalInterrupts external;
    private final Wiring wiring;
    private final ApicTimer timer;
    private final boolean virtualWire;

    private final int[] isr = new int[8];
    private final int[] tmr = new int[8];
    private final int[] irr = new int[8];
    private final int[] lvt = new int[ENTRIES];

    private int id;
    private int tpr;
    private int ldr;
    private int dfr;
    private int svr;
    private int icrLow;
    private int icrHigh;
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

        void send(LocalApic from, int low, int high);
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
        timer = new ApicTimer(clock, "apic " + id, this::timerExpired);
        this.id = id;
        clear();
    }

    /** Everything but the id (16.3.3). */
    private void clear() {
        Arrays.fill(isr, 0);
        Arrays.fill(tmr, 0);
        Arrays.fill(irr, 0);
        Arrays.fill(lvt, LVT_MASK);
        tpr = 0;
        ldr = 0;
        dfr = -1;
        svr = 0xff;
        icrLow = 0;
        icrHigh = 0;
        esr = 0;
        errors = 0;
        externalMessage = false;
        timer.reset();
        updatePpr();
    }

    synchronized void reset() {
        id = hardwareId;
        clear();
        if (virtualWire) {
            svr |= SVR_ENABLE;
            lvt[LINT0] = ApicBus.EXTERNAL << LVT_MODE_SHIFT;
            lvt[LINT1] = ApicBus.NMI << LVT_MODE_SHIFT;
        }
    }

    /** An INIT message resets the APIC with its core. */
    synchronized void initialise() {
        clear();
        core.post(Requests.INIT);
    }

    // Registers

    synchronized int read(int offset) {
        return switch (offset) {
            case ID -> id << 24;
            case VERSION_REGISTER -> VERSION;
            case TPR -> tpr;
            case APR, RRR, EOI -> 0;
            case PPR -> ppr;
            case LDR -> ldr;
            case DFR -> dfr;
            case SVR -> svr;
            case ESR -> esr;
            case ICR_LOW -> icrLow;
            case ICR_HIGH -> icrHigh;
            case LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR ->
                    lvt[offset - LVT_TIMER >> 4];
            case TIMER_INITIAL -> (int) timer.initial();
            case TIMER_CURRENT -> (int) timer.current();
            case TIMER_DIVIDE -> timer.divideRegister();
            default -> readVector(offset);
        };
    }

    private int readVector(int offset) {
        int index = offset >> 4 & 7;
        return switch (offset & ~0x70) {
            case ISR -> isr[index];
            case TMR -> tmr[index];
            case IRR -> irr[index];
            default -> {
                error(ESR_ILLEGAL_REGISTER);
                yield 0;
            }
        };
    }

    void write(int offset, int value) {
        switch (offset) {
            case EOI -> {
                int vector = endOfInterrupt();
                if (vector >= 0) {
                    wiring.endOfInterrupt(vector);
                }
            }
            case ICR_LOW -> {
                int high = command(value);
                wiring.send(this, value, high);
            }
            default -> writeRegister(offset, value);
        }
    }

    private synchronized int command(int low) {
        icrLow = low & ICR_WRITABLE;
        return icrHigh;
    }

    private synchronized void writeRegister(int offset, int value) {
        switch (offset) {
            case ID -> id = value >>> 24;
            case TPR -> writeTpr(value & 0xff);
            case LDR -> ldr = value & 0xff00_0000;
            case DFR -> dfr = value | 0x0fff_ffff;
            case SVR -> writeSvr(value);
            case ESR -> {
                esr = errors;
                errors = 0;
            }
            case ICR_HIGH -> icrHigh = value & 0xff00_0000;
            case LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR ->
                    writeLvt(offset - LVT_TIMER >> 4, value);
            case TIMER_INITIAL -> timer.start(value & 0xffff_ffffL);
            case TIMER_DIVIDE -> timer.divide(value);
            case VERSION_REGISTER, APR, PPR, RRR, TIMER_CURRENT -> {} // read-only
            default -> writeVector(offset);
        }
    }

    private void writeVector(int offset) {
        if (offset < ISR || offset >= IRR + 0x80) {
            error(ESR_ILLEGAL_REGISTER);
        }
    }

    private void writeTpr(int value) {
        tpr = value;
        updatePpr();
        requestIfDeliverable();
    }

    private void writeSvr(int value) {
        svr = value & (SVR_ENABLE | SVR_FOCUS | 0xff);
        if ((svr & SVR_ENABLE) == 0) {
            for (int i = 0; i < ENTRIES; i++) {
                lvt[i] |= LVT_MASK;
            }
            timer.masked(true);
        }
    }

    private void writeLvt(int entry, int value) {
        int bits = value & LVT_WRITABLE[entry] | lvt[entry] & LVT_REMOTE_IRR;
        if ((svr & SVR_ENABLE) == 0) {
            bits |= LVT_MASK;
        }
        lvt[entry] = bits;
        switch (entry) {
            case TIMER -> {
                timer.periodic((bits & LVT_PERIODIC) != 0);
                timer.masked((bits & LVT_MASK) != 0);
            }
            case LINT0 -> lintLevel(LINT0, lint0Level);
            case LINT1 -> lintLevel(LINT1, lint1Level);
            default -> {}
        }
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
        if ((lvt[entry] & LVT_MASK) != 0) {
            return;
        }
        if (rises && (lvt[entry] >> LVT_MODE_SHIFT & 7) == ApicBus.NMI) {
            core.post(Requests.NMI);
        } else if (rises && (lvt[entry] & LVT_LEVEL) == 0 && mode(entry) == ApicBus.FIXED) {
            accept(lvt[entry] & LVT_VECTOR, false);
        } else {
            lintLevel(entry, level);
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

    private synchronized void timerExpired() {
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

    synchronized void sendError() {
        error(ESR_SENT_ILLEGAL_VECTOR);
    }

    /** A message on the APIC bus that is meant for this one. */
    synchronized void deliver(int deliveryMode, int vector, boolean level) {
        switch (deliveryMode) {
            case ApicBus.FIXED, ApicBus.LOWEST_PRIORITY -> {
                if ((svr & SVR_ENABLE) != 0) {
                    accept(vector, level);
                }
            }
            case ApicBus.NMI -> core.post(Requests.NMI);
            case ApicBus.INIT -> initialise();
            case ApicBus.STARTUP -> {
                core.requests().postStartup(vector);
                core.post(Requests.STARTUP);
            }
            case ApicBus.EXTERNAL -> {
                externalMessage = true;
                core.post(Requests.INTERRUPT);
            }
            default -> {} // SMI: there is no system management mode; the rest is reserved
        }
    }

    private void accept(int vector, boolean level) {
        if (vector < 16) {
            error(ESR_RECEIVED_ILLEGAL_VECTOR);
            return;
        }
        int index = vector >> 5;
        int bit = 1 << (vector & 31);
        irr[index] |= bit;
        tmr[index] = level ? tmr[index] | bit : tmr[index] & ~bit;
        if (vector >> 4 > ppr >> 4) {
            core.post(Requests.INTERRUPT);
        }
    }

    // Interrupts out

    private static int highest(int[] vectors) {
        for (int i = 7; i >= 0; i--) {
            if (vectors[i] != 0) {
                return 32 * i + 31 - Integer.numberOfLeadingZeros(vectors[i]);
            }
        }
        return -1;
    }

    /** 16.6.4: the higher of task priority and the priority in service. */
    private void updatePpr() {
        int inService = Math.max(0, highest(isr)) & 0xf0;
        ppr = (tpr & 0xf0) >= inService ? tpr : inService;
    }

    private void requestIfDeliverable() {
        if (externalPending() || Math.max(0, highest(irr)) >> 4 > ppr >> 4) {
            core.post(Requests.INTERRUPT);
        }
    }

    private boolean externalPending() {
        return externalMessage
                || lint0Level && (lvt[LINT0] & LVT_MASK) == 0 && mode(LINT0) == ApicBus.EXTERNAL;
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
        int vector = highest(irr);
        if (vector >> 4 <= ppr >> 4) {
            return NONE;
        }
        int bit = 1 << (vector & 31);
        irr[vector >> 5] &= ~bit;
        isr[vector >> 5] |= bit;
        updatePpr();
        requestIfDeliverable();
        return vector;
    }

    /**
     * @return the vector if its end must be told to the I/O APIC, else -1
     */
    private synchronized int endOfInterrupt() {
        int vector = highest(isr);
        if (vector < 0) {
            return -1;
        }
        int bit = 1 << (vector & 31);
        isr[vector >> 5] &= ~bit;
        updatePpr();
        if ((tmr[vector >> 5] & bit) == 0) {
            requestIfDeliverable();
            return -1;
        }
        endLint(LINT0, vector, lint0Level);
        endLint(LINT1, vector, lint1Level);
        requestIfDeliverable();
        return vector;
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

    // Destinations (16.6.1)

    synchronized boolean matches(int destination, boolean logical) {
        if (destination == 0xff) {
            return true;
        }
        if (!logical) {
            return destination == id;
        }
        int own = ldr >>> 24;
        if (dfr >>> 28 == 0xf) {
            return (own & destination) != 0;
        }
        return (own >> 4 == destination >> 4 || destination >> 4 == 0xf)
                && (own & destination & 0xf) != 0;
    }

    /** For the arbitration of lowest priority; disabled ones lose. */
    synchronized int arbitrationPriority() {
        return (svr & SVR_ENABLE) == 0 ? 0x100 : Math.max(ppr, Math.max(0, highest(irr)));
    }

    synchronized SavedState save() {
        return new SavedState("local-apic", 1)
                .put("id", id)
                .put("tpr", tpr)
                .put("ldr", ldr)
                .put("dfr", dfr)
                .put("svr", svr)
                .put("icr-low", icrLow)
                .put("icr-high", icrHigh)
                .put("esr", esr)
                .put("errors", errors)
                .put("isr", isr)
                .put("tmr", tmr)
                .put("irr", irr)
                .put("lvt", lvt)
                .put("lint0", lint0Level)
                .put("lint1", lint1Level)
                .put("external-message", externalMessage)
                .put("timer", timer.save());
    }

    synchronized void restore(SavedState state) {
        state.require("local-apic", 1);
        id = state.getInt("id") & 0xff;
        tpr = state.getInt("tpr") & 0xff;
        ldr = state.getInt("ldr");
        dfr = state.getInt("dfr");
        svr = state.getInt("svr");
        icrLow = state.getInt("icr-low");
        icrHigh = state.getInt("icr-high");
        esr = state.getInt("esr");
        errors = state.getInt("errors");
        copy(state, "isr", isr);
        copy(state, "tmr", tmr);
        copy(state, "irr", irr);
        copy(state, "lvt", lvt);
        lint0Level = state.getBoolean("lint0");
        lint1Level = state.getBoolean("lint1");
        externalMessage = state.getBoolean("external-message");
        timer.restore(state.getState("timer"));
        updatePpr();
        requestIfDeliverable();
    }

    private static void copy(SavedState state, String name, int[] into) {
        int[] from = state.getInts(name);
        if (from.length != into.length) {
            throw new IncompatibleStateException(
                    "saved state of apic: '"
                            + name
                            + "' has "
                            + from.length
                            + " words, wanted "
                            + into.length);
        }
        System.arraycopy(from, 0, into, 0, into.length);
    }

    synchronized void close() {
        timer.close();
    }
}
