package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.OperandKind;

import java.util.SplittableRandom;

/** Fits registers and memory of a case to an instruction, so that it has something to work on. */
final class Preparation {
    private static final int[] SEGMENT_FIELDS = {
        Layout.ES, Layout.CS, Layout.SS, Layout.DS, Layout.FS, Layout.GS
    };

    private static final int[] SELECTORS = {
        0,
        3,
        Descriptor.USER_CS32,
        Descriptor.USER_DS,
        Descriptor.USER_CS,
        0x10,
        0x18,
        0x28,
        0x2f,
        0x1000,
        0xfffc
    };

    private final Values values;
    private final Encoder encoder;
    private SplittableRandom random = new SplittableRandom(0);

    /** Registers that hold pointers, which no later instruction changes. */
    private int taken;

    Preparation(Values values, Encoder encoder) {
        this.values = values;
        this.encoder = encoder;
    }

    void begin(State to, SplittableRandom source) {
        random = source;
        taken = 0;
        if (random.nextInt(8) != 0) {
            pointer(to, X86.RSP, X86.SS, stackTarget());
        }
    }

    /** For the encoder's last instruction, which stands at an offset in the code. */
    void prepare(State to, int offset) {
        Instruction insn = encoder.insn;
        long target = target();
        boolean edge = target >>> 32 != 0;
        if (edge && CaseBuilder.looseAlignment(insn)) {
            // Whose halves may be on both sides of an edge.
            target &= -16;
        }
        if (edge && (insn.segment >= X86.FS || insn.segmentOverride >= X86.FS)) {
            // Some processors want the offset to be canonical too.
            target = window(0, 32);
        }
        switch (insn.row.semantics()) {
            case "FxSave.fxsave", "FxSave.fxrstor" -> target = image(to);
            default -> {
                boolean far = insn.row.semantics().matches("X87State.*|BitOps.bt.?");
                if (far && target >> 20 != Layout.DATA >> 20) {
                    // Not at the edges of the address space, which these reach across.
                    target = window(0, 128);
                }
            }
        }
        if (insn.memory) {
            address(to, offset, target);
        } else if (encoder.has(OperandKind.ABSOLUTE)) {
            long value = target - base(to, insn.segment);
            encoder.patch(encoder.immediateAt, insn.addressSize, value);
        }
        special(to, offset, target);
        encoder.again(insn.mode);
    }

    // ---- where operands are

    private long window(int window, int bytes) {
        return Layout.DATA
                + Layout.WINDOW[window]
                + (random.nextInt(Layout.WINDOW_BYTES[window] - bytes) & -16);
    }

    /** A linear address for an operand. */
    private long target() {
        int n = random.nextInt(64);
        long aligned = window(0, 32);
        if (n < 36) {
            return aligned;
        }
        return switch (n) {
            case 36, 37, 38, 39, 40, 41, 42, 43, 44, 45 -> aligned + random.nextInt(16);
            case 46, 47 -> aligned + 4;
            case 48, 49 -> aligned + 8;
            case 50, 51 -> Layout.DATA + 0xff0 + random.nextInt(32);
            case 52 -> window(1, 16);
            case 53, 54 -> Layout.DATA + 0x2000 - random.nextInt(20);
            case 55 -> Layout.DATA + 0x4000 - random.nextInt(20);
            case 56 -> Layout.DATA + 0x4000 + random.nextInt(64);
            case 57 -> Layout.DATA + 0x2000 + random.nextInt(0x1000);
            case 58 -> Layout.CODE_PAGE + random.nextInt(0x1000);
            case 59 -> random.nextLong();
            case 60 -> 0x7fff_ffff_fff0L + random.nextInt(32);
            case 61 -> 0xffff_8000_0000_0000L - random.nextInt(16);
            case 62 -> random.nextInt(16) - 8;
            default -> aligned;
        };
    }

    private long stackTarget() {
        int n = random.nextInt(16);
        return switch (n) {
            case 0 -> window(0, 32) + random.nextInt(16);
            case 1 -> Layout.DATA + 0x2000 - 2 * random.nextInt(6);
            case 2 -> Layout.DATA + 0x3000 + 2 * random.nextInt(6);
            default -> Layout.DATA + 0xf00 + (random.nextInt(0x200) & -8);
        };
    }

