package org.alcazar.engines.x86.state;

import static org.alcazar.engines.x86.api.Bits.AF;
import static org.alcazar.engines.x86.api.Bits.CF;
import static org.alcazar.engines.x86.api.Bits.OF;
import static org.alcazar.engines.x86.api.Bits.PF;
import static org.alcazar.engines.x86.api.Bits.SF;
import static org.alcazar.engines.x86.api.Bits.STATUS;
import static org.alcazar.engines.x86.api.Bits.ZF;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.mmu.Mmu;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Standstill;
import org.alcazar.machine.Width;

import java.lang.invoke.VarHandle;

/**
 * State of one x86 core. Fields are public and primitive: semantics, node classes and translated
 * code read and write them directly.
 *
 * <p>Status flags are lazy. {@link #flagResult} is the last result, sign-extended to 64 bits: ZF is
 * {@code result == 0} and SF its sign, unless changed by {@link #flagAux}. In {@code flagAux}, bit
 * 63 is CF, bit 62 is CF xor OF, bit 3 is AF, bit 0 flips SF, and bits 8 to 15 are xor-ed to the
 * low byte of the result before its parity is taken. An addition or subtraction stores its vector
 * of carries there with one shift and one mask.
 */
public class Cpu {
    private static final long AUX_CF = 1L << 63;
    private static final long AUX_PO = 1L << 62;

    public final long[] gpr = new long[16];

    /** Address of the instruction in execution; relative to the code segment's base. */
    public long rip;

    public long flagResult;
    public long flagAux;

    /** All of RFLAGS but the six status flags; bit 1 is always set. */
    public int flags = 2;

    public final int[] selector = new int[8];
    public final long[] segmentBase = new long[8];

    /** Last valid offset in bytes, granularity applied, unsigned 32 bits. */
    public final long[] segmentLimit = new long[8];

    /** In the form of {@link org.alcazar.engines.x86.api.X86}. Bit 7 (P) clear means unusable. */
    public final int[] segmentAttributes = new int[8];

    public long gdtrBase;
    public int gdtrLimit;
    public long idtrBase;
    public int idtrLimit;

    public int cpl;

    public long cr0;
    public long cr2;
    public long cr3;
    public long cr4;
    public long efer;
    public long xcr0 = 1;
    public final long[] dr = new long[8];

    /** Indexed as in the register group MSRS of {@link org.alcazar.engines.x86.api.X86}. */
    public final long[] msr = new long[X86.ARCHITECTURE.groups().get(X86.MSRS).words()];

    /** x87 stack by physical number; MMX register n is the significand of physical register n. */
    public final long[] fpSignificand = new long[8];

    /** Sign (bit 15) and biased exponent. */
    public final int[] fpExponent = new int[8];

    public int fcw = 0x37f;

    /** Status word without TOP, which is in {@link #fpTop}. */
    public int fsw;

    public int fpTop;

    /** Two bits a physical register: 0 valid, 1 zero, 2 special, 3 empty. */
    public int ftw = 0xffff;

    public int fop;
    public long fip;
    public long fdp;
    public int mxcsr = 0x1f80;

    /** Low and high half of XMM register n at 2 * n and 2 * n + 1. */
    public final long[] xmm = new long[32];

    /** Indexed as in the register group EXTENDED of {@link X86}. */
    public final long[] extended = new long[X86.RANDOM + 1];

    /**
     * 0 none, 1 by STI, 2 by MOV SS: interrupts are held off until the next instruction is done.
     */
    public int shadow;

    public boolean nmiBlocked;

    /** ACTIVITY values of {@link org.alcazar.engines.x86.api.X86}. */
    public int activity;

    /** As in register group EVENTS. */
    public long pendingEvent;

    /**
     * Guest instructions retired; exact at each instruction that ends a block (which it counts
     * already) and at every exit, ahead of the truth in the middle of a block.
     */
    public long retired;

    /** {@link #retired} may not go beyond this; lies within the budget. */
    public long limit;

    /** Regions of translated code that are running, each called by the one before. */
    public int depth;

    /** The present address space, and its bits that count; see {@link #knows}. */
    public long space;

    public long spaceMask;

    /**
     * The VMM said PROCEED to the intercept of the instruction in execution: it is not intercepted
     * again.
     */
    public boolean proceed;

    public final int index;

    /** How many cores the machine has, all in one package; set before the first one runs. */
    public int cores = 1;

    public final CpuModel model;
    public final ControlBlock block;
    public final PhysicalBus bus;
    public final Requests requests;
    public final Mmu mmu;

