package org.alcazar.devices.uart16550;

import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;
import org.alcazar.vmm.device.CharacterBackend;
import org.alcazar.vmm.device.Device;

/**
 * A PC16550D UART (National Semiconductor, June 1995; section numbers are those of its data sheet).
 * Sending takes no time; received bytes wait in a bounded buffer outside the chip until its FIFO
 * has room, so that outside input never overruns.
 *
 * <p>Lock: this object; interrupt controllers and the backend are called under it.
 */
final class Uart16550 implements Device, ByteDevice {
    static final int PORTS = 8;

    /** Bytes that wait outside the chip; more are dropped and counted. */
    static final int BACKLOG = 16 * 1024;

    static final int FIFO = 16;

    /** Registers (8.0); DLL and DLM take the first two places while LCR.DLAB is set. */
    static final int RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5;

    static final int MSR = 6, SCR = 7, DLL = 0, DLM = 1;
    static final int IER_ERBFI = 1, IER_ETBEI = 2, IER_ELSI = 4, IER_EDSSI = 8, IER_MASK = 0x0f;

    /** Interrupt identification, most urgent first (table IV). */
    static final int IIR_LINE_STATUS = 6, IIR_DATA = 4, IIR_TIMEOUT = 12, IIR_THR_EMPTY = 2;

    static final int IIR_MODEM = 0, IIR_NONE = 1, IIR_FIFO = 0xc0;
    static final int FCR_ENABLE = 1, FCR_CLEAR_RECEIVER = 2, FCR_CLEAR_SENDER = 4;
    static final int LCR_WORD = 3, LCR_STOP = 4, LCR_PARITY = 8, LCR_BREAK = 0x40, LCR_DLAB = 0x80;
    static final int MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10;
    static final int LSR_DR = 1, LSR_OE = 2, LSR_BI = 0x10, LSR_THRE = 0x20, LSR_TEMT = 0x40;
    static final int LSR_FIFO_ERROR = 0x80, LSR_ERRORS = 0x1e;
    static final int MSR_DCTS = 1, MSR_TERI = 4, MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40;
    static final int MSR_DCD = 0x80;

    /** Modem inputs outside loopback: somebody is at the other end and always ready. */
    private static final int CONNECTED = MSR_CTS | MSR_DSR | MSR_DCD;

    private static final long CRYSTAL = 1_843_200;
    private static final int VERSION = 1;

    private final GuestClock clock;
    private final InterruptLine line;
    private final CharacterBackend backend;
    private final Counter dropped;
    private final GuestTimer timer;

    private final Ring backlog = new Ring(BACKLOG);
    private final Ring fifo = new Ring(FIFO);

    /** Line status errors of the bytes in {@link #fifo}. */
    private final Ring errors = new Ring(FIFO);

    private int ier;
    private int fcr;
    private int lcr;
    private int mcr;
    private int scr;
    private int divisor;

    /** Upper half of MSR, and its delta bits. */
    private int modem;

    private int modemDelta;

    /**
     * OE and the errors of the byte at the FIFO's head, as the line status interrupt and LSR show
     * them until LSR is read.
     */
    private int lineErrors;

    /** A THR-empty interrupt waits; reading IIR while it is the cause takes it back. */
    private boolean thrEmpty;

    /** No byte came or went for four character times, while the FIFO held some. */
    private boolean timedOut;

    /** When the timer fires, while it is armed. */
    private long timeoutAt;

    private boolean asserted;

    Uart16550(GuestClock clock, InterruptLine line, CharacterBackend backend, Counter dropped) {
        this.clock = clock;
        this.line = line;
        this.backend = backend;
        this.dropped = dropped;
        timer = clock.timer("uart16550 timeout", this::timeout);
        clear();
    }

    private void clear() {
        ier = 0;
        fcr = 0;
        lcr = 0;
        mcr = 0;
        scr = 0;
        divisor = 12; // 9600 baud, as firmware leaves it; the chip itself defines no value
        modem = CONNECTED;
        modemDelta = 0;
        lineErrors = 0;
        thrEmpty = false;
        clearReceiver();
    }

    @Override
    public synchronized void reset() {
        clear();
        update();
    }

    /** A byte from outside. */
    synchronized void receive(int octet) {
        if (backlog.full()) {
            dropped.increment();
        } else {
            backlog.add(octet);
        }
        refill();
        update();
    }

