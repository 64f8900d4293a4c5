package org.alcazar.engines.x86.semantics;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/**
 * How a decoded instruction calls its semantics: the method, and where its arguments come from and
 * its result goes to. Interpreter and translator both make their code from this. Filled by {@link
 * Binder}.
 */
public class Binding {
    /** Where an argument comes from. */
    public enum Kind {
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

    /**
     * An operand.
     *
     * @param slot 1 to 3: which of the row's operands
     */
    public record Place(Kind kind, int bytes, int slot) {
        @Override
        public String toString() {
            return kind + "" + bytes + "@" + slot;
        }
    }

    public final Method method;

    /** Takes (Cpu, Instruction). */
    public final boolean generic;

    public final List<Place> arguments = new ArrayList<>();

    /** Takes and returns one lane of an XMM register. */
    public boolean lanes;

    public @Nullable Place result;

    /** Has a memory operand, or computes an address. */
    public boolean addressed;

    /** Bytes of the memory operand; 0 if there is none. */
    public int memoryBytes;

    public boolean memoryRead;
    public boolean memoryWritten;
    public boolean aligned;

    /** Alignment is checked even in misaligned mode. */
    public boolean move;

    public boolean lock;
    public boolean sse;

    /** Behind a VEX prefix: #UD in real and virtual-8086 mode. */
    public boolean notReal;

    public boolean x87;
    public boolean pending;
    public boolean mmx;

    /** The condition code of {@link Kind#CONDITION}, else -1. */
    public int condition = -1;

    public Binding(Method method, boolean generic) {
        this.method = method;
        this.generic = generic;
    }

    /** Whether the first parameter is the {@code Cpu}. */
    public final boolean takesCpu() {
        Class<?>[] types = method.getParameterTypes();
        return types.length > 0 && types[0] == org.alcazar.engines.x86.state.Cpu.class;
    }

    @Override
    public String toString() {
        return method.getDeclaringClass().getSimpleName()
                + '.'
                + method.getName()
                + arguments
                + result
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
                + condition;
    }
}
