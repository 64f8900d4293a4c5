package org.alcazar.devices.apic;

import static org.alcazar.devices.apic.Registers.*;

/**
 * What is there in x2APIC mode (APM volume 2, 16.9.2; Intel SDM volume 3, 11.12.1): anything else
 * raises #GP(0). Registers are named by their offsets in xAPIC mode.
 */
final class X2apic {
    private X2apic() {}

    /** The arbitration priority, remote read, DFR and the high half of ICR are xAPIC mode's. */
    static boolean readable(int register) {
        return switch (register) {
            case ID,
                    VERSION_REGISTER,
                    TPR,
                    PPR,
                    LDR,
                    SVR,
                    ESR,
                    ICR_LOW,
                    LVT_TIMER,
                    LVT_THERMAL,
                    LVT_PERFORMANCE,
                    LVT_LINT0,
                    LVT_LINT1,
                    LVT_ERROR,
                    TIMER_INITIAL,
                    TIMER_CURRENT,
                    TIMER_DIVIDE ->
                    true;
            default -> register >= ISR && register < IRR + 0x80;
        };
    }

    /** Bits of a register that may be written as ones: none of one that can't be written. */
    private static long bits(int register) {
        return switch (register) {
            case TPR, SELF_IPI -> 0xff;
            case SVR -> SVR_WRITABLE;
            case ICR_LOW -> 0xffff_ffffL << 32 | ICR_WRITABLE;
            case LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR ->
                    LocalApic.LVT_WRITABLE[register - LVT_TIMER >> 4]
                            | LVT_STATUS
                            | LVT_REMOTE_IRR; // read-only, not reserved
            case TIMER_INITIAL -> 0xffff_ffffL;
            case TIMER_DIVIDE -> ApicTimer.DIVIDE_MASK;
            default -> 0;
        };
    }

    static boolean writable(int register, long value) {
        return (value & ~bits(register)) == 0
                && (bits(register) != 0 || register == EOI || register == ESR);
    }
}
