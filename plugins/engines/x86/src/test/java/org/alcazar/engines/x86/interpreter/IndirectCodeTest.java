package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.tiers.X86LockstepProvider;
import org.alcazar.engines.x86.translator.RegionTranslator;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.Exit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Calls, returns and jumps through tables within regions: the same state as the interpreter's
 * wherever a budget ends, and what runs is what the guest's tables and stack say at that time.
 */
class IndirectCodeTest {
    private static final long CODE = 0x100000;
    private static final long TABLE = 0x200000;
    private static final long BUDGET = 50_000_000;

    /** Code that has run so often has been to most of its targets. */
    private static final int THRESHOLD = 200;

    private static final int HANDLERS = 12;

    /** Translates at once what is hot, and verifies each run of it. */
    private static final class Verified extends X86LockstepProvider {
        @Override
        protected Translator translator(CpuModel model, Map<String, String> options) {
            return new RegionTranslator(model.table(), THRESHOLD, false);
        }
    }

    /** A program under construction, with labels that near branches lead to. */
    private static final class Program {
        private final ByteBuffer code = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        private final Map<String, Integer> labels = new HashMap<>();
        private final Map<Integer, String> branches = new HashMap<>();
        private final Map<Integer, String> addresses = new HashMap<>();
        private final Map<Integer, String> table = new HashMap<>();

        Program put(int... bytes) {
            for (int b : bytes) {
                code.put((byte) b);
            }
            return this;
        }

        Program number(int value) {
            code.putInt(value);
            return this;
        }

        Program label(String name) {
            labels.put(name, code.position());
            return this;
        }

        /** The distance to a label, as the last 4 bytes of an instruction. */
        Program to(String name) {
            branches.put(code.position(), name);
            return number(0);
        }

        /** The address of a label, in 4 bytes. */
        Program address(String name) {
            addresses.put(code.position(), name);
            return number(0);
        }

        Program call(String name) {
            return put(0xe8).to(name);
        }

        Program jump(String name) {
            return put(0xe9).to(name);
        }

        /** An entry of the table, by its number. */
        Program entry(int number, String name) {
            table.put(number, name);
            return this;
        }

        void load(BareMachine machine) {
            branches.forEach((at, name) -> code.putInt(at, labels.get(name) - at - 4));
            addresses.forEach((at, name) -> code.putInt(at, (int) CODE + labels.get(name)));
            machine.load(CODE, code.array());
            table.forEach((number, name) -> quadword(machine, number, CODE + labels.get(name)));
        }

        private static void quadword(BareMachine machine, int number, long value) {
            byte[] b = new byte[8];
            ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
            machine.load(TABLE + 8L * number, b);
        }
    }

    /** What a run was: registers and instructions wherever it was stopped, and how it ended. */
    private record Run(List<long[]> states, int exit, Map<String, Long> counters) {}

    private static Run run(EngineProvider engine, Program program, Random budgets) {
        try (BareMachine machine = new BareMachine(engine)) {
            program.load(machine);
            machine.longMode(CODE);
            long[] general = machine.group(X86.GENERAL);
            general[X86.RBX] = 1;
            general[X86.RBP] = 0;
            machine.group(X86.CONTROL)[X86.CR4] |= Bits.CR4_OSFXSR;
            List<long[]> states = new ArrayList<>();
            int exit;
            do {
                exit = machine.run(budgets.nextInt(1, 900));
                machine.register(X86.RIP);
                long[] now = machine.block.group(X86.GENERAL).clone();
                long[] all = Arrays.copyOf(now, now.length + 1);
                all[now.length] = machine.block.retired;
                states.add(all);
            } while (exit == Exit.BUDGET && states.size() < BUDGET);
            return new Run(states, exit, machine.core.counters());
        }
    }

    /** Runs a program on both engines. @return the translator's run */
    private static Run compare(Program program, int exit) {
        Run last = null;
        for (long seed = 1; seed <= 3; seed++) {
            Run plain = run(TestEngines.provider(false), program, new Random(seed));
            last = run(new Verified(), program, new Random(seed));
            assertEquals(exit, plain.exit);
            assertEquals(exit, last.exit);
            assertEquals(plain.states.size(), last.states.size(), "stops");
            for (int i = 0; i < plain.states.size(); i++) {
                assertArrayEquals(plain.states.get(i), last.states.get(i), "stop " + i);
            }
            long all = last.states.stream().mapToLong(s -> s[s.length - 1]).max().orElseThrow();
            long translated = last.counters.get("region-instructions");
            assertTrue(translated > all / 4, translated + " of " + all + " in regions");
        }
        return last;
    }

    /** Repeats what is written in between R15 times. */
    private static Program times(int count, Consumer<Program> body) {
        Program p = new Program().put(0x41, 0xbf).number(count).label("again"); // mov r15d
        body.accept(p);
        p.put(0x41, 0xff, 0xcf, 0x0f, 0x85).to("again"); // dec r15d; jnz
        return p.put(0xf4);
    }