    @Override
    public synchronized int readByte(int offset) {
        return switch (offset) {
            case RBR -> latchAccess() ? divisor & 0xff : readData();
            case IER -> latchAccess() ? divisor >> 8 : ier;
            case IIR -> readIdentification();
            case LCR -> lcr;
            case MCR -> mcr;
            case LSR -> readLineStatus();
            case MSR -> readModemStatus();
            case SCR -> scr;
            default -> 0xff;
        };
    }

    @Override
    public synchronized void writeByte(int offset, int value) {
        switch (offset) {
            case THR -> {
                if (latchAccess()) {
                    divisor = divisor & 0xff00 | value;
                } else {
                    send(value);
                }
            }
            case IER -> {
                if (latchAccess()) {
                    divisor = divisor & 0xff | value << 8;
                } else {
                    writeInterruptEnable(value & IER_MASK);
                }
            }
            case FCR -> writeFifoControl(value);
            case LCR -> writeLineControl(value);
            case MCR -> {
                mcr = value & 0x1f;
                modemInputs();
                refill();
            }
            case SCR -> scr = value;
            default -> {} // LSR and MSR: factory tests only
        }
        update();
    }

    private boolean latchAccess() {
        return (lcr & LCR_DLAB) != 0;
    }

    private int readData() {
        int value = fifo.empty() ? 0 : fifo.take();
        if (!errors.empty()) {
            errors.take();
        }
        timedOut = false;
        exposeErrors();
        refill();
        startTimeout();
        update();
        return value;
    }

    /** Errors show in LSR when their byte is at the top of the FIFO (8.4). */
    private void exposeErrors() {
        if (!errors.empty()) {
            lineErrors |= errors.peek();
            errors.setHead(0);
        }
    }

    private int readIdentification() {
        int cause = cause();
        if (cause == IIR_THR_EMPTY) {
            thrEmpty = false;
            update();
        }
        return cause | (fifoEnabled() ? IIR_FIFO : 0);
    }

    private int readLineStatus() {
        int value = LSR_THRE | LSR_TEMT | lineErrors | (fifo.empty() ? 0 : LSR_DR);
        if (fifoEnabled() && ((lineErrors & ~LSR_OE) != 0 || errors.any())) {
            value |= LSR_FIFO_ERROR;
        }
        lineErrors = 0;
        update();
        return value;
    }

    private int readModemStatus() {
        int value = modem | modemDelta;
        modemDelta = 0;
        update();
        return value;
    }

    private void writeInterruptEnable(int value) {
        if ((value & ~ier & IER_ETBEI) != 0) {
            thrEmpty = true; // the transmitter is always empty: enabling its interrupt requests one
        }
        ier = value;
    }

    private void writeFifoControl(int value) {
        if (((value ^ fcr) & FCR_ENABLE) != 0) {
            clearReceiver(); // a change of mode empties both FIFOs (8.5)
        }
        if ((value & FCR_ENABLE) == 0) {
            fcr = 0; // the other bits are taken only together with this one
            refill();
            return;
        }
        fcr = value & ~(FCR_CLEAR_RECEIVER | FCR_CLEAR_SENDER);
        if ((value & FCR_CLEAR_RECEIVER) != 0) {
            clearReceiver();
        }
        refill();
        startTimeout();
    }

    private void clearReceiver() {
        fifo.clear();
        errors.clear();
        timedOut = false;
        timeoutAt = 0;
        timer.cancel();
    }

    private void writeLineControl(int value) {
        boolean breakStarts = (value & ~lcr & LCR_BREAK) != 0;
        lcr = value;
        if (breakStarts && (mcr & MCR_LOOP) != 0) {
            accept(0, LSR_BI);
        }
    }

    private void send(int octet) {
        thrEmpty = true;
        if ((mcr & MCR_LOOP) != 0) {
            accept(octet, 0);
        } else if ((lcr & LCR_BREAK) == 0) {
            backend.write(octet);
        }
    }

    /** Loopback wires the modem outputs to the inputs (8.7). */
    private void modemInputs() {
        int now = CONNECTED;
        if ((mcr & MCR_LOOP) != 0) {
            now =
                    ((mcr & MCR_RTS) != 0 ? MSR_CTS : 0)
                            | ((mcr & MCR_DTR) != 0 ? MSR_DSR : 0)
                            | ((mcr & MCR_OUT1) != 0 ? MSR_RI : 0)
                            | ((mcr & MCR_OUT2) != 0 ? MSR_DCD : 0);
        }
        int changed = (modem ^ now) >> 4;
        int ringEnds = (modem & ~now & MSR_RI) != 0 ? MSR_TERI : 0; // only its trailing edge counts
        modemDelta |= changed & ~MSR_TERI | ringEnds;
        modem = now;
    }

