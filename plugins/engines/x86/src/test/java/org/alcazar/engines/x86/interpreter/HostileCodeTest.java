package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.Exit;
import org.alcazar.machine.RamPages;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What a guest may do to spoil translated code: the right result all the same, and bounds. */
@ExtendWith(TestEngines.Translated.class)
class HostileCodeTest {
    private static final long CODE = 0x100000;
    private static final long BUDGET = 200_000_000;

    /** Tables of {@link BareMachine#longMode}: 512 large pages. */
    private static final long DIRECTORY = 0x3000;

    private static byte[] bytes(int... values) {
        byte[] b = new byte[values.length];
        for (int i = 0; i < b.length; i++) {
            b[i] = (byte) values[i];
        }
        return b;
    }

    private static ByteBuffer code(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void halts(BareMachine machine) {
        assertEquals(Exit.IDLE, machine.run(BUDGET));
    }

    @Test
    @DisplayName("a loop that writes over its own immediate each time adds up what it wrote")
    void aLoopThatRewritesItself() {
        try (BareMachine machine = new BareMachine()) {
            // again: add eax, imm32 (changed each time); inc dword [again+1]; dec ecx; jnz; hlt
            ByteBuffer b = code(64);
            b.put(bytes(0x05)).putInt(1);
            b.put(bytes(0xff, 0x05)).putInt(1 - 11); // RIP-relative: the immediate
            b.put(bytes(0xff, 0xc9, 0x75, 0x100 - 15, 0xf4));
            machine.load(CODE, b.array());
            machine.longMode(CODE);
            machine.group(X86.GENERAL)[X86.RCX] = 400;
            machine.group(X86.GENERAL)[X86.RAX] = 0;
            halts(machine);
            assertEquals(400 * 401 / 2, machine.register(X86.RAX));
        }
    }

    @Test
    @DisplayName("thousands of pages of code run once, and again many times, and stay bounded")
    void codeFromThousandsOfPages() {
        int pages = 2500;
        long first = 0x1000000;
        for (int times : new int[] {1, 1500}) {
            int used = times == 1 ? pages : 300;
            try (BareMachine machine = new BareMachine()) {
                for (int i = 0; i < used; i++) {
                    // add rax, 1; loop: dec ecx; jnz loop; mov ecx, times; jmp next page
                    ByteBuffer b = code(32);
                    b.put(bytes(0xb9)).putInt(times);
                    b.put(bytes(0x48, 0x83, 0xc0, 0x01, 0xff, 0xc9, 0x75, 0x100 - 8));
                    if (i == used - 1) {
                        b.put(bytes(0xf4));
                    } else {
                        b.put(bytes(0xe9)).putInt(4096 - 18);
                    }
                    machine.load(first + 4096L * i, b.array());
                }
                machine.longMode(first);
                machine.group(X86.GENERAL)[X86.RAX] = 0;
                halts(machine);
                assertEquals((long) used * times, machine.register(X86.RAX));
            }
        }
    }

    @Test
    @DisplayName("a jump into the middle of an instruction runs what the bytes from there say")
    void intoTheMiddleOfAnInstruction() {
        try (BareMachine machine = new BareMachine()) {
            // 0: add eax, imm32 whose bytes are "add bl, 1; nop; nop"... entered at 0 and at 1
            // 0: 05 80 c3 01 90  | 5: ff c9 | 7: 74 03 | 9: f6 c1 01 | c: 74 -14 (0) | e: jmp 1
            machine.load(
                    CODE,
                    bytes(
                            0x05,
                            0x80,
                            0xc3,
                            0x01,
                            0x90,
                            0xff,
                            0xc9,
                            0x74,
                            0x07,
                            0xf6,
                            0xc1,
                            0x01,
                            0x74,
                            0x100 - 14,
                            0xeb,
                            0x100 - 15,
                            0xf4));
            machine.longMode(CODE);
            long[] g = machine.group(X86.GENERAL);
            g[X86.RCX] = 1000;
            g[X86.RAX] = 0;
            g[X86.RBX] = 0;
            halts(machine);
            assertEquals(500 * 0x9001c380L & 0xffffffffL, machine.register(X86.RAX));
            assertEquals(500 & 0xff, machine.register(X86.RBX));
        }
    }

    @Test
    @DisplayName("a hot loop that changes between 64-bit and 32-bit code by far jumps")
    void modesChangeInAHotLoop() {
        try (BareMachine machine = new BareMachine()) {
            long narrow = CODE + 0x100;
            // 64-bit: inc rax (48 ff c0); jmp far [rip+...] to 0x18:narrow
            ByteBuffer b = code(64);
            b.put(bytes(0x48, 0xff, 0xc0, 0xff, 0x2d)).putInt(0);
            b.putInt((int) narrow).putShort((short) 0x18);
            machine.load(CODE, b.array());
            // 32-bit: 48 is dec eax there: inc ebx; dec ecx; jz out; jmp far 8:CODE; out: hlt
            b = code(64);
            b.put(bytes(0x43, 0x49, 0x74, 0x07, 0xea)).putInt((int) CODE).putShort((short) 8);
            b.put(bytes(0xf4));
            machine.load(narrow, b.array());
            machine.longMode(CODE);
            RamPages.setLong(0x8000 + 24, 0x00cf9b000000ffffL);
            machine.group(X86.SEGMENTS)[X86.GDTR_LIMIT] = 31;
            long[] g = machine.group(X86.GENERAL);
            g[X86.RCX] = 5000;
            g[X86.RAX] = 0;
            g[X86.RBX] = 0;
            halts(machine);
            assertEquals(5000, machine.register(X86.RAX));
            assertEquals(5000, machine.register(X86.RBX));
        }
    }

    @Test
    @DisplayName("one page mapped at many addresses runs at each, and is changed at all of them")
    void onePageAtManyAddresses() {
        try (BareMachine machine = new BareMachine()) {
            machine.longMode(CODE);
            int aliases = 200;
            long physical = 0x1200000;
            long program = physical + 0x40;
            for (int i = 0; i < aliases; i++) {
                RamPages.setLong(DIRECTORY + 8L * (100 + i), physical & -(2L << 20) | 0x83);
            }
            // entry: lea rax+rip-dependent: add rbx, imm8 2; ret
            machine.load(program, bytes(0x48, 0x83, 0xc3, 0x02, 0xc3));
            // loop over the aliases: rsi = address; call rsi; add rsi, 2 MiB; dec ecx; jnz; hlt
            ByteBuffer b = code(64);
            b.put(bytes(0xff, 0xd6, 0x48, 0x81, 0xc6)).putInt(2 << 20);
            b.put(bytes(0xff, 0xc9, 0x75, 0x100 - 13, 0xf4));
            machine.load(CODE, b.array());
            for (int step : new int[] {2, 5}) {
                RamPages.setByte(program + 3, (byte) step);
                for (int turn = 0; turn < 3; turn++) {
                    long[] g = machine.group(X86.GENERAL);
                    g[X86.RIP] = CODE;
                    g[X86.RSI] = (100L << 21) + (program & (2 << 20) - 1);
                    g[X86.RCX] = aliases;
                    g[X86.RBX] = 0;
                    machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
                    halts(machine);
                    assertEquals((long) aliases * step, machine.register(X86.RBX));
                }
            }
        }
    }

    @Test
    @DisplayName("a region over two addresses of one page is not used when one of them moves")
    void anAliasThatMoves() {
        try (BareMachine machine = new BareMachine()) {
            machine.longMode(CODE);
            long here = 0x1200000;
            long there = 0x1400000;
            long one = 100L << 21;
            long other = 101L << 21;
            RamPages.setLong(DIRECTORY + 8 * 100, here | 0x83);
            RamPages.setLong(DIRECTORY + 8 * 101, here | 0x83);
            // At 0: inc ebx; jmp to the other address's 0x10. At 0x10: dec ecx; jz out; jmp back.
            ByteBuffer b = code(64);
            b.put(bytes(0xff, 0xc3, 0xe9)).putInt((int) (other + 0x10 - one - 7));
            b.position(0x10);
            b.put(bytes(0xff, 0xc9, 0x74, 0x05, 0xe9)).putInt((int) (one - other - 0x19));
            b.put(bytes(0xf4));
            machine.load(here, b.array());
            // The same there, but with another addition before: add edx, 1.
            b.position(0x10);
            b.put(bytes(0x83, 0xc2, 0x01, 0xff, 0xc9, 0x74, 0x05, 0xe9));
            b.putInt((int) (one - other - 0x1c)).put(bytes(0xf4));
            machine.load(there, b.array());
            for (int turn = 0; turn < 2; turn++) {
                long[] g = machine.group(X86.GENERAL);
                g[X86.RIP] = one;
                g[X86.RCX] = 2000;
                g[X86.RBX] = 0;
                g[X86.RDX] = 0;
                machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
                halts(machine);
                assertEquals(2000, machine.register(X86.RBX));
                assertEquals(turn == 0 ? 0 : 2000, machine.register(X86.RDX));
                // Moved, and the tables' change made known as by a write of CR3.
                RamPages.setLong(DIRECTORY + 8 * 101, there | 0x83);
                machine.group(X86.CONTROL)[X86.CR0] |= Bits.CR0_NE;
            }
        }
    }

    @Test
    @DisplayName("regions are translated here at all")
    void regionsRun() {
        try (BareMachine machine = new BareMachine()) {
            machine.load(CODE, bytes(0xff, 0xc9, 0x75, 0xfc, 0xf4));
            machine.longMode(CODE);
            machine.group(X86.GENERAL)[X86.RCX] = 1000;
            halts(machine);
            assertTrue(machine.core.counters().get("region-runs") > 0);
        }
    }
}
