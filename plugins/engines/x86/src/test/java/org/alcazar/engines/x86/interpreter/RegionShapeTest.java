package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.tiers.X86TranslatorProvider;
import org.alcazar.engines.x86.translator.RegionTranslator;
import org.alcazar.host.HostRam;
import org.alcazar.machine.Exit;
import org.alcazar.machine.RamPages;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/** What belongs together in a region: counted by how often regions are entered. */
class RegionShapeTest {
    private static final long CODE = 0x100000;
    private static final int THRESHOLD = 640;

    /** Tables of {@link BareMachine#longMode}: 512 large pages. */
    private static final long DIRECTORY = 0x3000;

    /** Translates at once what is hot. */
    private static final class AtOnce extends X86TranslatorProvider {
        final List<Candidate> asked = new ArrayList<>();

        @Override
        protected Translator translator(CpuModel model, Map<String, String> options) {
            Translator made = new RegionTranslator(model.table(), THRESHOLD, false);
            return new Translator() {
                @Override
                public int threshold() {
                    return made.threshold();
                }

                @Override
                public void translate(
                        Candidate candidate,
                        IntSupplier heat,
                        Consumer<@Nullable Translation> done) {
                    asked.add(candidate);
                    made.translate(candidate, heat, done);
                }

                @Override
                public void count(Map<String, Long> all) {
                    made.count(all);
                }
            };
        }
    }

