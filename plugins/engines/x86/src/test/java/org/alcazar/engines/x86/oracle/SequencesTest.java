package org.alcazar.engines.x86.oracle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.interpreter.X86InterpreterProvider;
import org.alcazar.engines.x86.tiers.X86TranslatorProvider;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.Exit;
import org.alcazar.machine.RamPages;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;
import java.util.SplittableRandom;

/**
 * Random programs, translated before they run, against the interpreter: the same exits, counts,
 * registers and memory after slices of any number of instructions. {@code
 * -Dalcazar.sequences.programs=N} makes longer runs, {@code -Dalcazar.sequences.seed=N} says where
 * to begin; a program depends on nothing but its seed.
 */
class SequencesTest {
    private static final int PROGRAMS = Integer.getInteger("alcazar.sequences.programs", 40);
    private static final long SEED = Long.getLong("alcazar.sequences.seed", 1);
    private static final int SLICES = 24;

    /** Whether programs run in segments of all kinds, and where they begin. */
    private boolean segmented;

    private long code = SequenceMachine.CODE;

    private final long[] general = new long[X86.ARCHITECTURE.groups().get(X86.GENERAL).words()];
    private final long[] fpu = new long[X86.ARCHITECTURE.groups().get(X86.FPU).words()];
    private final long[] vector = new long[X86.ARCHITECTURE.groups().get(X86.VECTOR).words()];

    @ParameterizedTest(name = "{0}-bit")
    @ValueSource(ints = {64, 32})
    @DisplayName(
            "random programs do translated what they do interpreted, after any number of"
                    + " instructions")
    void programs(int mode) {
        run(new Sequences(mode), mode, "");
    }

    @ParameterizedTest(name = "{0}-bit")
    @ValueSource(ints = {64, 32})
    @DisplayName(
            "what reads flags finds them as they are after shifts and rotates by any count, and"
                    + " after several")
    void shifts(int mode) {
        String readers =
                "Flags\\.(cmc|stc)|Alu\\.(adc|sbb|inc|cmp|test)|Moves\\.(lahf|setcc|cmovcc)";
        run(new Sequences(mode, "Shift\\..*|" + readers), mode, "shifts ");
    }

    @ParameterizedTest(name = "{0}-bit")
    @ValueSource(ints = {64, 32})
    @DisplayName("bits in registers, in memory and in strings that reach far, locked or not")
    void bits(int mode) {
        String others = "Flags\\.(cmc|stc)|Alu\\.(adc|xadd|cmpxchg)|Moves\\.(lahf|setcc|xchg)";
        String state = "SystemInstructions\\.(movFromSegment|[lms]fence|prefetch)|Stack\\..*";
        run(new Sequences(mode, "BitOps\\..*|" + state + "|" + others), mode, "bits ");
    }

    @ParameterizedTest(name = "{0}-bit")
    @ValueSource(ints = {64, 32})
    @DisplayName("MMX between x87 and SSE, with exceptions pending too")
    void mmx(int mode) {
        String which = "Moves\\.mov|Mmx\\..*|SseConvert\\..*|X87(Load|Store|Control)\\..*";
        run(new Sequences(mode, which), mode, "MMX ");
    }

    @ParameterizedTest(name = "{0}-bit")
    @ValueSource(ints = {32, 16})
    @DisplayName("with segments that have bases, limits and rights, and stacks of both sizes")
    void segments(int mode) {
        segmented = true;
        run(new Sequences(mode), mode, "segments ");
    }

    @ParameterizedTest(name = "{0}-bit")
    @ValueSource(ints = {64, 32, 16})
    @DisplayName("string instructions without repetition, both ways")
    void strings(int mode) {
        segmented = mode == 16;
        run(new Sequences(mode, "Strings\\..*|Flags\\..*|Moves\\.(mov|setcc)"), mode, "strings ");
    }

