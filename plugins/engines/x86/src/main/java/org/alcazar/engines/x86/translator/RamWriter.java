package org.alcazar.engines.x86.translator;

import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes accesses to RAM at {@link Frame#HPA}. Each looks for itself whether it is aligned: then C2
 * leaves out the other way where an instruction has never gone it.
 */
final class RamWriter {
    private static final ClassDesc RAM = Frame.desc(GuestRam.class);
    private static final MethodTypeDesc LOAD = MethodTypeDesc.of(CD_long, CD_long);
    private static final MethodTypeDesc STORE = MethodTypeDesc.of(CD_void, CD_long, CD_long);

    private final CodeBuilder c;
    private final boolean quick;

    /**
     * @param quick whether the access finds out about its alignment by itself
     */
    RamWriter(CodeBuilder c, boolean quick) {
        this.c = c;
        this.quick = quick;
    }

    /** Leaves what is there, zero-extended to a long. */
    void load(int bytes, int distance) {
        access(bytes, () -> address(distance), LOAD, "load");
    }

    /** Stores the long on the stack. */
    void store(int bytes, int distance) {
        c.lstore(Frame.T2);
        Runnable operands =
                () -> {
                    address(distance);
                    c.lload(Frame.T2);
                };
        access(bytes, operands, STORE, "store");
    }

    private void access(int bytes, Runnable operands, MethodTypeDesc type, String name) {
        if (quick && bytes > 1) {
            operands.run();
            c.invokestatic(RAM, "any" + 8 * bytes, type);
            return;
        }
        Label misaligned = c.newLabel();
        Label done = c.newLabel();
        if (bytes > 1) {
            c.lload(Frame.HPA).l2i().loadConstant(bytes - 1).iand().ifne(misaligned);
        }
        operands.run();
        c.invokestatic(RAM, name + 8 * bytes, type);
        if (bytes > 1) {
            c.goto_(done);
            c.labelBinding(misaligned);
            operands.run();
            c.invokestatic(RAM, "misaligned" + 8 * bytes, type);
            c.labelBinding(done);
        }
    }

    /** A distance of whole quadwords, if any, leaves the alignment as it is. */
    private void address(int distance) {
        c.lload(Frame.HPA);
        if (distance != 0) {
            c.loadConstant((long) distance).ladd();
        }
    }
}