    private long image(State to) {
        int at = random.nextInt(8) * 16;
        int place = Layout.MEMORY + at;
        // An image that can be loaded: no reserved bits of MXCSR, mostly.
        if (random.nextInt(8) != 0) {
            to.set32(place + Layout.MXCSR, to.i32(place + Layout.MXCSR) & 0xffff);
        } else {
            // Misaligned mode is not announced; the processor may have it.
            to.set32(place + Layout.MXCSR, to.i32(place + Layout.MXCSR) & ~(1 << 17));
        }
        return Layout.DATA + Layout.WINDOW[0] + at + (random.nextInt(8) == 0 ? 8 : 0);
    }

    /** Base of the segment that an instruction uses. */
    private static long base(State s, int segment) {
        if (!s.compat()) {
            return segment == X86.FS
                    ? s.i64(Layout.FS_BASE)
                    : segment == X86.GS ? s.i64(Layout.GS_BASE) : 0;
        }
        int selector = s.u16(SEGMENT_FIELDS[segment]);
        return selector == 0 ? 0 : Descriptor.of(selector).base();
    }

    private boolean free(int register) {
        return register >= 0 && (taken >> register & 1) == 0;
    }

    private void set(State to, int register, long value) {
        to.gpr(register, to.compat() ? value & 0xffff_ffffL : value);
    }

    private void pointer(State to, int register, int segment, long target) {
        if (free(register)) {
            taken |= 1 << register;
            set(to, register, target - base(to, segment));
        }
    }

    /** Makes ModRM's operand lie at a linear address, if its registers are free. */
    private void address(State to, int offset, long target) {
        Instruction insn = encoder.insn;
        long rest = target - base(to, insn.segment);
        long mask = mask(insn.addressSize);
        if (insn.base == Instruction.RIP_RELATIVE) {
            long next = (to.i32(Layout.ENTRY) & 0xffff_ffffL) + offset + insn.length;
            encoder.patch(encoder.displacementAt, 4, rest - next);
            return;
        }
        rest -= insn.displacement;
        if (insn.index >= 0 && insn.index != insn.base) {
            if (free(insn.index) && insn.base >= 0) {
                set(to, insn.index, random.nextInt(64));
                taken |= 1 << insn.index;
            }
            rest -= to.gpr(insn.index) << insn.scale;
        }
        if (insn.base < 0 && insn.index < 0) {
            if (encoder.displacementBytes >= 2) {
                encoder.patch(
                        encoder.displacementAt,
                        encoder.displacementBytes,
                        insn.displacement + rest);
            }
        } else if (insn.base < 0) {
            if (free(insn.index)) {
                long all = rest + (to.gpr(insn.index) << insn.scale);
                taken |= 1 << insn.index;
                set(to, insn.index, (all & mask) >>> insn.scale);
            }
        } else if (free(insn.base)) {
            taken |= 1 << insn.base;
            long value = rest & mask;
            if (insn.index == insn.base) {
                value = insn.scale == 0 ? value >>> 1 : value;
            }
            // What is beyond the address size does not matter.
            long above = to.gpr(insn.base) & ~mask;
            set(to, insn.base, value | above);
        }
    }

    private static long mask(int addressSize) {
        return addressSize == 8 ? -1L : addressSize == 4 ? 0xffff_ffffL : 0xffff;
    }

    // ---- what operands are

    private void special(State to, int offset, long target) {
        Instruction insn = encoder.insn;
        String name = insn.row.semantics();
        String group = name.substring(0, name.indexOf('.'));
        switch (group) {
            case "Strings" -> string(to);
            case "Shift" -> count(to);
            case "BitOps" -> bitOffset(to);
            case "MulDiv" -> divide(to, target);
            case "Branches" -> branch(to, offset, target);
            case "FarTransfers" -> far(to, target);
            case "Stack" -> stack(to, target);
            case "SystemInstructions" -> system(to, name, target);
            default -> named(to, name, target);
        }
    }

    private void named(State to, String name, long target) {
        switch (name) {
            case "Moves.xlat" ->
                    pointer(to, X86.RBX, encoder.insn.segment, target - (to.gpr(X86.RAX) & 0xff));
            case "Alu.cmpxchg", "Alu.cmpxchg8b", "Alu.cmpxchg16b" -> equal(to, target);
            case "SseMemory.maskmovdqu", "Mmx.maskmovq" ->
                    pointer(to, X86.RDI, segmentOr(X86.DS), target);
            case "FxSave.ldmxcsr" -> word(to, target, 4, random.nextInt(0x10000));
            case "X87Control.fldcw" -> word(to, target, 2, random.nextInt(0x10000));
            default -> {}
        }
    }

