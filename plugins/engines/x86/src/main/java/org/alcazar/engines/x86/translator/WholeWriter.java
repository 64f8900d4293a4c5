package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_long;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.semantics.Binder;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.util.List;

/**
 * Writes calls of semantics that take the instruction whole: its registers go to the core's state
 * before, RAX and RDX come back.
 */
final class WholeWriter {
    private static final ClassDesc INSTRUCTION = Frame.desc(Instruction.class);

    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;
    private final StateWriter state;
    private final Binder binder;
    private final List<Instruction> constants;
    private final ClassDesc self;

    WholeWriter(
            CodeBuilder c,
            Frame frame,
            InstructionWriter writer,
            StateWriter state,
            Binder binder,
            List<Instruction> constants,
            ClassDesc self) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
        this.state = state;
        this.binder = binder;
        this.constants = constants;
        this.self = self;
    }

    /**
     * Calls the semantics of an instruction.
     *
     * @return false with nothing written if the interpreter has to
     */
    boolean write(Instruction insn, long next) {
        if (insn.lock) {
            return false;
        }
        boolean x87 = insn.row.has(Row.X87);
        if (insn.memory) {
            int bytes = 0;
            boolean write = false;
            for (Operand o : insn.row.operands()) {
                if (o.kind() == OperandKind.RM || o.kind() == OperandKind.MEMORY) {
                    bytes = o.bytes(insn);
                    write = o.written();
                }
            }
            if (bytes == 0) {
                return false;
            }
            writer.address(insn, bytes, write);
            writer.find(bytes, write);
        }
        frame.x87 |= x87;
        int registers = registers(insn, x87);
        frame.loaded |= registers;
        frame.spill(c, registers);
        frame.settle(c, writer.kind);
        writer.kind = DeferredFlags.NONE;
        if (x87 && !insn.row.has(Row.NO_WAIT)) {
            state.noneIsPending();
        }
        Label start = c.newBoundLabel();
        c.aload(Frame.CPU_VAR).loadConstant(next).putfield(Frame.CPU, "rip", CD_long);
        c.aload(Frame.CPU_VAR);
        constant(insn);
        writer.invoke(binder.resolve(insn));
        Label end = c.newBoundLabel();
        writer.handler(start, end, false);
        int results = registers & (1 << X86.RAX | 1 << X86.RDX) | written(insn);
        frame.dirty |= results;
        frame.reload(c, results);
        if (insn.row.semantics().endsWith("sbase")) {
            frame.loadBases(c);
        }
        return true;
    }

    /** Leaves an instruction as an object. */
    void constant(Instruction insn) {
        c.aload(Frame.THIS).getfield(self, "constants", INSTRUCTION.arrayType());
        int known = constants.indexOf(insn); // no two are equal
        c.loadConstant(known < 0 ? constants.size() : known).aaload();
        if (known < 0) {
            constants.add(insn);
        }
    }

    /** A register that ModRM.rm names as a destination. */
    private static int written(Instruction insn) {
        boolean register =
                insn.row.operands().stream()
                        .anyMatch(o -> o.kind() == OperandKind.RM_REGISTER && o.written());
        return register ? 1 << insn.rm : 0;
    }

    /** Those that the semantics may read, and RAX and RDX, which it may write. */
    private static int registers(Instruction insn, boolean x87) {
        int registers = 0;
        if (!insn.row.semantics().startsWith("Flags.")) {
            registers = 1 << X86.RAX | 1 << X86.RDX;
        }
        if (insn.row.semantics().equals("ExtendedState.rdpkru")) {
            registers |= 1 << X86.RCX;
        }
        if (insn.modrm >= 0 && !insn.memory && !x87) {
            registers |= 1 << insn.rm | 1 << (insn.rm & 3);
        }
        if (insn.memory && insn.base >= 0 && insn.base < 16) {
            registers |= 1 << insn.base;
        }
        if (insn.memory && insn.index >= 0) {
            registers |= 1 << insn.index;
        }
        return registers;
    }
}