    @Test
    @DisplayName("what a loop does every sixteenth time is in its region")
    void rareBranches() {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            int[] code = {
                0xf6, 0xc1, 0x0f, // 0: test cl, 15
                0x74, 0x05, //       3: jz 0xa
                0xff, 0xc9, //       5: dec ecx
                0x75, 0xf7, //       7: jnz 0
                0xf4, //             9: hlt
                0x48, 0xff, 0xc0, // a: inc rax
                0xeb, 0xf6, //       d: jmp 5
            };
            machine.load(CODE, bytes(code));
            machine.longMode(CODE);
            machine.group(X86.GENERAL)[X86.RCX] = 160_000;
            machine.group(X86.GENERAL)[X86.RAX] = 0;
            assertEquals(Exit.IDLE, machine.run(10_000_000));
            assertEquals(10_000, machine.register(X86.RAX));
            Map<String, Long> counters = machine.core.counters();
            assertTrue(counters.get("regions-installed") > 0);
            assertTrue(counters.get("region-runs") < 100, counters::toString);
        }
    }

    @Test
    @DisplayName("code that opens and closes interrupts stays in its region")
    void interruptFlag() {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            int[] code = {
                0xfa, //       0: cli
                0xfb, //       1: sti
                0x90, //       2: nop
                0xff, 0xc9, // 3: dec ecx
                0x75, 0xf9, // 5: jnz 0
                0xf4, //       7: hlt
            };
            machine.load(CODE, bytes(code));
            machine.longMode(CODE);
            machine.group(X86.GENERAL)[X86.RCX] = 100_000;
            assertEquals(Exit.IDLE, machine.run(10_000_000));
            assertEquals(0, machine.register(X86.RCX));
            Map<String, Long> counters = machine.core.counters();
            assertTrue(counters.get("regions-installed") > 0);
            assertTrue(counters.get("region-left-plain") < 100, counters::toString);
        }
    }

    @Test
    @DisplayName(
            "an instruction across two pages is in the region of its loop, and both are watched")
    void acrossPages() {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            int[] code = {
                0x48, 0xff, 0xc0, //                   ff8: inc rax
                0xff, 0xc9, //                         ffb: dec ecx
                0x90, //                               ffd: nop
                0x0f, 0x85, 0xf4, 0xff, 0xff, 0xff, // ffe: jnz ff8
                0xf4, //                              1004: hlt
            };
            machine.load(CODE + 0xff8, bytes(code));
            machine.longMode(CODE + 0xff8);
            machine.group(X86.GENERAL)[X86.RCX] = 200_000;
            machine.group(X86.GENERAL)[X86.RAX] = 0;
            assertEquals(Exit.BUDGET, machine.run(400_000));
            Map<String, Long> counters = machine.core.counters();
            assertTrue(counters.get("regions-installed") > 0);
            assertTrue(counters.get("region-runs") < 100, counters::toString);
            for (int i = 0; i < 4; i++) {
                RamPages.setByte(CODE + 0x1000 + i, (byte) 0); // jnz 1004
            }
            assertEquals(Exit.IDLE, machine.run(10_000_000));
            assertEquals(100_001, machine.register(X86.RAX)); // one more begins
            assertEquals(1, machine.core.counters().get("regions-dropped-written"));
        }
    }

    @Test
    @DisplayName("what was hot before its page was patched is hot again soon")
    void patched() {
        Map<String, Long> counters = afterWrite(CODE + 0x100, 0x90);
        assertEquals(1, counters.get("regions-dropped-written"));
        assertEquals(2, counters.get("regions-installed"));
    }

    @Test
    @DisplayName("other code in its place has to become hot by itself")
    void replaced() {
        Map<String, Long> counters = afterWrite(CODE + 1, 0xc1); // inc ecx
        assertEquals(1, counters.get("regions-dropped-written"));
        assertEquals(1, counters.get("regions-installed"));
    }

    /** Counters when a hot loop has run on for a while after a byte of its page was written. */
    private static Map<String, Long> afterWrite(long at, int value) {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            machine.load(
                    CODE, bytes(new int[] {0xff, 0xc9, 0x75, 0xfc, 0xf4})); // dec ecx; jnz; hlt
            machine.longMode(CODE);
            machine.group(X86.GENERAL)[X86.RCX] = 1_000_000;
            assertEquals(Exit.BUDGET, machine.run(4 * THRESHOLD));
            RamPages.setByte(at, (byte) value);
            assertEquals(Exit.BUDGET, machine.run(THRESHOLD / 4));
            return machine.core.counters();
        }
    }

    @Test
    @DisplayName("a loop within a loop is part of its region")
    void nestedLoops() {
        AtOnce engine = new AtOnce();
        try (BareMachine machine = new BareMachine(engine)) {
            int[] code = {
                0xba, 0x14, 0, 0, 0, // 0: mov edx, 20
                0x48, 0xff, 0xc0, //    5: inc rax
                0xff, 0xca, //          8: dec edx
                0x75, 0xf9, //          a: jnz 5
                0xff, 0xc9, //          c: dec ecx
                0x75, 0xf0, //          e: jnz 0
                0xf4, //               10: hlt
            };
            machine.load(CODE, bytes(code));
            machine.longMode(CODE);
            machine.group(X86.GENERAL)[X86.RCX] = 20_000;
            machine.group(X86.GENERAL)[X86.RAX] = 0;
            assertEquals(Exit.IDLE, machine.run(10_000_000));
            assertEquals(400_000, machine.register(X86.RAX));
            assertEquals(CODE + 5, engine.asked.getFirst().pieces().getFirst().rip());
            assertTrue(engine.asked.stream().anyMatch(c -> has(c, CODE + 5) && has(c, CODE + 0xc)));
        }
    }

    private static boolean has(Candidate candidate, long rip) {
        return candidate.pieces().stream().anyMatch(p -> p.rip() == rip);
    }

    /** Goes through memory by steps of 5 bytes, and reads tables that reach beyond their page. */
    @Test
    @DisplayName("pages that were found before are not taken for others")
    void foundPages() {
        int[] code = {
            0x48, 0x8b, 0x06, //                               0: mov rax, [rsi]
            0x48, 0x01, 0x07, //                               3: add [rdi], rax
            0x48, 0x89, 0x46, 0x08, //                         6: mov [rsi+8], rax
            0x0f, 0xb6, 0xca, //                               a: movzx ecx, dl
            0x48, 0x03, 0x1c, 0xcd, 0x00, 0x0f, 0x20, 0x00, // d: add rbx, [rcx*8+0x200f00]
            0x48, 0x03, 0x1c, 0xcd, 0x03, 0x0f, 0x20, 0x00, // 15: add rbx, [rcx*8+0x200f03]
            0x48, 0x83, 0xc6, 0x05, //                        1d: add rsi, 5
            0x48, 0x83, 0xc7, 0x05, //                        21: add rdi, 5
            0xff, 0xca, //                                    25: dec edx
            0x75, 0xd7, //                                    27: jnz 0
            0xf4, //                                          29: hlt
        };
        long[] results = new long[2];
        long[] sums = new long[2];
        for (int i = 0; i < 2; i++) {
            try (BareMachine machine =
                    new BareMachine(i == 0 ? new X86InterpreterProvider() : new AtOnce())) {
                machine.load(CODE, bytes(code));
                machine.longMode(CODE);
                RamPages.setLong(DIRECTORY + 8, 0x70003);
                for (int page = 0; page < 512; page++) { // the first is the last
                    RamPages.setLong(0x70000 + 8 * page, 0x400003 + 4096L * (511 - page));
                }
                for (int at = 0; at < 0x200000; at += 8) {
                    RamPages.setLong(0x400000 + at, at * 0x9e3779b97f4a7c15L);
                }
                long[] general = machine.group(X86.GENERAL);
                general[X86.RSI] = 0x204000;
                general[X86.RDI] = 0x202003;
                general[X86.RDX] = 12_000;
                general[X86.RBX] = 0;
                assertEquals(Exit.IDLE, machine.run(10_000_000));
                results[i] = machine.register(X86.RBX);
                for (int at = 0; at < 0x200000; at += 8) {
                    sums[i] = 31 * sums[i] + HostRam.getLong(0x400000 + at);
                }
            }
        }
        assertEquals(results[0], results[1]);
        assertEquals(sums[0], sums[1]);
    }

    @Test
    @DisplayName("a page that was found to be read is not written by that")
    void readOnly() {
        int[] code = {
            0x48, 0x8b, 0x06, //       0: mov rax, [rsi]
            0x48, 0x89, 0x04, 0x1e, // 3: mov [rsi+rbx], rax
            0xff, 0xca, //             7: dec edx
            0x48, 0x0f, 0x44, 0xdf, // 9: cmovz rbx, rdi
            0xeb, 0xf1, //             d: jmp 0
        };
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            machine.load(CODE, bytes(code));
            machine.longMode(CODE);
            RamPages.setLong(DIRECTORY + 8, 0x200081); // not writable
            long[] general = machine.group(X86.GENERAL);
            general[X86.RSI] = 0x200000;
            general[X86.RBX] = 0x200000;
            general[X86.RDI] = 0;
            general[X86.RDX] = 20_000;
            assertEquals(Exit.SHUTDOWN, machine.run(1_000_000));
            assertEquals(CODE + 3, machine.register(X86.RIP));
            assertTrue(machine.core.counters().get("regions-full") > 0);
        }
    }

    @Test
    @DisplayName("a loop that goes on is translated for the time being, then for good")
    void quickThenFull() {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            machine.load(
                    CODE, bytes(new int[] {0xff, 0xc9, 0x75, 0xfc, 0xf4})); // dec ecx; jnz; hlt
            machine.longMode(CODE);
            machine.group(X86.GENERAL)[X86.RCX] = 1_000_000;
            assertEquals(Exit.BUDGET, machine.run(4 * THRESHOLD));
            Map<String, Long> counters = machine.core.counters();
            assertEquals(1, counters.get("regions-installed"));
            assertEquals(0, counters.get("regions-full"));
            assertEquals(Exit.IDLE, machine.run(10_000_000));
            counters = machine.core.counters();
            assertEquals(1, counters.get("regions-installed"));
            assertEquals(1, counters.get("regions-full"));
            assertEquals(1, counters.get("regions-live"));
            assertEquals(0, machine.register(X86.RCX));
        }
    }

    @Test
    @DisplayName("code that another program had at the same address is not in a region")
    void otherPrograms() {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            int[] code = {
                0x84, 0xe4, //       0: test ah, ah
                0x74, 0x05, //       2: jz 9
                0xff, 0xc9, //       4: dec ecx
                0x75, 0xf8, //       6: jnz 0
                0xf4, //             8: hlt
                0xff, 0xc3, //       9: inc ebx
                0xeb, 0xf7, //       b: jmp 4
            };
            long[] places = {0x1200000, 0x1400000};
            long linear = 100L << 21;
            machine.longMode(linear);
            long unusable = 0;
            for (int turn = 0; turn < 2; turn++) {
                machine.load(places[turn], bytes(code));
                RamPages.setLong(DIRECTORY + 8 * 100, places[turn] | 0x83);
                machine.group(X86.CONTROL)[X86.CR0] |= Bits.CR0_NE; // as by a write of CR3
                long[] g = machine.group(X86.GENERAL);
                g[X86.RIP] = linear;
                g[X86.RAX] = 0x100 * turn; // the second one never gets to 9
                g[X86.RBX] = 0;
                g[X86.RCX] = 100_000;
                machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
                assertEquals(Exit.IDLE, machine.run(10_000_000));
                assertEquals(turn == 0 ? 100_000 : 0, machine.register(X86.RBX));
                unusable = machine.core.counters().get("region-unusable");
            }
            assertEquals(0, unusable);
        }
    }

    @Test
    @DisplayName("a function that ends access to user pages ends it for the region that called it")
    void changedView() {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            int[] code = {
                0xe8, 0x1e, 0, 0, 0, //  0: call 0x23
                0xff, 0xca, //           5: dec edx
                0x75, 0xf7, //           7: jnz 0
                0x0f, 0x01, 0xcb, //     9: stac
                0x48, 0x8b, 0x1e, //     c: mov rbx, [rsi]
                0xe8, 0x0f, 0, 0, 0, //  f: call 0x23
                0x83, 0xf9, 0x01, //    14: cmp ecx, 1
                0x48, 0x0f, 0x44, 0xfe, // 17: cmove rdi, rsi
                0x48, 0x8b, 0x07, //    1b: mov rax, [rdi]
                0xff, 0xc9, //          1e: dec ecx
                0x75, 0xe7, //          20: jnz 9
                0xf4, //                22: hlt
                0x0f, 0x01, 0xca, //    23: clac
                0xc3, //                26: ret
            };
            machine.load(CODE, bytes(code));
            machine.longMode(CODE);
            long user = 100L << 21;
            RamPages.setLong(0x1000, 0x2007);
            RamPages.setLong(0x2000, DIRECTORY | 7);
            RamPages.setLong(DIRECTORY + 8 * 100, 0x1200000 | 0x87);
            machine.group(X86.CONTROL)[X86.CR4] |= Bits.CR4_SMAP;
            long[] g = machine.group(X86.GENERAL);
            g[X86.RDX] = THRESHOLD;
            g[X86.RCX] = 10_000;
            g[X86.RSI] = user;
            g[X86.RDI] = CODE;
            assertEquals(Exit.SHUTDOWN, machine.run(10_000_000)); // there are no handlers
            assertEquals(1, machine.register(X86.RCX));
            assertEquals(CODE + 0x1b, machine.register(X86.RIP));
            Map<String, Long> counters = machine.core.counters();
            assertTrue(counters.get("region-instructions") > 50_000, counters::toString);
        }
    }

    @Test
    @DisplayName("two code segments have other functions at the same offset")
    void codeSegments() {
        try (BareMachine machine = new BareMachine(new AtOnce())) {
            machine.protectedMode(0);
            machine.group(X86.CONTROL)[X86.CR0] = Bits.CR0_ET;
            for (int segment = 0; segment <= 0x1000; segment += 0x1000) {
                int[] loop = {
                    0xff,
                    0xd0, //       0: call ax
                    0xe2,
                    0xfc, //       2: loop 0
                    0xb9,
                    0x10,
                    0x27, // 4: mov cx, 10000
                    0x4a, //             7: dec dx
                    0x74,
                    0x05, //       8: jz f
                    0xea,
                    0,
                    0,
                    0,
                    0x10 - (segment >> 8), // a: jmp far, to the other segment
                    0xf4, //             f: hlt
                };
                machine.load(16L * segment, bytes(loop));
                int incOrDec = segment == 0 ? 0x43 : 0x4b; // of bx
                machine.load(16L * segment + 0x100, bytes(incOrDec, 0xc3));
            }
            long[] s = machine.group(X86.SEGMENTS);
            for (int i = 0; i < 6; i++) {
                s[4 * i + X86.BASE] = i == X86.CS ? 0 : 0x20000;
                s[4 * i + X86.LIMIT] = 0xffff;
                s[4 * i + X86.ATTRIBUTES] = i == X86.CS ? 0x9b : 0x93;
            }
            long[] g = machine.group(X86.GENERAL);
            g[X86.RSP] = 0x8000;
            g[X86.RAX] = 0x100;
            g[X86.RCX] = 10_000;
            g[X86.RDX] = 4;
            assertEquals(Exit.IDLE, machine.run(10_000_000));
            assertEquals(0, machine.register(X86.RBX));
            Map<String, Long> counters = machine.core.counters();
            assertTrue(counters.get("region-instructions") > 100_000, counters::toString);
        }
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
