package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_void;

import org.alcazar.engines.x86.decode.Instruction;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes BT, BTS, BTR and BTC of a bit in memory whose number is in a register: a signed offset
 * into a string of bits.
 */
final class BitWriter {
    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;
    private final ExchangeWriter exchanges;

    BitWriter(CodeBuilder c, Frame frame, InstructionWriter writer, ExchangeWriter exchanges) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
        this.exchanges = exchanges;
    }

    void write(Instruction insn) {
        int bytes = insn.operandSize;
        String semantics = insn.row.semantics();
        boolean test = semantics.equals("BitOps.bt");
        writer.offset(insn);
        number(insn, bytes);
        int log = Integer.numberOfTrailingZeros(bytes);
        c.loadConstant(3 + log).lshr().loadConstant(log).lshl().ladd();
        writer.truncate(insn.addressSize);
        writer.linear(insn, bytes, !test);
        if (insn.lock) {
            exchanges.aligned(bytes);
        }
        writer.find(bytes, !test);
        frame.settle(c, writer.kind);
        writer.kind = DeferredFlags.NONE;
        frame.get(c, insn.reg).loadConstant(8L * bytes - 1).land().lstore(Frame.A);
        if (insn.lock) {
            exchanges.modify(bytes, () -> change(semantics));
        } else {
            writer.load(bytes);
            c.lstore(Frame.T0);
            if (!test) {
                change(semantics);
                writer.store(bytes);
            }
        }
        c.aload(Frame.CPU_VAR).lload(Frame.T0).lload(Frame.A).l2i().lushr();
        c.l2i().loadConstant(1).iand();
        c.invokevirtual(Frame.CPU, "setCarry", MethodTypeDesc.of(CD_void, CD_boolean));
    }

    /** Leaves the register, sign-extended. */
    private void number(Instruction insn, int bytes) {
        frame.get(c, insn.reg);
        if (bytes < 8) {
            c.l2i();
            if (bytes == 2) {
                c.i2s();
            }
            c.i2l();
        }
    }

    /** Leaves {@link Frame#T0} with the bit changed. */
    private void change(String semantics) {
        c.lload(Frame.T0).loadConstant(1L).lload(Frame.A).l2i().lshl();
        switch (semantics) {
            case "BitOps.bts" -> c.lor();
            case "BitOps.btr" -> c.loadConstant(-1L).lxor().land();
            default -> c.lxor();
        }
    }
}
