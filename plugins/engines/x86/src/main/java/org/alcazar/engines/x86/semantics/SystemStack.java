package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.SS;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.Cpu;

/**
 * The stack as far transfers and interrupts use it: pointers are changed only when all went well,
 * so callers carry them along.
 */
final class SystemStack {
    private SystemStack() {}

    /** All bits of the stack pointer that count. */
    static long mask(Cpu cpu) {
        return cpu.code64() ? -1L : mask(cpu.segmentAttributes[SS]);
    }

    static long mask(int stackAttributes) {
        return (stackAttributes & Segments.BIG) != 0 ? 0xffff_ffffL : 0xffff;
    }

    static long pointer(Cpu cpu) {
        return cpu.gpr[X86.RSP] & mask(cpu);
    }

    /** Sets the part of RSP that counts. */
    static void setPointer(Cpu cpu, long value) {
        setPointer(cpu, value, mask(cpu));
    }

    static void setPointer(Cpu cpu, long value, long mask) {
        cpu.gpr[X86.RSP] = mask == 0xffff ? cpu.gpr[X86.RSP] & ~mask | value & mask : value & mask;
    }

    /** The value at an offset of SS, zero-extended. */
    static long read(Cpu cpu, long offset, int bytes) {
        long la = Segments.linear(cpu, SS, offset & mask(cpu), bytes, false);
        return Memory.read(cpu, la, bytes);
    }

    /**
     * Pushes onto the present stack at {@code pointer}; RSP is not changed.
     *
     * @return the new pointer
     */
    static long push(Cpu cpu, long pointer, int bytes, long value) {
        long at = pointer - bytes & mask(cpu);
        long la = Segments.linear(cpu, SS, at, bytes, true);
        Memory.write(cpu, la, bytes, value);
        return at;
    }

    /**
     * Pushes as supervisor onto a stack that is not in SS yet.
     *
     * @param descriptor of the stack's segment
     * @param selector for the error code of #SS
     */
    static long pushTo(
            Cpu cpu, long descriptor, int selector, long pointer, int bytes, long value) {
        int attributes = Segments.attributes(descriptor);
        long at = pointer - bytes & mask(attributes);
        if (!Segments.inside(Segments.limit(descriptor), attributes, at, bytes)) {
            throw Segments.fault(cpu, org.alcazar.engines.x86.api.Bits.SS, selector);
        }
        long la = at + Segments.base(descriptor) & 0xffff_ffffL;
        write(cpu, la, bytes, value, Segments.dpl(attributes));
        return at;
    }

    /** Writes at a privilege other than the current one, which is less or equal. */
    static void write(Cpu cpu, long la, int bytes, long value, int privilege) {
        if (privilege == 3) {
            Memory.write(cpu, la, bytes, value);
            return;
        }
        switch (bytes) {
            case 2 -> cpu.mmu.writeSystem16(la, (int) value);
            case 4 -> cpu.mmu.writeSystem32(la, (int) value);
            default -> cpu.mmu.writeSystem64(la, value);
        }
    }
}
