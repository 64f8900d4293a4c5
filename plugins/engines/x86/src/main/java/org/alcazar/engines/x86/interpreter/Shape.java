package org.alcazar.engines.x86.interpreter;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/**
 * What decides a spun class: the semantics method and how its operands are found. Two instructions
 * of one shape share a class.
 */
final class Shape {
    /** Where an argument comes from. */
    enum Kind {
        /** General register, low part. */
        GPR,
        /** AH, CH, DH, BH. */
        HIGH,
        MEMORY,
        IMMEDIATE,
        /** The address itself. */
        ADDRESS,
        /** XMM register by value. */
        XMM,
        /** XMM register by number. */
        XMM_NUMBER,
        MMX,
        /** The condition that the opcode names, as a boolean. */
        CONDITION
    }

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
     * An operand.
     *
     * @param slot 1 to 3: which of the register fields
     */
    record Place(Kind kind, int bytes, int slot) {
        @Override
        public String toString() {
            return kind + "" + bytes + "@" + slot;
        }
    }

    final Method method;

    /** Takes (Cpu, Instruction). */
    final boolean generic;

    final List<Place> arguments = new ArrayList<>();

    /** Takes and returns one lane of an XMM register. */
    boolean lanes;

    @org.jspecify.annotations.Nullable Place result;

    /**
     * Suffix of the method in {@link Access} that gives the address, empty if there is no memory
     * operand.
     */
    String address = "";

    int memoryBytes;
    boolean memoryRead;
    boolean memoryWritten;
    boolean aligned;

    /** Alignment is checked even in misaligned mode. */
    boolean move;

    boolean lock;
    boolean sse;

    /** Behind a VEX prefix: #UD in real and virtual-8086 mode. */
    boolean notReal;

    boolean x87;
    boolean pending;
    boolean mmx;
    int condition = -1;
    Tail tail = Tail.NEXT;

    Shape(Method method, boolean generic) {
        this.method = method;
        this.generic = generic;
    }

    boolean hasMemory() {
        return !address.isEmpty();
    }

    /** Equal for equal shapes. */
    String signature() {
        return method.getDeclaringClass().getSimpleName()
                + '.'
                + method.getName()
                + arguments
                + result
                + address
                + memoryBytes
                + (memoryRead ? 'r' : '-')
                + (memoryWritten ? 'w' : '-')
                + (aligned ? move ? 'm' : 'a' : '-')
                + (lock ? 'l' : '-')
                + (sse ? 's' : '-')
                + (notReal ? 'n' : '-')
                + (x87 ? 'x' : '-')
                + (pending ? 'p' : '-')
                + (mmx ? 'm' : '-')
                + (lanes ? 'v' : '-')
                + condition
                + tail;
    }
}
