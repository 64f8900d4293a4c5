package org.alcazar.devices.pci;

import org.alcazar.platforms.pc.api.ApicBus;

/**
 * Interrupt messages of a PC: writes to the window of the local APICs (AMD64 APM volume 2, 16.11;
 * Intel SDM volume 3, 11.11).
 */
final class Message {
    private static final long WINDOW = 0xfee, WINDOW_SHIFT = 20;

    /** In the address. */
    private static final int DESTINATION_SHIFT = 12, REDIRECTION_HINT = 1 << 3, LOGICAL = 1 << 2;

    /** In the data. */
    private static final int MODE_SHIFT = 8, LEVEL = 1 << 15;

    private Message() {}

    static boolean isOne(long address) {
        return address >>> WINDOW_SHIFT == WINDOW;
    }

    /**
     * The hint has one core of several take the message. Without it the kind of destination would
     * not matter by the manual, but chipsets mind it, and kernels rely on that.
     */
    static void deliver(ApicBus bus, long address, int data) {
        int destination = (int) (address >> DESTINATION_SHIFT) & 0xff;
        boolean hint = (address & REDIRECTION_HINT) != 0;
        boolean logical = (address & LOGICAL) != 0;
        int mode = data >> MODE_SHIFT & 7;
        int sent = hint && mode == ApicBus.FIXED ? ApicBus.LOWEST_PRIORITY : mode;
        bus.deliver(destination, logical, sent, data & 0xff, (data & LEVEL) != 0);
    }
}
