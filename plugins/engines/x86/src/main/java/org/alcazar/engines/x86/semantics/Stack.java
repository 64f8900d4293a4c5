package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.RBP;
import static org.alcazar.engines.x86.api.X86.RSP;
import static org.alcazar.engines.x86.api.X86.SS;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.state.Cpu;

/** The stack (APM volume 3). The stack pointer changes last, so that a fault leaves it. */
public final class Stack {
    private static final int BIG = 1 << 10;

    private Stack() {}

    /** Bytes of the stack pointer in use: 8 in 64-bit mode, else by SS.B. */
    public static int width(Cpu cpu) {
        return cpu.code64() ? 8 : (cpu.segmentAttributes[SS] & BIG) != 0 ? 4 : 2;
    }

    /** Offset of the byte {@code delta} above the top. */
    private static long top(Cpu cpu, long delta) {
        return Memory.trim(cpu.gpr[RSP] + delta, width(cpu));
    }

    private static long linear(Cpu cpu, long offset, int bytes, boolean write) {
        return Segments.linear(cpu, SS, offset, bytes, write);
    }

    /**
     * Writes what a push of the value would, {@code depth} bytes below the top; the stack pointer
     * stays.
     */
    static void poke(Cpu cpu, int bytes, int depth, long value) {
        Memory.write(cpu, linear(cpu, top(cpu, -depth), bytes, true), bytes, value);
    }

    /** Raises what a push would raise. */
    static void probePush(Cpu cpu, int bytes) {
        cpu.mmu.probeWrite(linear(cpu, top(cpu, -bytes), bytes, true), bytes);
    }

    static void push(Cpu cpu, int bytes, long value) {
        poke(cpu, bytes, bytes, value);
        release(cpu, -bytes);
    }

    /** What lies {@code above} bytes above the top, zero-extended. */
    static long peek(Cpu cpu, int bytes, int above) {
        return Memory.read(cpu, linear(cpu, top(cpu, above), bytes, false), bytes);
    }

    /** Adds to the stack pointer. */
    static void release(Cpu cpu, int bytes) {
        long sp = cpu.gpr[RSP] + bytes;
        if (width(cpu) == 2) {
            Memory.setLow(cpu, RSP, 2, sp);
        } else {
            cpu.gpr[RSP] = Memory.trim(sp, width(cpu));
        }
    }

    /** PUSH of a register, memory or an immediate. */
    public static void push(Cpu cpu, Instruction insn) {
        long value =
                switch (insn.row.operands().getFirst().kind()) {
                    case IMMEDIATE -> insn.immediate;
                    case OPCODE_REGISTER -> cpu.gpr[insn.rm];
                    default -> Operands.readRm(cpu, insn, insn.operandSize);
                };
        push(cpu, insn.operandSize, value);
    }

    /** POP to a register or memory; an address with RSP uses its value after the pop. */
    public static void pop(Cpu cpu, Instruction insn) {
        int bytes = insn.operandSize;
        long value = peek(cpu, bytes, 0);
        if (insn.row.operands().getFirst().kind() == OperandKind.OPCODE_REGISTER) {
            release(cpu, bytes);
            Operands.setGpr(cpu, insn, insn.rm, bytes, value);
            return;
        }
        long before = cpu.gpr[RSP];
        release(cpu, bytes);
        long after = cpu.gpr[RSP];
        boolean done = false;
        try {
            Operands.writeRm(cpu, insn, bytes, value);
            done = true;
        } finally {
            if (!done) {
                cpu.gpr[RSP] = before;
            }
        }
        if (insn.memory) {
            cpu.gpr[RSP] = after;
        }
    }

    /** PUSHA, PUSHAD. */
    public static void pusha(Cpu cpu, Instruction insn) {
        int bytes = insn.operandSize;
        for (int i = 1; i <= 8; i++) {
            cpu.mmu.probeWrite(linear(cpu, top(cpu, -i * bytes), bytes, true), bytes);
        }
        for (int i = 0; i < 8; i++) {
            poke(cpu, bytes, (i + 1) * bytes, cpu.gpr[i]);
        }
        release(cpu, -8 * bytes);
    }

    /** POPA, POPAD: SP's slot is skipped. */
    public static void popa(Cpu cpu, Instruction insn) {
        int bytes = insn.operandSize;
        for (int i = 0; i < 8; i++) {
            peek(cpu, bytes, i * bytes);
        }
        for (int i = 0; i < 8; i++) {
            if (i != RSP) {
                Memory.setLow(cpu, i, bytes, peek(cpu, bytes, (7 - i) * bytes));
            }
        }
        release(cpu, 8 * bytes);
    }

