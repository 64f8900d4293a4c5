package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

/** Performance counters while code runs (APM volume 2, 13.2). */
class PerformanceCounterTest {
    private static final long CODE = 0x10000, HANDLERS = 0x30000, IDT = 0x9000, USER = 0x20000;
    private static final long USR = 1 << 16, OS = 1 << 17, INT = 1 << 20, EN = 1 << 22;
    private static final long INSTRUCTIONS = 0xc0 | EN, CYCLES = 0x76 | EN;

    private final BareMachine machine = new BareMachine();
    private long now;
    private int overflows;

    @BeforeEach
    void start() {
        machine.longMode(CODE);
        for (int vector = 0; vector < 48; vector++) {
            long handler = HANDLERS + 16 * vector;
            RamPages.setLong(
                    IDT + 16 * vector,
                    handler & 0xffff | 8L << 16 | 0x8e00L << 32 | handler >> 16 << 48);
            code(handler, "f4");
        }
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 48 * 16 - 1;
        machine.block.interrupts =
                new InterruptSource() {
                    @Override
                    public int acknowledge() {
                        return NONE;
                    }

                    @Override
                    public void counterOverflow() {
                        overflows++;
                        machine.block.requests().post(Requests.NMI);
                    }
                };
        machine.block.time = retired -> now;
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private void code(long at, String hex) {
        machine.load(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private void count(int n, long control, long value) {
        long[] msrs = machine.group(X86.MSRS);
        msrs[X86.PERF_CTL0 + n] = control;
        msrs[X86.PERF_CTR0 + n] = value;
    }

    private long counter(int n) {
        machine.core.fetch(machine.block, 1L << X86.MSRS);
        return machine.block.group(X86.MSRS)[X86.PERF_CTR0 + n];
    }

    @Test
    @DisplayName("a program reads its own number of instructions exactly, also in mid-block")
    void exact() {
        count(2, INSTRUCTIONS | OS, 0);
        // mov $2,%ecx; rdpmc; mov %eax,%esi; 3 nop; call +0 (jmp); loop 100 times; rdpmc; hlt
        code(CODE, "b902000000 0f33 89c6 909090 b964000000 e2fe b902000000 0f33 f4");
        assertEquals(Exit.IDLE, machine.run(1000));
        assertEquals(1, machine.register(X86.RSI));
        assertEquals(1 + 1 + 1 + 3 + 1 + 100 + 1, machine.register(X86.RAX));
        assertEquals(machine.block.retired, counter(2));
    }

    @Test
    @DisplayName(
            "user and kernel instructions are told apart, whatever way leads from one to other")
    void split() {
        count(0, INSTRUCTIONS | OS, 0);
        count(1, INSTRUCTIONS | USR, 0);
        count(5, INSTRUCTIONS | USR | OS, 0);
        for (int i = 0; i < 512; i++) {
            RamPages.setLong(0x3000 + 8 * i, (long) i << 21 | 0x87);
        }
        RamPages.setLong(0x1000, 0x2007);
        RamPages.setLong(0x2000, 0x3007);
        long[] msrs = machine.group(X86.MSRS);
        msrs[X86.STAR] = 0x8L << 32 | 0x10L << 48;
        msrs[X86.LSTAR] = CODE + 0x100;
        machine.group(X86.GENERAL)[X86.RCX] = USER;
        code(CODE, "90 90 480f07"); // 3 in the kernel with sysret
        code(USER, "90 90 90 0f05"); // 4 with syscall
        code(CODE + 0x100, "ffc3 83fb05 7403 480f07 f4"); // 4 each but the last, then 4
        machine.run(1000);
        machine.core.fetch(machine.block, 1L << X86.GENERAL);
        // syscall leaves RCX behind itself, where the page is empty: add %al,(%rax) is 00 00
        assertEquals(counter(5), counter(0) + counter(1));
        assertEquals(machine.block.retired, counter(5));
        assertTrue(counter(1) >= 4);
    }

    @Test
    @DisplayName("an overflow interrupts behind exactly the instruction that makes it")
    void overflow() {
        for (int left = 1; left < 60; left++) {
            start();
            machine.group(X86.EVENTS)[X86.NMI_BLOCKED] = 0;
            machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
            overflows = 0;
            count(3, INSTRUCTIONS | OS | INT, (1L << 48) - left);
            code(CODE, "90".repeat(50) + "ffc0 ebfc");
            assertEquals(Exit.IDLE, machine.run(1000));
            assertEquals(1, overflows);
            long expected = left <= 50 ? CODE + left : CODE + 50 + (left - 50 & 1) * 2;
            assertEquals(expected, HostRam.getLong(machine.register(X86.RSP)), "" + left);
            assertEquals(HANDLERS + 2 * 16 + 1, machine.register(X86.RIP));
            assertEquals(1, counter(3));
        }
    }

    @Test
    @DisplayName("counters wrap at 48 bits and interrupt only when they are told to")
    void wrap() {
        count(0, INSTRUCTIONS | OS, (1L << 48) - 3);
        code(CODE, "90 90 90 90 90 f4");
        machine.run(1000);
        assertEquals(3, counter(0));
        assertEquals(0, overflows);
    }

    @Test
    @DisplayName("cycles are those of the clock, but for the time in halt")
    void cycles() {
        count(0, CYCLES | OS, 10);
        code(CODE, "90 90 f4 90 90 f4");
        assertEquals(Exit.BUDGET, machine.run(2));
        now += 1000;
        assertEquals(1010, counter(0));
        assertEquals(Exit.IDLE, machine.run(10));
        now += 5000;
        assertEquals(Exit.IDLE, machine.run(10));
        assertEquals(1010, counter(0));
        machine.block.requests().post(Requests.NMI);
        assertEquals(Exit.BUDGET, machine.run(0));
        now += 7;
        assertEquals(1017, counter(0));
    }

    @Test
    @DisplayName("a counter of cycles interrupts soon after it overflows")
    void cycleOverflow() {
        machine.block.time = retired -> retired;
        count(0, CYCLES | OS | INT, (1L << 48) - 100_000);
        code(CODE, "ebfe");
        assertEquals(Exit.IDLE, machine.run(10_000_000));
        assertEquals(1, overflows);
        assertTrue(machine.block.retired >= 100_000 && machine.block.retired < 200_000);
    }

    @Test
    @DisplayName("one that is far off when it starts does too")
    void farOverflow() {
        long left = (1L << 30) + (1L << 29);
        machine.block.time = retired -> 1000 * retired;
        count(0, CYCLES | OS | INT, (1L << 48) - left);
        code(CODE, "ebfe");
        assertEquals(Exit.IDLE, machine.run(10_000_000));
        assertEquals(1, overflows);
        long late = machine.block.retired - left / 1000;
        assertTrue(late >= 0 && late <= 1 << 16, () -> "late by " + late);
    }

    @Test
    @DisplayName("unknown events, larger count masks and disabled counters count nothing")
    void nothing() {
        count(0, 0xc0 | OS | USR, 0);
        count(1, 0x41 | EN | OS, 0);
        count(2, INSTRUCTIONS | OS | 2 << 24, 0);
        count(3, INSTRUCTIONS, 0);
        count(4, INSTRUCTIONS | USR, 0);
        count(5, INSTRUCTIONS | OS | 1 << 24, 0);
        code(CODE, "90 90 90 f4");
        machine.run(100);
        for (int n = 0; n < 5; n++) {
            assertEquals(0, counter(n), "counter " + n);
        }
        assertEquals(4, counter(5));
    }

    @Test
    @DisplayName("counters go on where they were on another core")
    void moves() {
        count(0, INSTRUCTIONS | OS, 0);
        code(CODE, "90 90 90 90 ebfa");
        machine.run(7);
        machine.core.fetch(machine.block, X86.ARCHITECTURE.allGroups());
        machine.block.dirty = X86.ARCHITECTURE.allGroups();
        machine.run(7);
        assertEquals(14, counter(0));
    }
}
