package org.alcazar.platforms.pc.api;

/** The keyboard as whoever presses its keys sees it. */
public interface Keyboard {
    /**
     * Bytes that the keyboard sends for one key press or release, in scan code set 2, such as
     * {@code 0x1c} for A pressed and {@code 0xf0, 0x1c} for A let go. All of them or none are
     * taken.
     *
     * @return false if the keyboard's buffer is full or the guest has not enabled it
     */
    boolean press(int... codes);
}
