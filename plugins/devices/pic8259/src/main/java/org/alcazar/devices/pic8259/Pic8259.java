package org.alcazar.devices.pic8259;

import org.alcazar.machine.SavedState;

/**
 * One 8259A (Intel data sheet 231468-003, December 1988). Not thread-safe: {@link PicPair} holds
 * the lock.
 *
 * <p>Whether an input is edge or level triggered is chosen for each one in ELCR, as in the PIIX3
 * south bridge; LTIM in ICW1 is ignored there.
 */
final class Pic8259 {
    static final int ICW1 = 0x10, ICW1_IC4 = 1, ICW1_SINGLE = 2;
    static final int ICW4_AEOI = 2, ICW4_SFNM = 0x10;
    static final int OCW3 = 0x08,
            OCW3_RIS = 1,
            OCW3_RR = 2,
            OCW3_POLL = 4,
            OCW3_SMM = 0x20,
            OCW3_ESMM = 0x40;
    static final int OCW2_LEVEL = 7, OCW2_COMMAND = 0xe0;

    /** Commands in OCW2: R, SL and EOI. */
    static final int CLEAR_AUTO_ROTATE = 0x00,
            EOI = 0x20,
            SPECIFIC_EOI = 0x60,
            SET_AUTO_ROTATE = 0x80;

    static final int ROTATE_EOI = 0xa0, SET_PRIORITY = 0xc0, ROTATE_SPECIFIC_EOI = 0xe0;

    /** Initialisation: which word the data port takes next. */
    private static final int NOT_STARTED = 0,
            READY = 1,
            WANTS_ICW2 = 2,
            WANTS_ICW3 = 3,
            WANTS_ICW4 = 4;

    private final int levelCapable;

    private int step;
    private int icw1;
    private int icw2;
    private int icw3;
    private int icw4;
    private int irr;
    private int isr;
    private int imr;
    private int elcr;

    /** Input levels. */
    private int inputs;

    /** The level with the lowest priority; the next one has the highest. */
    private int lowest;

    private boolean readIsr;
    private boolean poll;
    private boolean specialMask;
    private boolean autoRotate;

    /**
     * @param levelCapable inputs that ELCR may make level-triggered
     */
    Pic8259(int levelCapable) {
        this.levelCapable = levelCapable;
    }

    void reset(int initialElcr) {
        step = NOT_STARTED;
        imr = 0xff; // undefined on the chip; firmware leaves all masked
        elcr = initialElcr & levelCapable;
        icw1 = 0;
        icw2 = 0;
        icw3 = 0;
        startInitialisation();
    }

    private void startInitialisation() {
        isr = 0;
        irr = inputs & elcr; // the edge sense is reset: a new edge must come (ICW1, a)
        lowest = 7;
        readIsr = false;
        poll = false;
        specialMask = false;
        autoRotate = false;
        icw4 = 0;
    }

    void setInput(int level, boolean high) {
        int bit = 1 << level;
        if (high) {
            if ((inputs & bit) == 0 || (elcr & bit) != 0) {
                irr |= bit;
            }
            inputs |= bit;
        } else {
            inputs &= ~bit;
            irr &= ~bit; // must stay high until the acknowledge
        }
    }

    boolean input(int level) {
        return (inputs & 1 << level) != 0;
    }

    boolean output() {
        return step == READY && pendingLevel() >= 0;
    }

    /** 0 is the highest. */
    private int priority(int level) {
        return level - lowest - 1 & 7;
    }

    private int highest(int levels) {
        for (int i = 1; i <= 8; i++) {
            int level = lowest + i & 7;
            if ((levels & 1 << level) != 0) {
                return level;
            }
        }
        return -1;
    }

    /** The level that would be acknowledged now, or -1. */
    private int pendingLevel() {
        int level = highest(irr & ~imr);
        if (level < 0) {
            return -1;
        }
        int blocking =
                specialMask ? isr & ~imr : isr; // a masked level in service blocks nobody then
        if ((icw4 & ICW4_SFNM) != 0) {
            blocking &= ~icw3; // further requests of the same slave get through
        }
        int inService = highest(blocking);
        return inService < 0 || priority(level) < priority(inService) ? level : -1;
    }

    /** Takes the most urgent request into service. @return its level, or -1 if there is none */
    int acknowledge() {
        int level = step == READY ? pendingLevel() : -1;
        if (level < 0) {
            return -1;
        }
        int bit = 1 << level;
        if ((elcr & bit) == 0) {
            irr &= ~bit;
        }
        if ((icw4 & ICW4_AEOI) == 0) {
            isr |= bit;
        } else if (autoRotate) {
            lowest = level;
        }
        return level;
    }

