package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.semantics.Binding;

import java.lang.reflect.Method;

/**
 * What decides a spun class: the semantics method and how its operands are found. Two instructions
 * of one shape share a class. The condition is that of the branch, or of the instruction itself.
 */
final class Shape extends Binding {
    /** How a node ends. */
    enum Tail {
        NEXT,
        /** Conditional branch on {@link #condition}. */
        BRANCH,
        /** Falls through, or stays at the instruction. */
        AFTER,
        /** Everything may have changed. */
        LEAVE
    }

    /**
     * Suffix of the method in {@link Access} that gives the address, empty if there is no memory
     * operand.
     */
    String address = "";

    Tail tail = Tail.NEXT;

    Shape(Method method, boolean generic) {
        super(method, generic);
    }

    boolean hasMemory() {
        return !address.isEmpty();
    }

    /** Whether its node needs the instruction itself. */
    boolean whole() {
        return generic || tail != Tail.NEXT || address.equals("slow") || address.equals("offset");
    }

    /** Equal for equal shapes. */
    String signature() {
        return toString() + address + tail;
    }
}
