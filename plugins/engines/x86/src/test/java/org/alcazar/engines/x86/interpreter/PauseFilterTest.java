package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;

/** The pause filter (APM volume 2, 15.14.4), in instructions instead of cycles. */
class PauseFilterTest {
    private static final long CODE = 0x10000;

    /** pause; inc %rax; jmp to the start: a pause every third instruction. */
    private static final String SPIN = "f390 48ffc0 ebf9";

    private static final int COUNT = 10, DISTANCE = 3;

    private final BareMachine machine = new BareMachine();

    @AfterEach
    void close() {
        machine.close();
    }

    private void start(String hex, int count, int threshold) {
        machine.longMode(CODE);
        machine.load(CODE, HexFormat.of().parseHex(hex.replace(" ", "")));
        machine.block.pauseCount = count;
        machine.block.pauseThreshold = threshold;
    }

    @Test
    void soManyPausesInARowLeaveAndThePauseComesAgain() {
        start(SPIN, COUNT, DISTANCE);
        for (int round = 1; round <= 3; round++) {
            assertEquals(Exit.SPIN, machine.run(1000));
            assertEquals((long) round * COUNT * DISTANCE, machine.block.retired);
            assertEquals((long) round * COUNT, machine.register(X86.RAX));
            assertEquals(CODE, machine.register(X86.RIP));
        }
    }

    @Test
    void pausesFurtherApartAreNoSpinning() {
        start(SPIN, COUNT, DISTANCE - 1);
        assertEquals(Exit.BUDGET, machine.run(1000));
    }

    @Test
    void aStretchWithoutPauseBeginsTheCountAnew() {
        // mov $8,%ecx; 1: pause; dec %ecx; jnz 1b; four times nop; jmp to the start
        start("b908000000 f390 ffc9 75fa 90909090 ebef", COUNT, 4);
        assertEquals(Exit.BUDGET, machine.run(1000));
        start("b908000000 f390 ffc9 75fa 90909090 ebef", COUNT, 9);
        assertEquals(Exit.SPIN, machine.run(1000));
    }

    @Test
    void withoutACountNothingLeaves() {
        start(SPIN, 0, DISTANCE);
        assertEquals(Exit.BUDGET, machine.run(1000));
    }

    @Test
    void whereItLeavesDoesNotDependOnBudgets() {
        start(SPIN, COUNT, DISTANCE);
        for (int i = 0; i < COUNT * DISTANCE; i++) {
            assertEquals(Exit.BUDGET, machine.run(1));
        }
        assertEquals(Exit.SPIN, machine.run(1));
        assertEquals((long) COUNT * DISTANCE, machine.block.retired);
    }

    @Test
    void anInterceptComesBeforeTheFilter() {
        start("f390 f4", 1, DISTANCE);
        machine.block.instructions = 1L << Intercept.PAUSE;
        assertEquals(Exit.INSTRUCTION, machine.run(1000));
        assertEquals(Intercept.PAUSE, machine.block.frame().code);
        machine.block.frame().reply = ExitFrame.PROCEED;
        assertEquals(Exit.IDLE, machine.run(1000));
        assertEquals(2, machine.block.retired);
    }
}