    private int segmentOr(int segment) {
        int override = encoder.insn.segmentOverride;
        return override >= 0 ? override : segment;
    }

    private void string(State to) {
        int segment = segmentOr(X86.DS);
        long source = target();
        // Some processors want the offset to be canonical too.
        source = segment >= X86.FS && source >>> 32 != 0 ? window(0, 32) : source;
        pointer(to, X86.RSI, segment, source);
        pointer(to, X86.RDI, X86.ES, target());
        if (encoder.insn.repeat != 0 && free(X86.RCX)) {
            taken |= 1 << X86.RCX;
            long above = to.gpr(X86.RCX) & ~mask(encoder.insn.addressSize);
            set(to, X86.RCX, above | random.nextInt(random.nextInt(16) == 0 ? 700 : 24));
        }
    }

    private void count(State to) {
        if (free(X86.RCX) && random.nextBoolean()) {
            set(to, X86.RCX, to.gpr(X86.RCX) & ~0xffL | random.nextInt(70));
        }
    }

    private void bitOffset(State to) {
        Instruction insn = encoder.insn;
        if (insn.memory && encoder.has(OperandKind.REG) && free(insn.reg)) {
            if (random.nextInt(4) != 0) {
                set(to, insn.reg, random.nextInt(2048) - 1024);
            }
        }
    }

    private void equal(State to, long target) {
        int at = Layout.memory(target - Layout.DATA);
        if (at < 0 || at > Layout.MEMORY_BYTES - 16 || random.nextInt(3) == 0) {
            return;
        }
        boolean wide = encoder.insn.operandSize == 8;
        long low = to.i64(Layout.MEMORY + at);
        if (free(X86.RAX)) {
            set(to, X86.RAX, low);
        }
        if (free(X86.RDX)) {
            set(to, X86.RDX, wide ? to.i64(Layout.MEMORY + at + 8) : low >>> 32);
        }
    }

    private void divide(State to, long target) {
        if (encoder.insn.modrm >= 0 && random.nextBoolean() && free(X86.RDX) && free(X86.RAX)) {
            long sign = random.nextBoolean() ? 0 : to.gpr(X86.RAX) >> 63;
            set(to, X86.RDX, sign);
            int at = Layout.memory(target - Layout.DATA);
            if (encoder.insn.memory && at >= 0 && at < Layout.MEMORY_BYTES - 8) {
                to.set64(Layout.MEMORY + at, to.i64(Layout.MEMORY + at) | 1);
            }
        }
        if (encoder.insn.row.mnemonic().startsWith("aa")) {
            set(to, X86.RAX, random.nextInt(0x10000));
        }
    }

    /** Somewhere in the page of code, where another HLT is; rarely anywhere. */
    private long place(State to) {
        if (random.nextInt(16) == 0) {
            return values.integer();
        }
        long at = random.nextInt(0x1b0) + (random.nextBoolean() ? 0xb00 : 0);
        return Layout.CODE_PAGE + at - base(to, X86.CS);
    }

    private void branch(State to, int offset, long target) {
        Instruction insn = encoder.insn;
        long next = (to.i32(Layout.ENTRY) & 0xffff_ffffL) + offset + insn.length;
        int bytes = insn.length - encoder.immediateAt;
        if (encoder.has(OperandKind.RELATIVE)) {
            long jump = bytes == 1 ? random.nextInt(0x30) : place(to) - next;
            if (bytes == 1 && random.nextInt(4) == 0) {
                // Back beyond the case's own code.
                jump = -0x40 - random.nextInt(0x40);
            }
            encoder.patch(encoder.immediateAt, bytes, jump);
            if (insn.row.mnemonic().matches("loop.*|jcxz") && free(X86.RCX)) {
                set(to, X86.RCX, random.nextInt(3));
            }
            return;
        }
        if (insn.memory) {
            word(to, target, 8, place(to));
        } else if (insn.rm >= 0 && free(insn.rm)) {
            set(to, insn.rm, place(to));
        }
        if (insn.row.mnemonic().equals("ret") && random.nextInt(4) != 0) {
            word(to, stackTop(to), insn.operandSize, place(to));
        }
    }

    private static long stackTop(State to) {
        return to.gpr(X86.RSP) + base(to, X86.SS);
    }