    private static Program recursion(int n, int count) {
        Program p = times(count, b -> b.put(0xbf).number(n).call("fib").put(0x48, 0x01, 0xc3));
        p.label("fib").put(0x55, 0x53); // push rbp; push rbx
        p.put(0x48, 0x89, 0xfb, 0x48, 0x83, 0xff, 0x01, 0x0f, 0x86).to("out"); // rdi to rbx; <= 1
        p.put(0x48, 0x8d, 0x7f, 0xff).call("fib"); // lea rdi, [rdi-1]
        p.put(0x48, 0x8d, 0x7b, 0xfe, 0x48, 0x89, 0xc5).call("fib"); // lea rdi, [rbx-2]; rax to rbp
        p.put(0x48, 0x8d, 0x5c, 0x05, 0x00); // lea rbx, [rbp+rax]
        p.label("out").put(0x48, 0x89, 0xd8, 0x5b, 0x5d, 0xc3); // rbx to rax; pops; ret
        return p;
    }

    @Test
    @DisplayName("a function that calls itself, stopped anywhere")
    void recursion() {
        Run run = compare(recursion(8, 60), Exit.IDLE);
        long[] end = run.states.getLast();
        assertEquals(60 * 21 + 1, end[X86.RBX]);
        assertEquals(0x80000, end[X86.RSP]);
    }

    @Test
    @DisplayName("a function that calls itself does so within its region")
    void recursionStaysWithin() {
        try (BareMachine machine = new BareMachine(new Verified())) {
            recursion(10, 100).load(machine);
            machine.longMode(CODE);
            assertEquals(Exit.IDLE, machine.run(BUDGET));
            Map<String, Long> counters = machine.core.counters();
            long runs = counters.get("region-runs");
            long each = counters.get("region-instructions") / runs;
            assertTrue(each > 500, each + " instructions in each of " + runs);
        }
    }

    @Test
    @DisplayName("a callee exchanges the bases of GS; CLI; PCMPISTRI's index and flags")
    void exchangedBases() {
        long kernelBase = 0xc000_0102L;
        Program p = new Program();
        p.put(0xb9).number((int) kernelBase).put(0xb8).number((int) TABLE + 0x1000); // ecx, eax
        p.put(0x31, 0xd2, 0x0f, 0x30); // xor edx, edx; wrmsr
        p.put(0xb9).number((int) kernelBase - 1).put(0xb8).number((int) TABLE);
        p.put(0x31, 0xd2, 0x0f, 0x30);
        p.put(0x48, 0xc7, 0x04, 0x25).number((int) TABLE).number(3); // mov qword [table], 3
        p.put(0x48, 0xc7, 0x04, 0x25).number((int) TABLE + 0x1000).number(70);
        p.put(0x41, 0xbf).number(3000).label("again"); // mov r15d
        p.put(0xfa); // cli
        p.put(0x65, 0x4c, 0x03, 0x04, 0x25).number(0); // add r8, gs:[0]
        p.call("exchange");
        p.put(0x65, 0x4c, 0x03, 0x04, 0x25).number(0);
        p.put(0x66, 0x49, 0x0f, 0x6e, 0xc0); // movq xmm0, r8
        p.put(0x66, 0x49, 0x0f, 0x6e, 0xcf); // movq xmm1, r15
        p.put(0x66, 0x0f, 0x3a, 0x63, 0xc1, 0x08); // pcmpistri xmm0, xmm1: equal each
        p.put(0x49, 0x83, 0xd0, 0x00, 0x49, 0x01, 0xc8); // adc r8, 0; add r8, rcx
        p.put(0x41, 0xff, 0xcf, 0x0f, 0x85).to("again").put(0xf4); // dec r15d; jnz; hlt
        p.label("exchange").put(0x0f, 0x01, 0xf8, 0xc3); // swapgs; ret
        Run run = compare(p, Exit.IDLE);
        assertTrue(run.states.getLast()[8] >= 3000 * 73);
        assertTrue(run.counters.get("region-left-plain") < 300, () -> run.counters.toString());
    }

