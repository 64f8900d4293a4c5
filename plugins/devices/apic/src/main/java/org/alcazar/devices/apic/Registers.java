package org.alcazar.devices.apic;

/**
 * Offsets and bits of a local APIC's registers (APM volume 2, table 16-2 and the figures of 16.3 to
 * 16.6).
 */
final class Registers {
    static final int ID = 0x20,
            VERSION_REGISTER = 0x30,
            TPR = 0x80,
            APR = 0x90,
            PPR = 0xa0,
            EOI = 0xb0;
    static final int RRR = 0xc0,
            LDR = 0xd0,
            DFR = 0xe0,
            SVR = 0xf0,
            ISR = 0x100,
            TMR = 0x180,
            IRR = 0x200;
    static final int ESR = 0x280,
            ICR_LOW = 0x300,
            ICR_HIGH = 0x310,
            LVT_TIMER = 0x320,
            LVT_THERMAL = 0x330;
    static final int LVT_PERFORMANCE = 0x340,
            LVT_LINT0 = 0x350,
            LVT_LINT1 = 0x360,
            LVT_ERROR = 0x370;
    static final int TIMER_INITIAL = 0x380, TIMER_CURRENT = 0x390, TIMER_DIVIDE = 0x3e0;
    static final int LVT_VECTOR = 0xff,
            LVT_MODE = 0x700,
            LVT_MODE_SHIFT = 8,
            LVT_POLARITY = 1 << 13;
    static final int LVT_REMOTE_IRR = 1 << 14,
            LVT_LEVEL = 1 << 15,
            LVT_MASK = 1 << 16,
            LVT_PERIODIC = 1 << 17;
    static final int SVR_ENABLE = 1 << 8, SVR_FOCUS = 1 << 9;
    static final int ICR_LOGICAL = 1 << 11,
            ICR_ASSERT = 1 << 14,
            ICR_LEVEL = 1 << 15,
            ICR_MODE_SHIFT = 8;
    static final int ICR_SHORTHAND_SHIFT = 18, ICR_WRITABLE = 0x000c_cfff;
    static final int TO_SELF = 1, TO_ALL = 2, TO_OTHERS = 3;
    static final int ESR_SENT_ILLEGAL_VECTOR = 1 << 5, ESR_RECEIVED_ILLEGAL_VECTOR = 1 << 6;
    static final int ESR_ILLEGAL_REGISTER = 1 << 7;

    private Registers() {}
}
