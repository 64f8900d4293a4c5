package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.AccessLog;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;

/** What the engine waits for at each depth of frames, and how replies are taken. */
final class Replies {
    /** {@link #take}: nothing special, go on. */
    private static final int ON = -1;

    /** {@link #take}: raise {@link #fault()} now. */
    static final int FAULT = -10;

    /** {@link #take}: the instruction is done, go on behind it. */
    static final int SKIP = -11;

    private static final int NOTHING = -1;

    private final Core core;
    private final int[] awaited = new int[ControlBlock.MAX_DEPTH];
    private final AccessLog[] logs = new AccessLog[ControlBlock.MAX_DEPTH];

    private int vector;
    private boolean hasErrorCode;
    private int errorCode;

    /** Whether there was an exception, the linear addresses where and about what. */
    private boolean any;

    private long at;
    private long address;

    Replies(Core core) {
        this.core = core;
        for (int i = 0; i < logs.length; i++) {
            logs[i] = new AccessLog();
        }
        clear();
    }

    void clear() {
        for (int i = 0; i < logs.length; i++) {
            logs[i].clear();
            awaited[i] = NOTHING;
        }
        core.accesses = logs[0];
        core.proceed = false;
        core.taskLoading = false;
    }

    /** The VMM has moved the program counter: what was under way is not finished any more. */
    void forget() {
        int depth = core.block.depth;
        awaited[depth] = NOTHING;
        logs[depth].clear();
        core.proceed = false;
        core.taskLoading = false;
    }

    /** Whether an instruction with completed accesses must be finished before anything else. */
    boolean accessPending() {
        return !core.accesses.isEmpty() && core.pendingEvent == 0;
    }

    /** An exit was made: its reply comes with the next run at this depth. */
    void expect(int reason) {
        awaited[core.block.depth] =
                switch (reason) {
                    case Exit.ACCESS, Exit.TRANSLATION, Exit.INSTRUCTION, Exit.CALL, Exit.FAULT ->
                            reason;
                    default -> NOTHING;
                };
    }

    /** Takes the reply in the frame. @return {@link #ON}, {@link #FAULT} or {@link #SKIP} */
    int take() {
        int depth = core.block.depth;
        core.accesses = logs[depth];
        int reason = awaited[depth];
        if (reason == NOTHING) {
            return ON;
        }
        awaited[depth] = NOTHING;
        ExitFrame frame = core.block.frame();
        core.accesses.rewind();
        if (frame.reply == ExitFrame.RAISE) {
            vector = frame.replyCode;
            errorCode = (int) frame.value;
            hasErrorCode = pushesErrorCode(vector);
            core.accesses.clear();
            return raised();
        }
        switch (reason) {
            case Exit.ACCESS -> {
                // To a register or feature leaf: nobody serves it any more, the engine's own holds.
                if (frame.reply == ExitFrame.PROCEED) {
                    core.proceed = true;
                } else {
                    core.accesses.complete(frame.value);
                }
            }
            case Exit.TRANSLATION -> {
                if (frame.reply == ExitFrame.AS_ACCESS) {
                    core.mmu.deviceAt(frame.address, frame.code);
                }
            }
            case Exit.INSTRUCTION, Exit.CALL -> {
                if (frame.reply != ExitFrame.PROCEED) {
                    return frame.reply == ExitFrame.RETRY ? ON : SKIP;
                }
                core.proceed = true;
            }
            case Exit.FAULT -> {
                if (frame.reply != ExitFrame.RETRY) {
                    core.proceed = true;
                    // One that came while an event was delivered: that delivery finds it again.
                    return core.pendingEvent == 0 ? FAULT : ON;
                }
            }
            default -> {}
        }
        return ON;
    }

    /**
     * The VMM's own exception is not intercepted again, and it has set CR2 for a page fault itself.
     */
    private int raised() {
        long event = vector + 1L | 3 << 8;
        core.pendingEvent = event | (hasErrorCode ? 1L << 16 : 0) | (long) errorCode << 32;
        return ON;
    }

    private static boolean pushesErrorCode(int vector) {
        return (0x0022_7d00 >> vector & 1) != 0;
    }

    /** Keeps an exception in case the VMM intercepts it, or the core shuts down over it. */
    void remember(CpuFault fault, long linear) {
        vector = fault.vector;
        hasErrorCode = fault.hasErrorCode;
        errorCode = fault.errorCode;
        any = true;
        at = linear;
        address = vector == Bits.PFV ? core.mmu.faultAddress() : linear;
    }

    /** The address that the last exception was about: for a page fault that, else the code's. */
    long lastAddress() {
        return address;
    }

    /** The last exception as a line for people; empty if there was none. */
    String describe() {
        return any
                ? "last exception %d, error code %x, at %016x, address %016x%n"
                        .formatted(vector, hasErrorCode ? errorCode : 0, at, address)
                : "";
    }

    /** The exception to raise. */
    CpuFault fault() {
        return hasErrorCode ? core.fault(vector, errorCode) : core.fault(vector);
    }
}
