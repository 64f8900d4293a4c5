package org.alcazar.engines.x86.interpreter;

import static org.alcazar.engines.x86.api.X86.RBP;
import static org.alcazar.engines.x86.api.X86.RSP;

import org.alcazar.engines.x86.semantics.Segments;
import org.alcazar.engines.x86.state.CpuFault;
import org.jspecify.annotations.Nullable;

/** Nodes of control flow and of the stack in 64-bit mode, written by hand. */
final class Flow {
    private Flow() {}

    private static void checkTarget(Core core, long rip) {
        // Most branches go where every paging mode allows it.
        if (rip << 16 >> 16 != rip && !Segments.canonical(core, rip)) {
            throw core.generalProtection(0);
        }
    }

    /** Of the faults of a call those of its push come first. */
    private static void checkCall(Core core, long rip, long sp) {
        if (rip << 16 >> 16 != rip && !Segments.canonical(core, rip)) {
            core.mmu.probeWrite(sp, 8);
            throw core.generalProtection(0);
        }
    }

    /** Goes on with the block behind; not an instruction. */
    static final class Fall extends BranchOp {
        @Override
        @Nullable Op exec(Core core) {
            return fallThrough(core);
        }

        @Override
        Op fresh() {
            return new Fall();
        }
    }

    /** A fixed exception in place of what cannot be decoded. */
    static final class Fault extends BranchOp {
        private final int vector;
        private final boolean hasCode;

        Fault(int vector, boolean hasCode) {
            this.vector = vector;
            this.hasCode = hasCode;
        }

        @Override
        @Nullable Op exec(Core core) {
            CpuFault fault = hasCode ? core.fault(vector, 0) : core.fault(vector);
            throw fault;
        }

        @Override
        Op fresh() {
            return new Fault(vector, hasCode);
        }
    }

    static final class Jump extends BranchOp {
        @Override
        @Nullable Op exec(Core core) {
            return take(core);
        }

        @Override
        Op fresh() {
            return new Jump();
        }
    }

    static final class Call64 extends BranchOp {
        @Override
        @Nullable Op exec(Core core) {
            long sp = core.gpr[RSP] - 8;
            core.mmu.write64(sp, fallRip);
            core.gpr[RSP] = sp;
            return take(core);
        }

        @Override
        Op fresh() {
            return new Call64();
        }
    }

    static final class Return64 extends BranchOp {
        @Override
        @Nullable Op exec(Core core) {
            long sp = core.gpr[RSP];
            long target = core.mmu.read64(sp);
            checkTarget(core, target);
            core.gpr[RSP] = sp + 8 + imm;
            return core.jump(target);
        }

        @Override
        Op fresh() {
            return new Return64();
        }
    }

    static final class JumpRegister64 extends IndirectOp {
        @Override
        @Nullable Op exec(Core core) {
            long target = core.gpr[r1];
            checkTarget(core, target);
            return jump(core, target);
        }

        @Override
        Op fresh() {
            return new JumpRegister64();
        }
    }

    static final class JumpMemory64 extends IndirectOp {
        @Override
        @Nullable Op exec(Core core) {
            long target = core.mmu.read64(Access.address(core, this));
            checkTarget(core, target);
            return jump(core, target);
        }

        @Override
        Op fresh() {
            return new JumpMemory64();
        }
    }

    static final class CallRegister64 extends IndirectOp {
        @Override
        @Nullable Op exec(Core core) {
            long target = core.gpr[r1];
            long sp = core.gpr[RSP] - 8;
            checkCall(core, target, sp);
            core.mmu.write64(sp, fallRip);
            core.gpr[RSP] = sp;
            return jump(core, target);
        }

        @Override
        Op fresh() {
            return new CallRegister64();
        }
    }

    static final class CallMemory64 extends IndirectOp {
        @Override
        @Nullable Op exec(Core core) {
            long target = core.mmu.read64(Access.address(core, this));
            long sp = core.gpr[RSP] - 8;
            checkCall(core, target, sp);
            core.mmu.write64(sp, fallRip);
            core.gpr[RSP] = sp;
            return jump(core, target);
        }

        @Override
        Op fresh() {
            return new CallMemory64();
        }
    }

    static final class PushRegister64 extends Op {
        @Override
        @Nullable Op exec(Core core) {
            long sp = core.gpr[RSP] - 8;
            core.mmu.write64(sp, core.gpr[r1]);
            core.gpr[RSP] = sp;
            return next;
        }

        @Override
        Op fresh() {
            return new PushRegister64();
        }
    }

    static final class PushImmediate64 extends Op {
        @Override
        @Nullable Op exec(Core core) {
            long sp = core.gpr[RSP] - 8;
            core.mmu.write64(sp, imm);
            core.gpr[RSP] = sp;
            return next;
        }

        @Override
        Op fresh() {
            return new PushImmediate64();
        }
    }

    static final class PushMemory64 extends Op {
        @Override
        @Nullable Op exec(Core core) {
            long value = core.mmu.read64(Access.address(core, this));
            long sp = core.gpr[RSP] - 8;
            core.mmu.write64(sp, value);
            core.gpr[RSP] = sp;
            return next;
        }

        @Override
        Op fresh() {
            return new PushMemory64();
        }
    }

    static final class PopRegister64 extends Op {
        @Override
        @Nullable Op exec(Core core) {
            long sp = core.gpr[RSP];
            long value = core.mmu.read64(sp);
            core.gpr[RSP] = sp + 8;
            core.gpr[r1] = value;
            return next;
        }

        @Override
        Op fresh() {
            return new PopRegister64();
        }
    }

    static final class Leave64 extends Op {
        @Override
        @Nullable Op exec(Core core) {
            long frame = core.gpr[RBP];
            long value = core.mmu.read64(frame);
            core.gpr[RSP] = frame + 8;
            core.gpr[RBP] = value;
            return next;
        }

        @Override
        Op fresh() {
            return new Leave64();
        }
    }

    static final class Nop extends Op {
        @Override
        @Nullable Op exec(Core core) {
            return next;
        }

        @Override
        Op fresh() {
            return new Nop();
        }
    }
}