    /** Writes to the memory that the case brings along, if an address is there. */
    private static void word(State to, long address, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            int at = Layout.memory(address + i - Layout.DATA);
            if (at >= 0) {
                to.set8(Layout.MEMORY + at, (int) (value >> 8 * i));
            }
        }
    }

    private int selector() {
        return random.nextInt(3) == 0
                ? SELECTORS[random.nextInt(SELECTORS.length)]
                : Descriptor.selector(random.nextInt(Descriptor.TABLE.size() + 1));
    }

    private long placeIn(int selector) {
        long at = Layout.CODE_PAGE + random.nextInt(0x1b0);
        return (selector & 7) == 7 && selector >> 3 < Descriptor.TABLE.size()
                ? at - Descriptor.of(selector).base()
                : at;
    }

    private int codeSelector(State to) {
        boolean call = encoder.insn.row.mnemonic().equals("callf");
        if (call && to.compat()) {
            // A call into 64-bit code pushes with an upper half of RSP that nobody defines.
            int[] local = {0x23, 7, 15, 23, 31, 39, 0x10, 12 << 3 | 7, 14 << 3 | 7};
            return local[random.nextInt(local.length)];
        }
        if (call) {
            // And out of it, to the stack of the mode that comes.
            int[] wide = {0x33, 0x33, 0x10, 0x18, 0, 0x1000, 12 << 3 | 7, 14 << 3 | 7};
            return wide[random.nextInt(wide.length)];
        }
        int[] likely = {0x23, 0x33, 7, 15, 23, 31, 39};
        return random.nextInt(4) == 0 ? selector() : likely[random.nextInt(likely.length)];
    }

    private void far(State to, long target) {
        Instruction insn = encoder.insn;
        int size = insn.operandSize;
        int selector = codeSelector(to);
        switch (insn.row.mnemonic()) {
            case "callf", "jmpf" -> {
                int bytes = Math.min(4, size);
                if (insn.memory) {
                    word(to, target, bytes, placeIn(selector));
                    word(to, target + bytes, 2, selector);
                } else {
                    encoder.patch(encoder.immediateAt, bytes, placeIn(selector));
                    encoder.patch(encoder.immediateAt + bytes, 2, selector);
                }
            }
            case "retf" -> {
                word(to, stackTop(to), size, placeIn(selector));
                word(to, stackTop(to) + size, size, selector);
            }
            case "int" -> {
                if (encoder.bytes()[encoder.immediateAt] == (byte) 0x80) {
                    encoder.bytes()[encoder.immediateAt] = 4;
                }
            }
            default -> {
                if (insn.row.mnemonic().startsWith("iret")) {
                    frame(to, size, selector);
                }
            }
        }
    }

    private void frame(State to, int size, int selector) {
        long at = stackTop(to);
        word(to, at, size, placeIn(selector));
        word(to, at + size, size, selector);
        word(to, at + 2 * size, size, values.integer() & ~0x2_0000L);
        word(to, at + 3 * size, size, Layout.DATA + 0x1000);
        int[] likely = {0x2b, 0x37, 0x3f, 0x47, 0x4f};
        int ss = random.nextInt(4) == 0 ? selector() : likely[random.nextInt(likely.length)];
        word(to, at + 4 * size, size, ss);
    }

    private void stack(State to, long target) {
        Instruction insn = encoder.insn;
        switch (insn.row.mnemonic()) {
            case "leave", "enter" -> pointer(to, X86.RBP, X86.SS, stackTarget());
            case "pop" -> {
                if (insn.row.semantics().equals("Stack.popSegment")) {
                    word(to, stackTop(to), 2, selector());
                }
            }
            default -> {}
        }
    }

    private void system(State to, String name, long target) {
        Instruction insn = encoder.insn;
        switch (name.substring(name.indexOf('.') + 1)) {
            case "movToSegment", "lar", "lsl", "verr", "verw", "arpl" -> {
                if (insn.memory) {
                    word(to, target, 2, selector());
                } else if (insn.rm >= 0 && free(insn.rm)) {
                    set(to, insn.rm, to.gpr(insn.rm) & ~0xffffL | selector());
                }
            }
            case "les", "lds", "lss", "lfs", "lgs" ->
                    word(to, target + Math.min(4, insn.operandSize), 2, selector());
            case "bound" -> {
                int size = insn.operandSize;
                long index = to.gpr(insn.reg);
                word(to, target, size, index - random.nextInt(3));
                word(to, target + size, size, index + random.nextInt(8) - 2);
            }
            default -> {}
        }
    }
}
