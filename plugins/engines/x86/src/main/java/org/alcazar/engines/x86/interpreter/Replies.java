package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.mmu.Granted;
import org.alcazar.engines.x86.state.AccessLog;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;

/** What the engine waits for at each depth of frames, and how replies are taken. */
final class Replies {
    /** {@link #take}: nothing special, go on. */
    private static final int ON = -1;

    /** {@link #take}: raise {@link #fault()} now. */
    static final int FAULT = -10;

    /** {@link #take}: the instruction is done, go on behind it. */
    static final int SKIP = -11;

    private static final int NOTHING = -1;

    /** A FAULT exit by the walker of shadow tables, as what is awaited. */
    private static final int SHADOW_FAULT = 100;

    /** An INSTRUCTION exit that is {@link Intercept#PAGING_STATE}. */
    private static final int PAGING_STATE = 101;

    private final Core core;
    private final int[] awaited = new int[ControlBlock.MAX_DEPTH];
    private final AccessLog[] logs = new AccessLog[ControlBlock.MAX_DEPTH];

    /** What the exit said, which the reply may have replaced: address, access, and code. */
    private final long[] addressSaid = new long[ControlBlock.MAX_DEPTH];

    private final long[] valueSaid = new long[ControlBlock.MAX_DEPTH];
    private final int[] codeSaid = new int[ControlBlock.MAX_DEPTH];

    private final Translation[] translations = new Translation[ControlBlock.MAX_DEPTH];

    /** {@code Mmu.invalidations} at the exit. */
    private final int[] invalidations = new int[ControlBlock.MAX_DEPTH];

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
            translations[i] = Translation.NONE;
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
        core.mmu.granted.end();
    }

    /** An instruction is done, or an event delivered: what it was given is gone. */
    void over() {
        core.accesses.clear();
        core.mmu.granted.end();
    }

    /** Whether an instruction with completed accesses must be finished before anything else. */
    boolean accessPending() {
        return !core.accesses.isEmpty() && core.pendingEvent == 0;
    }

    /** An exit was made: its reply comes with the next run at this depth. */
    void expect(int reason) {
        int depth = core.block.depth;
        ExitFrame frame = core.block.frame();
        awaited[depth] =
                switch (reason) {
                    case Exit.ACCESS, Exit.TRANSLATION, Exit.CALL -> reason;
                    case Exit.INSTRUCTION ->
                            frame.code == Intercept.PAGING_STATE ? PAGING_STATE : reason;
                    case Exit.FAULT -> shadows() && frame.code == Bits.PFV ? SHADOW_FAULT : reason;
                    default -> NOTHING;
                };
        addressSaid[depth] = frame.address;
        valueSaid[depth] = frame.value;
        codeSaid[depth] = frame.code;
        translations[depth] = core.block.translation;
        invalidations[depth] = core.mmu.invalidations;
    }

    /** All page faults are the walker's then, and the VMM's to raise. */
    private boolean shadows() {
        return core.block.translation == Translation.SHADOW;
    }

    /** Takes the reply in the frame. @return {@link #ON}, {@link #FAULT} or {@link #SKIP} */
    int take() {
        int depth = core.block.depth;
        core.accesses = logs[depth];
        core.mmu.granted.enter();
        int reason = awaited[depth];
        if (reason == NOTHING) {
            return ON;
        }
        awaited[depth] = NOTHING;
        ExitFrame frame = core.block.frame();
        core.accesses.rewind();
        if (reason == SHADOW_FAULT && !raisesOther(frame)) {
            return takeShadowed(frame, depth);
        }
        if (frame.reply == ExitFrame.RAISE) {
            core.mmu.granted.end();
            core.taskLoading = false;
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
                    core.mmu.granted.device(frame.address, frame.code);
                } else if (frame.reply == ExitFrame.ONCE) {
                    once(depth, codeSaid[depth], (codeSaid[depth] & Rights.EXECUTE) != 0);
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
            // PAGING_STATE: whatever the reply is, the VMM has seen the state.
            default -> {}
        }
        return ON;
    }

    private static boolean raisesOther(ExitFrame frame) {
        return frame.reply == ExitFrame.RAISE && frame.replyCode != Bits.PFV;
    }

    /** The reply to a miss of the shadow tables. */
    private int takeShadowed(ExitFrame frame, int depth) {
        int access = Granted.access(valueSaid[depth]);
        switch (frame.reply) {
            case ExitFrame.RETRY -> {}
            case ExitFrame.AS_ACCESS -> {
                if (holds(depth)) {
                    core.mmu.granted.device(addressSaid[depth], frame.address, frame.code, access);
                }
            }
            case ExitFrame.ONCE -> once(depth, access, (valueSaid[depth] & Bits.PFEC_I) != 0);
            default -> {
                long code = frame.reply == ExitFrame.RAISE ? frame.value : valueSaid[depth];
                return raiseShadowed(depth, access, Granted.errorCode(core, code));
            }
        }
        return ON;
    }

    /** Whether what the VMM found out after an exit is still so: nobody has invalidated it. */
    private boolean holds(int depth) {
        return translations[depth] == core.block.translation
                && invalidations[depth] == core.mmu.invalidations;
    }

    private void once(int depth, int access, boolean fetch) {
        long host = core.block.frame().value;
        if (fetch) {
            throw new IllegalStateException(
                    "reply ONCE to a fetch from %x: it is for data accesses only"
                            .formatted(addressSaid[depth]));
        }
        if (holds(depth)) {
            core.mmu.granted.once(addressSaid[depth], access, host);
        }
    }

    /**
     * The guest's own page fault. Where an event or a new task is on its way it is found there
     * again, since what becomes of it depends on that.
     */
    private int raiseShadowed(int depth, int access, int code) {
        core.proceed = true;
        if (core.pendingEvent != 0 || core.taskLoading) {
            if (shadows()) {
                core.mmu.granted.refuse(addressSaid[depth], access, code);
            }
            return ON;
        }
        core.accesses.clear();
        vector = Bits.PFV;
        hasErrorCode = true;
        errorCode = code;
        core.mmu.faultAddress(addressSaid[depth]);
        any = true;
        at = core.block.frame().pc;
        address = addressSaid[depth];
        return FAULT;
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