    /** The vector of a level; a missing one gives that of level 7. */
    int vector(int level) {
        return icw2 & 0xf8 | (level < 0 ? 7 : level);
    }

    /** Whether a slave hangs on the input of this level. */
    boolean cascaded(int level) {
        return level >= 0 && (icw1 & ICW1_SINGLE) == 0 && (icw3 & 1 << level) != 0;
    }

    int readCommand() {
        if (poll) {
            poll = false;
            int level = acknowledge();
            return level < 0 ? 0 : 0x80 | level;
        }
        return readIsr ? isr : irr;
    }

    int readData() {
        if (poll) {
            return readCommand();
        }
        return imr;
    }

    void writeCommand(int value) {
        if ((value & ICW1) != 0) {
            icw1 = value;
            imr = 0;
            startInitialisation();
            step = WANTS_ICW2;
        } else if ((value & OCW3) != 0) {
            writeOcw3(value);
        } else {
            writeOcw2(value);
        }
    }

    private void writeOcw3(int value) {
        if ((value & OCW3_RR) != 0) {
            readIsr = (value & OCW3_RIS) != 0;
        }
        poll = (value & OCW3_POLL) != 0;
        if ((value & OCW3_ESMM) != 0) {
            specialMask = (value & OCW3_SMM) != 0;
        }
    }

    private void writeOcw2(int value) {
        int level = value & OCW2_LEVEL;
        switch (value & OCW2_COMMAND) {
            case CLEAR_AUTO_ROTATE -> autoRotate = false;
            case SET_AUTO_ROTATE -> autoRotate = true;
            case SET_PRIORITY -> lowest = level;
            case SPECIFIC_EOI -> isr &= ~(1 << level);
            case ROTATE_SPECIFIC_EOI -> {
                isr &= ~(1 << level);
                lowest = level;
            }
            case EOI -> endHighest(false);
            case ROTATE_EOI -> endHighest(true);
            default -> {} // 010: no operation
        }
    }

    private void endHighest(boolean rotate) {
        int level = highest(specialMask ? isr & ~imr : isr);
        if (level >= 0) {
            isr &= ~(1 << level);
            if (rotate) {
                lowest = level;
            }
        }
    }

    void writeData(int value) {
        switch (step) {
            case WANTS_ICW2 -> {
                icw2 = value;
                step = (icw1 & ICW1_SINGLE) == 0 ? WANTS_ICW3 : afterIcw3();
            }
            case WANTS_ICW3 -> {
                icw3 = value;
                step = afterIcw3();
            }
            case WANTS_ICW4 -> {
                icw4 = value;
                step = READY;
            }
            default -> imr = value;
        }
    }

    private int afterIcw3() {
        return (icw1 & ICW1_IC4) != 0 ? WANTS_ICW4 : READY;
    }

    int elcr() {
        return elcr;
    }

    void writeElcr(int value) {
        elcr = value & levelCapable;
        irr = irr & ~elcr | inputs & elcr;
    }

    SavedState save() {
        return new SavedState("pic8259-chip", 1)
                .put("step", step)
                .put("icw1", icw1)
                .put("icw2", icw2)
                .put("icw3", icw3)
                .put("icw4", icw4)
                .put("irr", irr)
                .put("isr", isr)
                .put("imr", imr)
                .put("elcr", elcr)
                .put("inputs", inputs)
                .put("lowest", lowest)
                .put("read-isr", readIsr)
                .put("poll", poll)
                .put("special-mask", specialMask)
                .put("auto-rotate", autoRotate);
    }

    void restore(SavedState state) {
        state.require("pic8259-chip", 1);
        step = state.getInt("step");
        icw1 = state.getInt("icw1");
        icw2 = state.getInt("icw2");
        icw3 = state.getInt("icw3");
        icw4 = state.getInt("icw4");
        irr = state.getInt("irr") & 0xff;
        isr = state.getInt("isr") & 0xff;
        imr = state.getInt("imr") & 0xff;
        elcr = state.getInt("elcr") & 0xff;
        inputs = state.getInt("inputs") & 0xff;
        lowest = state.getInt("lowest") & 7;
        readIsr = state.getBoolean("read-isr");
        poll = state.getBoolean("poll");
        specialMask = state.getBoolean("special-mask");
        autoRotate = state.getBoolean("auto-rotate");
    }
}
