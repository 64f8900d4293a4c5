package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Instruction;

import java.io.IOException;
import java.util.List;

/** Makes failing cases small: one instruction, and of the state what it needs to fail. */
final class Shrinker {
    private final Oracle oracle;

    Shrinker(Oracle oracle) {
        this.oracle = oracle;
    }

    State shrink(State failing) throws IOException {
        State small = oneInstruction(failing);
        for (int r = 0; r < 16; r++) {
            small = zero(small, Layout.GPR + 8 * r, 8);
        }
        small = zero(small, Layout.OPTIONS, 4);
        small = zero(small, Layout.MEMORY, Layout.MEMORY_BYTES);
        for (int m = 0; m < Layout.MEMORY_BYTES; m += 64) {
            small = zero(small, Layout.MEMORY + m, 64);
        }
        for (int m = 0; m < Layout.MEMORY_BYTES; m += 8) {
            small = zero(small, Layout.MEMORY + m, 8);
        }
        small = zero(small, Layout.FX + Layout.XMM, 256);
        small = zero(small, Layout.FX + Layout.ST, 128);
        for (int x = 0; x < 384; x += 8) {
            small = zero(small, Layout.FX + Layout.ST + x, 8);
        }
        small = zero(small, Layout.FX + Layout.FSW, 2);
        return zero(small, Layout.FX + Layout.FTW, 1);
    }

    private State zero(State from, int field, int bytes) throws IOException {
        State to = new State();
        to.copy(from);
        java.util.Arrays.fill(to.bytes(), field, field + bytes, (byte) 0);
        return oracle.differences(to).isEmpty() ? from : to;
    }

    /**
     * The first instruction that fails from the state that those before it make on the processor;
     * the whole case if none fails alone.
     */
    private State oneInstruction(State failing) throws IOException {
        List<Instruction> all = oracle.instructions(failing);
        int at = 0;
        for (Instruction insn : all) {
            State before = failing;
            if (at > 0) {
                State prefix = new State();
                prefix.copy(failing);
                prefix.set32(Layout.CODE_BYTES, at);
                before = follow(failing, oracle.ask(prefix));
            }
            State single = new State();
            single.copy(before);
            byte[] code = failing.bytes();
            System.arraycopy(code, Layout.CODE + at, single.bytes(), Layout.CODE, insn.length);
            single.set32(Layout.CODE_BYTES, insn.length);
            single.set32(Layout.CODE_AT, failing.i32(Layout.CODE_AT) + at);
            single.set32(Layout.ENTRY, failing.i32(Layout.ENTRY) + at);
            if (!oracle.differences(single).isEmpty()) {
                return single;
            }
            at += insn.length;
        }
        return failing;
    }

    /** The case whose start is another's end. */
    private static State follow(State first, State end) {
        State next = new State();
        next.copy(first);
        byte[] from = end.bytes();
        System.arraycopy(from, Layout.GPR, next.bytes(), Layout.GPR, 128);
        System.arraycopy(from, Layout.FX, next.bytes(), Layout.FX, 512 + Layout.MEMORY_BYTES);
        long flags = end.i64(Layout.OUT_RFLAGS) & ~(Bits.RF | Bits.TF);
        next.set64(Layout.RFLAGS, flags);
        return next;
    }
}
