package org.alcazar.engines.x86.semantics;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.Cpu;

/**
 * Machine-check registers (APM volume 2, 9.3): banks that report nothing by themselves. A VMM fills
 * them through the register group before it injects #MC.
 */
final class MachineCheck {
    static final int NONE = -1;

    /** MCG_CTL is there, and so many banks. */
    private static final long CAPABILITIES = 1 << 8 | X86.MC_BANKS;

    private static final int CAP = 0x179, STATUS = 0x17a, CTL = 0x17b, BANK0 = 0x400;
    private static final int CTL_MASK0 = 0xc001_0044;

    /** Restart and error address valid, machine check in progress. */
    private static final long STATUS_BITS = 7;

    /** HWCR: status registers take any value. */
    private static final long STATUS_WRITE = 1 << 18;

    private MachineCheck() {}

    /** Index in the register group MSRS, or {@link #NONE}. */
    static int place(int number) {
        if (number >= BANK0 && number < BANK0 + 4 * X86.MC_BANKS) {
            return X86.MC0_CTL + number - BANK0;
        }
        if (number >= CTL_MASK0 && number < CTL_MASK0 + X86.MC_BANKS) {
            return X86.MC_CTL_MASK0 + number - CTL_MASK0;
        }
        return number == STATUS ? X86.MCG_STATUS : number == CTL ? X86.MCG_CTL : NONE;
    }

    static boolean isCapabilities(int number) {
        return number == CAP;
    }

    static long capabilities() {
        return CAPABILITIES;
    }

    static void write(Cpu cpu, int place, long value) {
        boolean bank = place >= X86.MC0_CTL && place < X86.MC_CTL_MASK0;
        boolean status = bank && (place - X86.MC0_CTL & 3) == 1;
        boolean refused =
                place == X86.MCG_STATUS
                        ? (value & ~STATUS_BITS) != 0
                        : status && value != 0 && (cpu.msr[X86.HWCR] & STATUS_WRITE) == 0;
        if (refused) {
            throw cpu.generalProtection(0);
        }
        cpu.msr[place] = value;
    }
}