    private boolean fifoEnabled() {
        return (fcr & FCR_ENABLE) != 0;
    }

    private int capacity() {
        return fifoEnabled() ? FIFO : 1;
    }

    private int trigger() {
        if (!fifoEnabled()) {
            return 1;
        }
        return switch (fcr >> 6) {
            case 0 -> 1;
            case 1 -> 4;
            case 2 -> 8;
            default -> 14;
        };
    }

    private void refill() {
        while (!backlog.empty() && fifo.size() < capacity() && (mcr & MCR_LOOP) == 0) {
            accept(backlog.take(), 0);
        }
    }

    /** A character has come in over the line. */
    private void accept(int octet, int error) {
        if (fifo.size() >= capacity()) {
            lineErrors |= LSR_OE;
            if (!fifoEnabled()) { // the holding register is overwritten, a full FIFO is not
                fifo.clear();
                errors.clear();
                fifo.add(octet);
                errors.add(error);
            }
        } else {
            fifo.add(octet);
            errors.add(error);
        }
        if (fifo.size() == 1) {
            exposeErrors();
        }
        startTimeout();
    }

    /** Four character times from the last arrival or reading (8.11). */
    private void startTimeout() {
        if (!fifoEnabled() || fifo.empty()) {
            timer.cancel();
            return;
        }
        if (fifo.size() < trigger() && !timedOut) {
            timeoutAt = clock.nanos() + 4 * characterNanos();
            timer.arm(timeoutAt);
        }
    }

    private long characterNanos() {
        int bits =
                1
                        + 5
                        + (lcr & LCR_WORD)
                        + ((lcr & LCR_PARITY) != 0 ? 1 : 0)
                        + ((lcr & LCR_STOP) != 0 ? 2 : 1);
        return bits * 16L * Math.max(1, divisor) * GuestClock.NANOS_PER_SECOND / CRYSTAL;
    }

    private synchronized void timeout() {
        timedOut = fifoEnabled() && !fifo.empty();
        update();
    }

    private int cause() {
        if ((ier & IER_ELSI) != 0 && (lineErrors & LSR_ERRORS) != 0) {
            return IIR_LINE_STATUS;
        }
        if ((ier & IER_ERBFI) != 0 && fifo.size() >= trigger()) {
            return IIR_DATA;
        }
        if ((ier & IER_ERBFI) != 0 && timedOut) {
            return IIR_TIMEOUT;
        }
        if ((ier & IER_ETBEI) != 0 && thrEmpty) {
            return IIR_THR_EMPTY;
        }
        return (ier & IER_EDSSI) != 0 && modemDelta != 0 ? IIR_MODEM : IIR_NONE;
    }

    private void update() {
        boolean active = cause() != IIR_NONE;
        if (active != asserted) {
            asserted = active;
            line.set(active);
        }
    }

    @Override
    public synchronized SavedState save() {
        return new SavedState("uart16550", VERSION)
                .put("ier", ier)
                .put("fcr", fcr)
                .put("lcr", lcr)
                .put("mcr", mcr)
                .put("scr", scr)
                .put("divisor", divisor)
                .put("modem", modem)
                .put("modem-delta", modemDelta)
                .put("line-errors", lineErrors)
                .put("thr-empty", thrEmpty)
                .put("timed-out", timedOut)
                .put("timeout-armed", timer.armed())
                .put("timeout-at", timeoutAt)
                .put("fifo", fifo.bytes())
                .put("fifo-errors", errors.bytes())
                .put("backlog", backlog.bytes());
    }

    @Override
    public synchronized void restore(SavedState state) {
        state.require("uart16550", VERSION);
        ier = state.getInt("ier") & IER_MASK;
        fcr = state.getInt("fcr");
        lcr = state.getInt("lcr");
        mcr = state.getInt("mcr");
        scr = state.getInt("scr");
        divisor = state.getInt("divisor");
        modem = state.getInt("modem");
        modemDelta = state.getInt("modem-delta");
        lineErrors = state.getInt("line-errors");
        thrEmpty = state.getBoolean("thr-empty");
        timedOut = state.getBoolean("timed-out");
        fifo.load(state.getBytes("fifo"));
        errors.load(state.getBytes("fifo-errors"));
        backlog.load(state.getBytes("backlog"));
        timeoutAt = state.getLong("timeout-at");
        timer.cancel();
        if (state.getBoolean("timeout-armed")) {
            timer.arm(timeoutAt);
        }
        asserted = cause() != IIR_NONE;
        line.set(asserted);
    }

    @Override
    public synchronized void close() {
        timer.close();
        backend.flush();
    }
}