    /** A loop with a jump or call through the table, by a row of numbers without pattern. */
    private static Program table(int rounds, boolean calls, Consumer<Program> more) {
        Program p =
                times(
                        rounds,
                        b -> {
                            b.put(0x48, 0x69, 0xdb).number(1103515245); // imul rbx, rbx
                            b.put(0x48, 0x81, 0xc3).number(12345); // add rbx
                            b.put(0x48, 0x89, 0xd8, 0x48, 0xc1, 0xe8, 0x10); // rax = rbx >> 16
                            b.put(0x31, 0xd2, 0xb9).number(HANDLERS); // xor edx, edx; ecx
                            b.put(0x48, 0xf7, 0xf1); // div rcx
                            more.accept(b);
                            int modrm = calls ? 0x14 : 0x24;
                            b.put(0xff, modrm, 0xd5).number((int) TABLE); // [rdx*8+table]
                            b.label("next");
                        });
        for (int i = 0; i < HANDLERS; i++) {
            p.label("handler" + i).entry(i, "handler" + i);
            p.put(0x48, 0x81, 0xc5).number(1 << i); // add rbp
            for (int k = 0; k < i % 3; k++) {
                p.put(0x48, 0xd1, 0xc5); // rol rbp, 1
            }
            if (calls) {
                p.put(0xc3);
            } else {
                p.jump("next");
            }
        }
        return p;
    }

    @Test
    @DisplayName("a switch by a table, stopped anywhere, with the way back polled")
    void jumpsByATable() {
        compare(table(4000, false, b -> {}), Exit.IDLE);
    }

    @Test
    @DisplayName("calls by a table, stopped anywhere")
    void callsByATable() {
        Run run = compare(table(4000, true, b -> {}), Exit.IDLE);
        assertEquals(0x80000, run.states.getLast()[X86.RSP]);
    }

    @Test
    @DisplayName("the table's entries change places, and one leads where none has led before")
    void theTableChanges() {
        for (boolean calls : new boolean[] {false, true}) {
            Program p =
                    table(
                            4000,
                            calls,
                            b -> {
                                // Every 64 rounds: xchg of the entry with the first one.
                                b.put(0x41, 0xf7, 0xc7).number(63).put(0x0f, 0x85).to("same");
                                b.put(0x48, 0x8b, 0x04, 0xd5).number((int) TABLE); // mov rax
                                b.put(0x48, 0x87, 0x04, 0x25).number((int) TABLE); // xchg rax
                                b.put(0x48, 0x89, 0x04, 0xd5).number((int) TABLE); // mov
                                // At the end: the new one, which lies behind the table.
                                b.label("same").put(0x41, 0x81, 0xff).number(1000);
                                b.put(0x0f, 0x85).to("old");
                                b.put(0x48, 0x8b, 0x04, 0x25).number((int) TABLE + 8 * HANDLERS);
                                b.put(0x48, 0x89, 0x04, 0xd5).number((int) TABLE);
                                b.label("old");
                            });
            p.label("late").entry(HANDLERS, "late").put(0x48, 0xf7, 0xd5); // not rbp
            if (calls) {
                p.put(0xc3);
            } else {
                p.jump("next");
            }
            compare(p, Exit.IDLE);
        }
    }

    @Test
    @DisplayName("a switch's code writes over another of its targets")
    void aTargetIsWrittenOver() {
        // Every 1024 rounds the constant of the first target grows: inc dword [rip+...].
        Program p =
                table(
                        9000,
                        false,
                        b -> {
                            b.put(0x41, 0xf7, 0xc7).number(1023).put(0x0f, 0x85).to("same");
                            b.put(0xff, 0x05).to("constant").label("same");
                        });
        p.labels.put("constant", p.labels.get("handler0") + 3);
        compare(p, Exit.IDLE);
    }

    @Test
    @DisplayName(
            "one of a table's entries is no address: the exception finds the state before the jump")
    void noAddress() {
        for (boolean calls : new boolean[] {false, true}) {
            Program p =
                    table(
                            3000,
                            calls,
                            b -> {
                                // In the 100th round from the end: xor byte [entry 5 + 7], 64
                                b.put(0x41, 0x83, 0xff, 100, 0x0f, 0x85).to("same");
                                b.put(0x80, 0x34, 0x25).number((int) TABLE + 5 * 8 + 7).put(64);
                                b.label("same");
                            });
            compare(p, Exit.SHUTDOWN);
        }
    }

    @Test
    @DisplayName("a function returns elsewhere, is jumped to, and is called for its address")
    void returnsElsewhere() {
        Program p =
                times(
                        2500,
                        b -> {
                            b.call("f").put(0x48, 0xff, 0xc3); // inc rbx, or not
                            b.call("f").put(0x48, 0xff, 0xc3);
                            b.put(0x68).address("back").jump("f"); // push; jmp
                            b.label("back").put(0x48, 0xff, 0xc3);
                            b.call("here").label("here").put(0x58); // pop rax
                            b.put(0x48, 0x01, 0xc5); // add rbp, rax
                        });
        // Every fourth time it returns behind the inc.
        p.label("f").put(0x49, 0xff, 0xc6, 0x41, 0xf6, 0xc6, 0x03, 0x0f, 0x85).to("plain");
        p.put(0x48, 0x83, 0x04, 0x24, 0x03).label("plain").put(0xc3); // add qword [rsp], 3
        compare(p, Exit.IDLE);
    }
}