    /** Of the machine, and the core's part in it. */
    public final Standstill standstill;

    public final Standstill.Party party;

    public final InterruptPort interrupts;

    /** That of the frame in use. */
    public AccessLog accesses = new AccessLog();

    public final Breakpoints breakpoints;

    public final Counters counters;

    /** What MWAIT waits for. */
    public final Monitor monitor = new Monitor();

    /** The instruction in execution has switched tasks: its faults belong to the new task. */
    public boolean taskSwitched;

    /**
     * The new task's registers while a task switch loads them: EIP, EFLAGS, 8 general ones, ES CS
     * SS DS FS GS, LDT, CR3, trap bit.
     */
    public final long[] task = new long[19];

    /**
     * The old task is saved, the new one is not loaded yet: after an exit the switch goes on with
     * that.
     */
    public boolean taskLoading;

    /**
     * A serialising instruction was executed: what is decoded has to be as memory is now before the
     * next one.
     */
    public boolean serialized;

    /** Its CR3 is loaded, or it has none. */
    public boolean taskRooted;

    /** Error code that the new task finds on its stack, or -1. */
    public long taskCode = -1;

    /** The interrupt source has been told of a floating-point error that may still be there. */
    public boolean floatErrorTold;

    private final CpuFault fault = new CpuFault();
    private final CpuExit exit = new CpuExit();

    @SuppressWarnings("this-escape") // the parts keep the reference, they don't look at it yet
    public Cpu(
            int index, ControlBlock block, PhysicalBus bus, CpuModel model, Standstill standstill) {
        this.index = index;
        this.model = model;
        this.block = block;
        this.bus = bus;
        this.requests = block.requests();
        this.standstill = standstill;
        party = standstill.join(requests);
        interrupts = new InterruptPort(this);
        breakpoints = new Breakpoints(this);
        counters = new Counters(this);
        mmu = new Mmu(this);
    }

    /**
     * Whether code is known to be where it was.
     *
     * @param word of {@link Mmu#know}, or 0
     */
    public boolean knows(long word) {
        return ((word ^ space) & spaceMask) == 0;
    }

    /** An exception without error code; {@code throw} what this returns. */
    public CpuFault fault(int vector) {
        fault.vector = vector;
        fault.hasErrorCode = false;
        fault.errorCode = 0;
        return fault;
    }

    /** An exception with an error code. */
    public CpuFault fault(int vector, int errorCode) {
        fault.vector = vector;
        fault.hasErrorCode = true;
        fault.errorCode = errorCode;
        return fault;
    }

    /** No exception: the core stops before the instruction until an interrupt comes. */
    public CpuFault freeze() {
        return fault(CpuFault.FREEZE);
    }

    /** #GP(code). */
    public CpuFault generalProtection(int errorCode) {
        return fault(Bits.GP, errorCode);
    }

    /** #UD. */
    public CpuFault undefinedOpcode() {
        return fault(Bits.UD);
    }

    /** An exit whose frame is filled; {@code throw} what this returns. */
    public CpuExit exit(int reason) {
        exit.reason = reason;
        block.frame().reason = reason;
        return exit;
    }

    /**
     * A PAUSE: leaves for a SPIN exit when the pause filter has run out. Ends its block, so that
     * {@link #retired} is exact.
     */
    public void pause() {
        if (block.pauseCount == 0) {
            return;
        }
        if (Long.compareUnsigned(retired - block.pausedAt, block.pauseThreshold) > 0) {
            block.pausesLeft = block.pauseCount;
        }
        block.pausedAt = retired;
        if (--block.pausesLeft < 0) {
            block.pausesLeft = block.pauseCount;
            throw exit(Exit.SPIN);
        }
    }

    /**
     * Leaves for an INSTRUCTION exit if the VMM intercepts {@code code} (of {@link
     * org.alcazar.engines.x86.api.Intercept}) and has not said PROCEED.
     */
    public void intercept(int code, long address, long value) {
        if ((block.instructions & 1L << code) == 0 || proceed) {
            return;
        }
        ExitFrame frame = block.frame();
        frame.code = code;
        frame.address = address;
        frame.value = value;
        frame.reply = ExitFrame.DONE;
        throw exit(Exit.INSTRUCTION);
    }

