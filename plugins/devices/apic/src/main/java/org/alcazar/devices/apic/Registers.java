package org.alcazar.devices.apic;

/**
 * Offsets and bits of a local APIC's registers (APM volume 2, table 16-2 and the figures of 16.3 to
 * 16.6). The model-specific registers of x2APIC mode are numbered by the same offsets (16.9.2).
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

    /** In x2APIC mode only. */
    static final int SELF_IPI = 0x3f0;

    /** First of the model-specific registers of x2APIC mode; offset 16 n is at this plus n. */
    static final int X2APIC_MSR = 0x800, X2APIC_MSRS = 0x100;

    /** Model-specific register of the timer's deadline. */
    static final int TSC_DEADLINE_MSR = 0x6e0;

    static final long BASE_BOOT_CORE = 1 << 8, BASE_X2APIC = 1 << 10, BASE_ENABLE = 1 << 11;
    static final long BASE_ADDRESS = 0x000f_ffff_ffff_f000L;

    static final int LVT_VECTOR = 0xff,
            LVT_MODE = 0x700,
            LVT_MODE_SHIFT = 8,
            LVT_STATUS = 1 << 12,
            LVT_POLARITY = 1 << 13;
    static final int LVT_REMOTE_IRR = 1 << 14,
            LVT_LEVEL = 1 << 15,
            LVT_MASK = 1 << 16,
            LVT_PERIODIC = 1 << 17,
            LVT_DEADLINE = 1 << 18;

    /** The timer's mode: one of {@link ApicTimer#ONE_SHOT} and its like. */
    static final int LVT_TIMER_MODE = 3 << 17, LVT_TIMER_MODE_SHIFT = 17;

    static final int SVR_ENABLE = 1 << 8, SVR_FOCUS = 1 << 9;
    static final int SVR_WRITABLE = SVR_ENABLE | SVR_FOCUS | 0xff;
    static final int ICR_LOGICAL = 1 << 11,
            ICR_ASSERT = 1 << 14,
            ICR_LEVEL = 1 << 15,
            ICR_MODE_SHIFT = 8;
    static final int ICR_SHORTHAND_SHIFT = 18, ICR_WRITABLE = 0x000c_cfff;

    /** What came of a remote read: it is done and its data valid. */
    static final int ICR_REMOTE_VALID = 2 << 16;

    static final int TO_SELF = 1, TO_ALL = 2, TO_OTHERS = 3;

    /** A delivery mode that is the APICs' own. */
    static final int REMOTE_READ = 3;

    static final int ESR_SEND_ACCEPT = 1 << 2;
    static final int ESR_SENT_ILLEGAL_VECTOR = 1 << 5, ESR_RECEIVED_ILLEGAL_VECTOR = 1 << 6;
    static final int ESR_ILLEGAL_REGISTER = 1 << 7;

    private Registers() {}
}
