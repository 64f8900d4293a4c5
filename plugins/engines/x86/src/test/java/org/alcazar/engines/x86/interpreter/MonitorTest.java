package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.Requests;
import org.alcazar.machine.VirtualCore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;

/** MONITOR and MWAIT (APM volume 3): what ends a wait, and that nothing is missed. */
class MonitorTest {
    private static final long CODE = 0x10000, OTHER = 0x11000, LINE = 0x40000, IDT = 0x9000;

    /** monitor; mwait; inc %ebx; hlt. */
    private static final String WAIT = "0f01c8 0f01c9 ffc3 f4";

    private final BareMachine machine = new BareMachine();
    private final Requests requests = machine.block.requests();
    private int wakes;

    @AfterEach
    void close() {
        machine.close();
    }

    private void code(long at, String hex) {
        machine.load(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private void start(String hex) {
        machine.longMode(CODE);
        code(CODE, hex);
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        machine.group(X86.GENERAL)[X86.RAX] = LINE + 8;
        machine.group(X86.GENERAL)[X86.RBX] = 0;
        machine.group(X86.GENERAL)[X86.RCX] = 0;
        requests.waker(() -> wakes++);
    }

    private void assertWaits() {
        assertEquals(Exit.IDLE, machine.run(100));
        assertEquals(X86.MONITORING, machine.group(X86.EVENTS)[X86.ACTIVITY]);
        machine.block.dirty = 0;
        machine.block.valid = 0;
        assertEquals(0, machine.register(X86.RBX));
    }

    private void assertGoesOn() {
        assertEquals(Exit.IDLE, machine.run(100));
        assertEquals(1, machine.register(X86.RBX));
    }

    @Test
    @DisplayName("a store to the line by a device ends the wait and wakes the thread")
    void storeByDevice() {
        start(WAIT);
        assertWaits();
        assertWaits();
        RamPages.setLong(LINE + 56, 1);
        assertEquals(1, wakes);
        assertTrue((requests.pending() & Requests.ENGINE) != 0);
        assertGoesOn();
    }

    @Test
    @DisplayName("a store of the same value ends the wait too")
    void silentStore() {
        start(WAIT);
        assertWaits();
        RamPages.setLong(LINE, 0);
        assertGoesOn();
    }

    @Test
    @DisplayName("a store between MONITOR and MWAIT is not missed")
    void storeBefore() {
        start("0f01c8 c60001 0f01c9 ffc3 f4"); // monitor; movb $1,(%rax); mwait; inc; hlt
        assertGoesOn();
    }

    @Test
    @DisplayName("MWAIT without MONITOR does nothing")
    void unarmed() {
        start("0f01c9 ffc3 f4");
        assertGoesOn();
    }

    /** A second core in the same state, whose code increments the line's last byte forever. */
    private VirtualCore second(ControlBlock block) {
        block.ports = Ranges.NONE;
        VirtualCore core = machine.engine.newCore(1, block);
        code(OTHER, "fe03 ebfc"); // incb (%rbx); jmp .-2
        core.fetch(block, -1);
        for (int group : new int[] {X86.CONTROL, X86.SEGMENTS, X86.GENERAL, X86.EVENTS}) {
            long[] from = machine.group(group);
            System.arraycopy(from, 0, block.group(group), 0, from.length);
        }
        block.group(X86.GENERAL)[X86.RIP] = OTHER;
        block.group(X86.GENERAL)[X86.RBX] = LINE + 63;
        block.dirty = -1;
        block.budget = 20;
        assertEquals(Exit.BUDGET, core.run(block));
        return core;
    }

    @Test
    @DisplayName("another core's store ends the wait, although it could write there unseen before")
    void storeByCore() {
        start(WAIT);
        ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
        VirtualCore core = second(block);
        assertWaits();
        block.budget = 2;
        assertEquals(Exit.BUDGET, core.run(block));
        assertTrue(wakes >= 1);
        assertGoesOn();
        core.close();
    }

    /** A device at which the first core begins to wait. */
    private final class WaitStarter implements ByteDevice {
        @Override
        public int readByte(int offset) {
            return 0;
        }

        @Override
        public void writeByte(int offset, int value) {
            assertWaits();
        }
    }

    @Test
    @DisplayName("what another core wrote unseen before it heard of the wait is found")
    void storeUnseen() {
        start(WAIT);
        ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
        VirtualCore core = second(block);
        // The wait begins while the other core is in a device access, whose block goes on.
        machine.bus.attachPorts(0x80, 1, new WaitStarter());
        code(OTHER, "e680 c603 63 ebfe"); // outb %al, $0x80; movb $99, (%rbx); jmp .
        core.fetch(block, 1L << X86.GENERAL);
        block.group(X86.GENERAL)[X86.RIP] = OTHER;
        block.dirty = 1L << X86.GENERAL;
        block.budget = 4;
        assertEquals(Exit.BUDGET, core.run(block));
        assertEquals(1, wakes);
        assertGoesOn();
        core.close();
    }

    @Test
    @DisplayName("a masked interrupt ends the wait only if ECX says so")
    void maskedInterrupts() {
        start(WAIT);
        requests.post(Requests.INTERRUPT);
        assertWaits();
        requests.take(-1);
        start("0f01c8 ffc1 0f01c9 ffc3 f4"); // monitor; inc %ecx; mwait; inc %ebx; hlt
        assertWaits();
        requests.post(Requests.INTERRUPT);
        assertGoesOn();
    }

    @Test
    @DisplayName("an interrupt that is taken ends the wait, and returns behind MWAIT")
    void interrupts() {
        start(WAIT);
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 0xfff;
        RamPages.setLong(IDT + 32, 0x8e00L << 32 | 8L << 16 | OTHER & 0xffff | OTHER >> 16 << 48);
        code(OTHER, "48ffc7 48cf"); // inc %rdi; iretq
        assertWaits();
        requests.post(Requests.NMI);
        assertGoesOn();
        assertEquals(1, machine.register(X86.RDI));
    }

    @Test
    @DisplayName("MWAITX with a time limit does not wait, without one it does")
    void mwaitx() {
        start("0f01fa b903000000 0f01fb ffc3 f4"); // monitorx; mov $3,%ecx; mwaitx; inc; hlt
        assertGoesOn();
        start("0f01fa 0f01fb ffc3 f4");
        assertWaits();
    }

    @Test
    @DisplayName("the VMM sees MWAIT where it wants to")
    void intercepted() {
        start(WAIT);
        machine.block.instructions = 1L << Intercept.MWAIT;
        assertEquals(Exit.INSTRUCTION, machine.run(100));
        assertEquals(Intercept.MWAIT, machine.block.frame().code);
        machine.block.frame().reply = ExitFrame.PROCEED;
        assertWaits();
    }

    @Test
    @DisplayName("a wait that was saved ends where it is restored")
    void restored() {
        start(WAIT);
        assertWaits();
        machine.group(X86.EVENTS);
        assertGoesOn();
    }
}