    /**
     * An intercepted access of the instruction in execution: answered from the log when it was
     * completed before, else an exit.
     *
     * @return the value read; the written one for writes
     */
    public long access(int space, long address, int size, boolean write, long value) {
        if (accesses.hasNext()) {
            return accesses.next();
        }
        ExitFrame frame = block.frame();
        frame.space = space;
        frame.address = address;
        frame.size = size;
        frame.write = write;
        frame.value = value;
        frame.reply = ExitFrame.DONE;
        throw exit(Exit.ACCESS);
    }

    /**
     * A serialising instruction (APM volume 2, 7.6.4), which ends its block: all stores before it
     * are done, and code behind it is fetched anew.
     */
    public void serialize() {
        VarHandle.fullFence();
        serialized = true;
    }

    /**
     * Reads a window of the bus. The core stands meanwhile, so that translations may be others
     * afterwards.
     */
    public long readWindow(long hpa, int bytes) {
        party.stand();
        long value = bus.readMemory(hpa, Width.of(bytes));
        party.go();
        return value;
    }

    /** As {@link #readWindow}. */
    public void writeWindow(long hpa, int bytes, long value) {
        party.stand();
        bus.writeMemory(hpa, Width.of(bytes), value);
        party.go();
    }

    /** As {@link #readWindow}, of a port. */
    public long readPort(int port, int bytes) {
        party.stand();
        long value = bus.readPort(port, Width.of(bytes));
        party.go();
        return value;
    }

    /** As {@link #readPort}. */
    public void writePort(int port, int bytes, long value) {
        party.stand();
        bus.writePort(port, Width.of(bytes), value);
        party.go();
    }

    public boolean carry() {
        return flagAux < 0;
    }

    public boolean zero() {
        return flagResult == 0;
    }

    public boolean sign() {
        return (flagResult ^ flagAux << 63) < 0;
    }

    public boolean overflow() {
        return (flagAux ^ flagAux << 1) < 0;
    }

    public boolean parity() {
        int low = (int) (flagResult ^ flagAux >>> 8) & 0xff;
        return (Integer.bitCount(low) & 1) == 0;
    }

    public boolean adjust() {
        return (flagAux & 8) != 0;
    }

    /** RFLAGS whole. */
    public long rflags() {
        return flags & 0xffffffffL
                | (carry() ? CF : 0)
                | (parity() ? PF : 0)
                | (adjust() ? AF : 0)
                | (zero() ? ZF : 0)
                | (sign() ? SF : 0)
                | (overflow() ? OF : 0);
    }

    /** Sets the six status flags from their positions in RFLAGS. Other bits are ignored. */
    public void setStatus(int status) {
        boolean zf = (status & ZF) != 0;
        boolean sf = (status & SF) != 0;
        boolean cf = (status & CF) != 0;
        boolean of = (status & OF) != 0;
        // With ZF the result must be 0, whose sign is flipped if SF is set too; parity is corrected
        // by its delta byte.
        flagResult = zf ? 0 : sf ? 1L << 63 : 1L << 8;
        long aux = cf ? AUX_CF : 0;
        aux |= cf != of ? AUX_PO : 0;
        aux |= (status & AF) != 0 ? 8 : 0;
        aux |= zf && sf ? 1 : 0;
        aux |= (status & PF) != 0 ? 0 : 1 << 8;
        flagAux = aux;
    }

    /** Sets CF, leaves the other flags. */
    public void setCarry(boolean carry) {
        // bit 62 is CF xor OF: both bits flip when CF does.
        if (carry != carry()) {
            flagAux ^= AUX_CF | AUX_PO;
        }
    }

    /** Sets CF and OF, leaves the other flags. */
    public void setCarryOverflow(boolean carry, boolean overflow) {
        flagAux =
                flagAux & ~(AUX_CF | AUX_PO)
                        | (carry ? AUX_CF : 0)
                        | (carry != overflow ? AUX_PO : 0);
    }

    /** Sets ZF, leaves the other flags. */
    public void setZero(boolean zero) {
        int status = (int) rflags() & STATUS & ~ZF;
        setStatus(zero ? status | ZF : status);
    }

    /** Sets RFLAGS whole, without any check. */
    public void setRflags(long value) {
        setStatus((int) value);
        flags = (int) value & ~STATUS | 2;
    }

    public boolean protectedMode() {
        return (cr0 & Bits.CR0_PE) != 0;
    }

    public boolean longMode() {
        return (efer & Bits.EFER_LMA) != 0;
    }

    public boolean virtual8086() {
        return (flags & Bits.VM) != 0;
    }

    /** Whether the code segment is a 64-bit one. */
    public boolean code64() {
        return longMode() && (segmentAttributes[1] & 1 << 9) != 0;
    }
}
