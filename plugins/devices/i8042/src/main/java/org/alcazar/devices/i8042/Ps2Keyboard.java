package org.alcazar.devices.i8042;

import org.alcazar.machine.SavedState;
import org.alcazar.vmm.Counter;

/**
 * A keyboard with the PS/2 command set (IBM Personal System/2 Hardware Interface Technical
 * Reference, "Keyboard (101- and 102-Key)"). What it sends waits in two queues: answers to
 * commands, which go first, and codes of keys.
 */
final class Ps2Keyboard {
    /** Codes that wait while the host does not listen; answers need no place among them. */
    static final int BUFFER = 16;

    static final int SET_LEDS = 0xed;
    static final int ECHO = 0xee;
    static final int SCAN_CODE_SET = 0xf0;
    static final int IDENTIFY = 0xf2;
    static final int TYPEMATIC = 0xf3;
    static final int ENABLE = 0xf4;
    static final int DEFAULT_DISABLE = 0xf5;
    static final int SET_DEFAULT = 0xf6;

    /** To 0xfa: what every key reports, in set 3. */
    static final int ALL_KEYS = 0xf7;

    /** To 0xfd: what the keys that follow report, in set 3. */
    static final int SOME_KEYS = 0xfb;

    static final int RESEND = 0xfe;
    static final int RESET = 0xff;

    static final int ACK = 0xfa;

    /** Basic assurance test passed. */
    static final int BAT_OK = 0xaa;

    static final int ID_FIRST = 0xab;
    static final int ID_SECOND = 0x83;

    /** Arguments of commands lie below this, commands above. */
    private static final int FIRST_COMMAND = 0x80;

    private static final int NOTHING = 0;
    private static final int ANSWER_MAX = 3;
    private static final int DEFAULT_TYPEMATIC = 0x2b; // 10.9 per second after 500 ms
    private static final int DEFAULT_SET = 2;
    private static final String TYPE = "i8042-keyboard";

    private final Counter unknown;
    private final ByteQueue answers = new ByteQueue(ANSWER_MAX);
    private final ByteQueue keys = new ByteQueue(BUFFER);
    private boolean scanning;

    /** Lit lamps: bit 0 scroll lock, 1 num lock, 2 caps lock. */
    private int leds;

    private int typematic;
    private int set;

    /** The command whose argument comes next. */
    private int awaiting;

    private int lastSent;

    Ps2Keyboard(Counter unknown) {
        this.unknown = unknown;
        reset();
    }

    /** Power-on, after its test has passed and the host has taken the answer. */
    void reset() {
        leds = 0;
        awaiting = NOTHING;
        lastSent = BAT_OK;
        answers.clear();
        defaults();
        scanning = true;
    }

    private void defaults() {
        typematic = DEFAULT_TYPEMATIC;
        set = DEFAULT_SET;
        keys.clear();
    }

    /** A byte from the host; the host's word ends any answer that still waits. */
    void write(int octet) {
        answers.clear();
        if (awaiting != NOTHING && octet < FIRST_COMMAND) {
            argument(octet);
        } else {
            awaiting = NOTHING;
            command(octet);
        }
    }

    private void argument(int octet) {
        int command = awaiting;
        if (command < SOME_KEYS) { // a list of keys ends with the next command
            awaiting = NOTHING;
        }
        switch (command) {
            case SET_LEDS -> leds = octet & 7;
            case TYPEMATIC -> typematic = octet;
            case SCAN_CODE_SET -> {
                if (octet > DEFAULT_SET) {
                    refuse();
                    return;
                }
                if (octet != 0) {
                    set = octet;
                    keys.clear();
                    break;
                }
                answers.add(ACK);
                answers.add(set);
                return;
            }
            default -> {}
        }
        answers.add(ACK);
    }

    private void command(int octet) {
        switch (octet) {
            case ECHO -> answers.add(ECHO);
            case RESEND -> answers.add(lastSent);
            case SET_LEDS, SCAN_CODE_SET, TYPEMATIC, SOME_KEYS, SOME_KEYS + 1, SOME_KEYS + 2 -> {
                awaiting = octet;
                answers.add(ACK);
            }
            case IDENTIFY -> {
                answers.add(ACK);
                answers.add(ID_FIRST);
                answers.add(ID_SECOND);
            }
            case ENABLE -> {
                keys.clear();
                scanning = true;
                answers.add(ACK);
            }
            case DEFAULT_DISABLE -> {
                defaults();
                scanning = false;
                answers.add(ACK);
            }
            case SET_DEFAULT -> {
                defaults();
                answers.add(ACK);
            }
            case ALL_KEYS, ALL_KEYS + 1, ALL_KEYS + 2, ALL_KEYS + 3 -> answers.add(ACK);
            case RESET -> {
                reset();
                answers.add(ACK);
                answers.add(BAT_OK);
            }
            default -> refuse();
        }
    }

    private void refuse() {
        unknown.increment();
        answers.add(RESEND);
    }

    /**
     * Codes of set 2 for a key.
     *
     * @return false if they were not taken
     */
    boolean press(int... codes) {
        if (!scanning || keys.room() < codes.length) {
            return false;
        }
        int released = 0;
        for (int code : codes) {
            if (set == DEFAULT_SET) {
                keys.add(code);
            } else if (code == ScanCodes.BREAK) {
                released = ScanCodes.RELEASED;
            } else {
                keys.add(ScanCodes.translate(code & 0xff) | released);
                released = 0;
            }
        }
        return true;
    }

    boolean hasByte() {
        return !answers.empty() || !keys.empty();
    }

    int take() {
        lastSent = answers.empty() ? keys.take() : answers.take();
        return lastSent;
    }

    SavedState save() {
        return new SavedState(TYPE, 1)
                .put("scanning", scanning)
                .put("leds", leds)
                .put("typematic", typematic)
                .put("set", set)
                .put("awaiting", awaiting)
                .put("last-sent", lastSent)
                .put("answers", answers.contents())
                .put("keys", keys.contents());
    }

    void restore(SavedState state) {
        state.require(TYPE, 1);
        scanning = state.getBoolean("scanning");
        leds = state.getInt("leds");
        typematic = state.getInt("typematic");
        set = state.getInt("set");
        awaiting = state.getInt("awaiting");
        lastSent = state.getInt("last-sent");
        answers.load(state.getBytes("answers"));
        keys.load(state.getBytes("keys"));
    }
}
