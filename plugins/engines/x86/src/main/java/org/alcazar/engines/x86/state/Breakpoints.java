package org.alcazar.engines.x86.state;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;

/**
 * The breakpoints of DR0 to DR3, the record of branches (APM volume 2, 13.1), and a debugger's
 * breakpoints in the control block. They cost nothing while there are none; else the run loop
 * executes instructions one by one, and the MMU reports every data access if one of them watches
 * data.
 */
public final class Breakpoints {
    private static final int EXECUTE = 0, WRITE = 1, PORT = 2, ACCESS = 3;

    /** Bits of DEBUG_CTL. */
    private static final long RECORD = 1, STEP_TRANSFERS = 2;

    private static final int[] BYTES = {1, 2, 8, 4};

    /** {@link #passAt}: no instruction passes. */
    private static final long NONE = -1;

    private final Cpu cpu;

    /** How many a debugger has set. */
    private int debuggers;

    /** The debugger's are not looked at while {@link Cpu#retired} is this. */
    private long passAt = NONE;

    /** Breakpoints that the instruction in execution has hit, bits as in DR6. */
    private int hits;

    Breakpoints(Cpu cpu) {
        this.cpu = cpu;
    }

    /** Whether DR7 enables any, or transfers of control are recorded or stepped. */
    public boolean armed() {
        return (cpu.dr[7] & 0xff | cpu.msr[X86.DEBUG_CTL] | debuggers) != 0;
    }

    /** A run begins: takes over what the debugger wants. */
    public void enter() {
        debuggers = cpu.block.breakpoints.length;
        passAt = cpu.block.passBreakpoint ? cpu.retired : NONE;
    }

    /** A run ends. */
    public void leave() {
        cpu.block.passBreakpoint = cpu.retired == passAt;
    }

    /** An event was taken: what comes next is no more what the debugger has let pass. */
    public void forgetPass() {
        passAt = NONE;
    }

    /** Whether a debugger wants the core to leave before the instruction at a linear address. */
    public boolean debugged(long linear) {
        return debuggers != 0 && cpu.retired != passAt && cpu.block.breaksAt(linear);
    }

    /** Whether transfers of control have to be told from other instructions. */
    public boolean watchTransfers() {
        return cpu.msr[X86.DEBUG_CTL] != 0;
    }

    /** Whether single steps are those from one transfer of control to the next (13.1.6.2). */
    public boolean stepsTransfers() {
        return (cpu.msr[X86.DEBUG_CTL] & STEP_TRANSFERS) != 0;
    }

    /** A transfer of control, from the offset of the instruction to that of the target. */
    public void transfer(long from, long to) {
        if ((cpu.msr[X86.DEBUG_CTL] & RECORD) != 0) {
            cpu.msr[X86.LAST_BRANCH_FROM] = from;
            cpu.msr[X86.LAST_BRANCH_TO] = to;
        }
    }

    /**
     * An event has reached its handler: #DB ends recording and stepping and leaves the record as it
     * is, others are transfers themselves and keep a copy of the one before, but for #MC.
     *
     * @param from where the event came, if that is no instruction that is recorded by itself
     */
    public void event(boolean debug, boolean machineCheck, boolean software, long from, long to) {
        long control = cpu.msr[X86.DEBUG_CTL];
        if (control == 0) {
            return;
        }
        if (debug) {
            cpu.msr[X86.DEBUG_CTL] = 0;
            return;
        }
        if (!machineCheck && (control & RECORD) != 0) {
            cpu.msr[X86.LAST_INT_FROM] = cpu.msr[X86.LAST_BRANCH_FROM];
            cpu.msr[X86.LAST_INT_TO] = cpu.msr[X86.LAST_BRANCH_TO];
        }
        if (!software) {
            transfer(from, to);
        }
    }

    private boolean enabled(int n) {
        return (cpu.dr[7] >>> 2 * n & 3) != 0;
    }

    private int kind(int n) {
        return (int) (cpu.dr[7] >>> 16 + 4 * n) & 3;
    }

    /** Whether data accesses have to be reported. */
    public boolean watchData() {
        for (int n = 0; n < 4; n++) {
            if (enabled(n) && (kind(n) & WRITE) != 0) {
                return true;
            }
        }
        return false;
    }

    /** Those that an instruction at a linear address hits before it is executed, as in DR6. */
    public int execution(long linear) {
        int found = 0;
        for (int n = 0; n < 4; n++) {
            if (enabled(n) && kind(n) == EXECUTE && address(n) == linear) {
                found |= 1 << n;
            }
        }
        return found;
    }

    private long address(int n) {
        return cpu.longMode() ? cpu.dr[n] : cpu.dr[n] & 0xffff_ffffL;
    }

    /** A data access has taken place. */
    public void data(long la, int bytes, boolean write) {
        long linear = cpu.longMode() ? la : la & 0xffff_ffffL;
        for (int n = 0; n < 4; n++) {
            int kind = kind(n);
            if (enabled(n) && (kind == ACCESS || kind == WRITE && write)) {
                test(n, linear, bytes);
            }
        }
    }

    /** A port has been accessed; CR4.DE lets breakpoints watch these. */
    public void port(int port, int bytes) {
        if ((cpu.cr4 & Bits.CR4_DE) == 0) {
            return;
        }
        for (int n = 0; n < 4; n++) {
            if (enabled(n) && kind(n) == PORT) {
                test(n, port, bytes);
            }
        }
    }

    private void test(int n, long at, int bytes) {
        int watched = BYTES[(int) (cpu.dr[7] >>> 18 + 4 * n) & 3];
        long first = address(n) & -watched;
        if (at - first < watched && first - at < bytes) {
            hits |= 1 << n;
        }
    }

    /** Those hit since the last call, as in DR6. */
    public int take() {
        int found = hits;
        hits = 0;
        return found;
    }
}
