package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.Exit;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Requests;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;

/** Floating-point errors by pin and interrupt, with CR0.NE clear (APM volume 2, 3.1.1). */
class FloatErrorTest implements InterruptSource {
    private static final long CODE = 0x10000, HANDLER = 0x30120, IDT = 0x9000;
    private static final int VECTOR = 0x75;

    private final BareMachine machine = new BareMachine();
    private boolean ignoring;
    private boolean error;
    private boolean requested;

    /** Division by zero unmasked: fninit; fldcw; fldz; fld1; fdiv; fwait at CODE + 13. */
    @BeforeEach
    void start() {
        machine.longMode(CODE);
        machine.block.interrupts = this;
        RamPages.setLong(
                IDT + 16 * VECTOR,
                HANDLER & 0xffff | 8L << 16 | 0x8e00L << 32 | HANDLER >> 16 << 48);
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 0x7ff;
        machine.group(X86.CONTROL)[X86.CR0] &= ~Bits.CR0_NE;
        machine.group(X86.GENERAL)[X86.RFLAGS] |= Bits.IF;
        RamPages.setLong(0x40000, 0x37b);
        code(CODE, "dbe3 d92c2500000400 d9e8 d9ee def9");
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private void code(long at, String hex) {
        machine.load(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    @Override
    public int acknowledge() {
        boolean was = requested;
        requested = false;
        return was ? VECTOR : NONE;
    }

    @Override
    public boolean floatError(boolean pending) {
        if (pending && !ignoring && !error) {
            requested = true;
            machine.block.requests().post(Requests.INTERRUPT);
        }
        error = pending;
        return ignoring || !pending;
    }

    @Test
    @DisplayName("the next waiting instruction freezes until the interrupt, and goes on behind it")
    void freezes() {
        code(CODE + 15, "9b 90 f4");
        // The handler looks, clears the error and returns to the instruction that waited.
        code(HANDLER, "dfe0 dbe2 48cf");
        assertEquals(Exit.BUDGET, machine.run(5));
        assertFalse(error);
        assertEquals(Exit.BUDGET, machine.run(1));
        assertEquals(6, machine.block.retired);
        assertEquals(CODE + 15, HostRam.getLong(0x80000 - 40));
        assertTrue(error);
        assertEquals(Exit.IDLE, machine.run(10));
        assertEquals(CODE + 18, machine.register(X86.RIP));
        assertEquals(0x84, machine.register(X86.RAX) & 0x84);
        assertFalse(error);
        assertEquals(5 + 3 + 3, machine.block.retired);
    }

    @Test
    @DisplayName("what freezes behind STI is awakened like any other")
    void freezesInTheShadow() {
        machine.group(X86.GENERAL)[X86.RFLAGS] &= ~Bits.IF;
        code(CODE + 15, "fb 9b 90 f4");
        code(HANDLER, "dbe2 48cf");
        assertEquals(Exit.IDLE, machine.run(20));
        assertEquals(CODE + 19, machine.register(X86.RIP));
        assertEquals(CODE + 16, HostRam.getLong(0x80000 - 40));
    }

    @Test
    @DisplayName("with IGNNE# asserted the error stays and is ignored")
    void ignores() {
        ignoring = true;
        code(CODE + 15, "9b d9e8 f4");
        assertEquals(Exit.IDLE, machine.run(20));
        assertEquals(CODE + 19, machine.register(X86.RIP));
        assertTrue(error);
    }

    @Test
    @DisplayName("instructions that do not wait do not freeze, and FNINIT takes the error away")
    void doesNotWait() {
        code(CODE + 15, "dfe0 dbe3 9b f4");
        assertEquals(Exit.IDLE, machine.run(20));
        assertEquals(CODE + 21, machine.register(X86.RIP));
        assertFalse(error);
    }

    @Test
    @DisplayName("without an interrupt the core waits as if it had halted, for an NMI too")
    void waits() {
        machine.group(X86.GENERAL)[X86.RFLAGS] &= ~Bits.IF;
        code(CODE + 15, "9b f4");
        assertEquals(Exit.IDLE, machine.run(20));
        assertEquals(CODE + 15, machine.register(X86.RIP));
        assertEquals(5, machine.block.retired);
        assertEquals(Exit.IDLE, machine.run(20));
    }
}