    private void run(Sequences sequences, int mode, String what) {
        code = segmented ? SequenceMachine.CODE & 0xffff : SequenceMachine.CODE;
        long inRegions = 0;
        TestMemory.reserve();
        EngineProvider translator = new X86TranslatorProvider();
        EngineProvider interpreter = new X86InterpreterProvider();
        long retired = 0;
        for (long seed = SEED; seed < SEED + PROGRAMS; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] program = sequences.make(random);
            fill(random, sequences, program);
            int kind = segmented ? 1 + (int) seed % 2 * 2 : 0;
            Map<String, String> atOnce = Map.of("translate-after", "1");
            try (SequenceMachine one = new SequenceMachine(translator, atOnce, mode, kind);
                    SequenceMachine other =
                            new SequenceMachine(interpreter, Map.of(), mode, kind)) {
                String name = "-Dalcazar.sequences.programs=1 -Dalcazar.sequences.seed=" + seed;
                compare(one, other, sequences, random, name, program);
                retired += one.block.retired;
                inRegions += one.counters().get("region-instructions");
            }
        }
        System.out.printf(
                "%s%d-bit: %d programs, %d instructions, %d in regions%n",
                what, mode, PROGRAMS, retired, inRegions);
        assertTrue(inRegions > retired / 8);
    }

    private static void fill(SplittableRandom random, Sequences sequences, byte[] code) {
        byte[] memory = new byte[SequenceMachine.PAGES * SequenceMachine.PAGE];
        random.nextBytes(memory);
        for (int at = 0; at < memory.length; at += 8) {
            if (random.nextBoolean()) {
                long v = sequences.number(random.nextInt(3));
                for (int i = 0; i < 8; i++) {
                    memory[at + i] = (byte) (v >> 8 * i);
                }
            }
        }
        int page = memory.length - SequenceMachine.PAGE;
        System.arraycopy(code, 0, memory, page, code.length);
        SequenceMachine.memory(memory);
        RamPages.written(SequenceMachine.DATA, memory.length);
    }

    private void compare(
            SequenceMachine one,
            SequenceMachine other,
            Sequences sequences,
            SplittableRandom random,
            String name,
            byte[] program) {
        boolean wide = other.group(X86.CONTROL)[X86.EFER] != 0;
        registers(sequences, random, wide);
        one.load(general, fpu, vector);
        other.load(general, fpu, vector);
        for (int slice = 0; slice < SLICES; slice++) {
            long budget = 1 + random.nextInt(random.nextBoolean() ? 40 : 1500);
            byte[] before = SequenceMachine.memory();
            int reason = one.run(budget);
            String translated = one.state(reason);
            byte[] after = SequenceMachine.memory();
            SequenceMachine.memory(before);
            reason = other.run(budget);
            String interpreted = other.state(reason);
            if (!interpreted.equals(translated)) {
                String text = sequences.text(program, code);
                assertEquals(interpreted, translated, () -> name + "\n" + text);
            }
            assertArrayEquals(SequenceMachine.memory(), after, name);
            if (reason != Exit.BUDGET) {
                registers(sequences, random, wide);
                general[X86.RIP] = code + sequences.start(random);
                one.load(general, fpu, vector);
                other.load(general, fpu, vector);
            }
        }
    }

    private void registers(Sequences sequences, SplittableRandom random, boolean wide) {
        for (int i = 0; i < 16; i++) {
            long v = random.nextBoolean() ? sequences.value() : random.nextLong();
            v = random.nextInt(8) == 0 ? v : v << 17 >> 17; // mostly an address
            general[i] = wide ? v : i < 8 ? v & 0xffff_ffffL : 0;
        }
        general[X86.RIP] = code;
        long flags = Bits.STATUS | (random.nextInt(4) == 0 ? Bits.DF : 0);
        general[X86.RFLAGS] = 2 | random.nextInt() & flags;
        fpu[X86.FCW] = random.nextInt(4) == 0 ? 0x300 | random.nextInt(64) : 0x37f;
        fpu[X86.FSW] = random.nextInt(8) << 11;
        fpu[X86.FTW] = random.nextInt(0x10000) | 0x5555;
        fpu[X86.MXCSR] = random.nextInt(4) == 0 ? random.nextInt(0x10000) : 0x1f80;
        for (int i = 0; i < 8; i++) {
            fpu[X86.FPR0 + 2 * i] = sequences.number(0) | Long.MIN_VALUE;
            fpu[X86.FPR0 + 2 * i + 1] = 0x3ff0 + random.nextInt(32) | random.nextInt(2) << 15;
        }
        int lane = random.nextInt(3);
        for (int i = 0; i < 32; i++) {
            vector[i] = sequences.number(lane);
        }
    }
}