    /** PUSHF: VM and RF read as 0. */
    public static void pushf(Cpu cpu, Instruction insn) {
        long image = cpu.rflags() & ~(Bits.VM | Bits.RF);
        if (cpu.virtual8086() && (cpu.flags & Bits.IOPL) != Bits.IOPL) {
            if ((cpu.cr4 & Bits.CR4_VME) == 0 || insn.operandSize != 2) {
                throw cpu.generalProtection(0);
            }
            image = Virtual8086.virtualImage(cpu);
        }
        push(cpu, insn.operandSize, image);
    }

    /** POPF: IOPL changes at CPL 0 only, IF where CPL is at most IOPL. */
    public static void popf(Cpu cpu, Instruction insn) {
        int iopl = (cpu.flags & Bits.IOPL) >> 12;
        boolean extended = false;
        if (cpu.virtual8086() && iopl != 3) {
            extended = true;
            if ((cpu.cr4 & Bits.CR4_VME) == 0 || insn.operandSize != 2) {
                throw cpu.generalProtection(0);
            }
        }
        int image = (int) peek(cpu, insn.operandSize, 0);
        if (extended) {
            boolean wantsIf = (image & Bits.IF) != 0;
            if ((image & Bits.TF) != 0 || wantsIf && (cpu.flags & Bits.VIP) != 0) {
                throw cpu.generalProtection(0);
            }
            image = image & ~Bits.VIF | (wantsIf ? Bits.VIF : 0);
        }
        int mask = Bits.STATUS | Bits.TF | Bits.DF | Bits.NT;
        mask |= insn.operandSize == 2 ? 0 : Bits.AC | Bits.ID | Bits.RF;
        mask |= cpu.cpl == 0 ? Bits.IOPL : 0;
        mask |= cpu.cpl <= iopl || !cpu.protectedMode() ? Bits.IF : 0;
        mask |= extended ? Bits.VIF : 0;
        int flags = (int) cpu.rflags() & ~mask | image & mask & ~Bits.RF;
        release(cpu, insn.operandSize);
        boolean checks = ((flags ^ cpu.flags) & Bits.AC) != 0;
        cpu.setRflags(flags & ~Bits.RF & 0xffffffffL);
        if (checks) {
            cpu.mmu.modeChanged();
        }
    }

    /** ENTER. */
    public static void enter(Cpu cpu, Instruction insn) {
        int bytes = insn.operandSize;
        int level = (int) insn.immediate2 & 31;
        int locals = (int) insn.immediate & 0xffff;
        int down = bytes;
        poke(cpu, bytes, down, cpu.gpr[RBP]);
        // On a 16-bit stack too the pointer's upper half goes into the frame.
        long above = width(cpu) == 2 ? cpu.gpr[RSP] & ~0xffffL : 0;
        long frame = above | top(cpu, -down);
        for (int i = 1; i < level; i++) {
            long at = Memory.trim(cpu.gpr[RBP] - (long) i * bytes, width(cpu));
            down += bytes;
            poke(cpu, bytes, down, Memory.read(cpu, linear(cpu, at, bytes, false), bytes));
        }
        if (level > 0) {
            down += bytes;
            poke(cpu, bytes, down, frame);
        }
        cpu.mmu.probeWrite(linear(cpu, top(cpu, -down - locals), bytes, true), bytes);
        Memory.setLow(cpu, RBP, bytes, frame);
        release(cpu, -down - locals);
    }

    /** LEAVE. */
    public static void leave(Cpu cpu, Instruction insn) {
        int bytes = insn.operandSize;
        int width = width(cpu);
        long at = Memory.trim(cpu.gpr[RBP], width);
        long value = Memory.read(cpu, linear(cpu, at, bytes, false), bytes);
        Memory.setLow(cpu, RSP, width, at + bytes);
        Memory.setLow(cpu, RBP, bytes, value);
    }

    /** PUSH of a segment register: zero-extended. */
    public static void pushSegment(Cpu cpu, Instruction insn) {
        push(cpu, insn.operandSize, cpu.selector[segment(insn)] & 0xffff);
    }

    /** POP of a segment register; POP SS holds interrupts off for one instruction. */
    public static void popSegment(Cpu cpu, Instruction insn) {
        long selector = peek(cpu, insn.operandSize, 0) & 0xffff;
        int segment = segment(insn);
        // The new SS applies from the next instruction on, but for the pointer's width, which is
        // taken before.
        long before = cpu.gpr[RSP];
        release(cpu, insn.operandSize);
        long after = cpu.gpr[RSP];
        cpu.gpr[RSP] = before;
        Segments.load(cpu, segment, (int) selector);
        cpu.gpr[RSP] = after;
        if (segment == SS) {
            cpu.shadow = 2;
        }
    }

    private static int segment(Instruction insn) {
        var operand = insn.row.operands().getFirst();
        return operand.kind() == OperandKind.FIXED_SEGMENT ? operand.fixed() : insn.reg;
    }
}
