package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.RamPages;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/**
 * Stretches of random SSE code in a loop, translated and interpreted: equal in every register,
 * MXCSR and memory. Most numbers are ordinary, so that much goes without leaving the translation.
 */
class VectorCodeTest {
    private static final long CODE = 0x10000;
    private static final long DATA = 0x20000;
    private static final int QUADS = 32;
    private static final int ROUNDS = Integer.getInteger("alcazar.vector.rounds", 200);

    /** Prefix and opcode; the first seven are scalar, the first 14 double precision. */
    private static final String[] CODES = {
        "f20f58",
        "f20f59",
        "f20f5c",
        "f20f5e",
        "f20f5d",
        "f20f5f",
        "f20f51",
        "660f58",
        "660f59",
        "660f5c",
        "660f5e",
        "660f5d",
        "660f5f",
        "660f51",
        "f30f58",
        "f30f59",
        "f30f5c",
        "f30f5e",
        "f30f5d",
        "f30f5f",
        "f30f51",
        "0f58",
        "0f59",
        "0f5c",
        "0f5e",
        "0f5d",
        "0f5f",
        "0f51",
        "f20f10",
        "f30f10",
        "660f10",
        "660f28",
        "660f6f",
        "f30f7e",
        "660fd6",
        "f20f11",
        "f30f11",
        "660f29",
        "660f14",
        "660f15",
        "0f14",
        "0f15",
        "660f62",
        "660f6a",
        "660f6c",
        "660f6d",
        "0f16",
        "0f12",
        "f20f12",
        "660f54",
        "660f57",
        "660f55",
        "660fef",
        "660fd4",
        "660f74",
        "f30f5a",
        "f20f5a",
        "0f5a",
        "f30fe6",
        "0f5b",
        "f20f2a",
        "f2480f2a",
        "f30f2a",
        "f3480f2a",
        "f20f2c",
        "f2480f2c",
        "f20f2d",
        "f2480f2d",
        "f30f2c",
        "f3480f2c",
        "f30f2d",
        "660f2e",
        "660f2f",
        "0f2e",
        "0f2f",
        "660f50",
        "660fd7",
    };

    private static final String[] WITH_BYTE = {
        "660fc6", "0fc6", "660f70", "f20f70", "f20fc2", "660fc2", "f30fc2"
    };

    private static final double[] SPECIAL = {
        0.0,
        -0.0,
        Double.MIN_VALUE,
        -Double.MIN_NORMAL,
        Double.MIN_NORMAL,
        0x1.8p-1022,
        0x1p-1021,
        Double.MAX_VALUE,
        Double.POSITIVE_INFINITY,
        Double.NaN,
        0x1p-540,
        -0x1p-700,
        0x1p600,
        0x1p31,
        -0x1p31,
        0x1p63,
        0x1p-130,
        0x1p-149,
        0x1p127,
        0x1.fffffffffffffp-1,
        0x1p-308,
        0x1p256,
        0x1p-255
    };

    /** Binary exponents around which a round's doubles are. */
    private static final int[] SCALES = {0, 0, 0, 0, -545, -960, 960, 450};

    private record Outcome(int reason, long[] general, long[] fpu, long[] xmm, byte[] memory) {}

    @Test
    @DisplayName(
            "translated vector code does what interpreted code does, exceptions' flags included")
    void sameAsInterpreted() {
        for (long seed = 1; seed <= ROUNDS; seed++) {
            byte[] code = code(new Random(seed));
            Outcome expected = run(false, code, seed);
            Outcome actual = run(true, code, seed);
            String what = "seed " + seed + ", code " + HexFormat.of().formatHex(code);
            assertEquals(expected.reason, actual.reason, what);
            assertEquals(hex(expected.fpu), hex(actual.fpu), what);
            assertEquals(hex(expected.xmm), hex(actual.xmm), what);
            assertEquals(hex(expected.general), hex(actual.general), what);
            assertEquals(
                    HexFormat.of().formatHex(expected.memory),
                    HexFormat.of().formatHex(actual.memory),
                    what);
        }
    }

    private static String hex(long[] group) {
        StringBuilder text = new StringBuilder();
        for (long v : group) {
            text.append(Long.toHexString(v)).append(' ');
        }
        return text.toString();
    }

    private static Outcome run(boolean translated, byte[] code, long seed) {
        try (BareMachine machine = new BareMachine(TestEngines.provider(translated))) {
            machine.load(CODE, code);
            machine.longMode(CODE);
            Random random = new Random(~seed);
            int scale = SCALES[random.nextInt(SCALES.length)];
            for (int i = 0; i < QUADS; i++) {
                RamPages.setLong(DATA + 8 * i, value(random, scale));
            }
            long[] general = machine.group(X86.GENERAL);
            general[6] = DATA;
            general[1] = 4;
            general[0] = random.nextInt();
            general[2] = random.nextInt(1000) - 500;
            long[] xmm = machine.group(X86.VECTOR);
            for (int i = 0; i < xmm.length; i++) {
                xmm[i] = value(random, scale);
            }
            machine.group(X86.FPU)[X86.MXCSR] = mxcsr(random);
            int reason = machine.run(100_000);
            byte[] memory = new byte[8 * QUADS];
            HostRam.read(DATA, memory, 0, memory.length);
            return new Outcome(
                    reason,
                    machine.group(X86.GENERAL).clone(),
                    machine.group(X86.FPU).clone(),
                    machine.group(X86.VECTOR).clone(),
                    memory);
        }
    }

    private static int mxcsr(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> 0x1f80;
            case 1 -> 0x1f80 | random.nextInt(4) << 13 | random.nextInt(64);
            case 2 -> 0x9fe0;
            case 3 -> 0x1f80 & ~(1 << 7 + random.nextInt(6)) | 0x20;
            default -> 0x1fa0;
        };
    }

    private static long value(Random random, int scale) {
        return switch (random.nextInt(24)) {
            case 0, 11, 12 -> Double.doubleToRawLongBits(SPECIAL[random.nextInt(SPECIAL.length)]);
            case 1 -> random.nextLong();
            case 2 -> 0;
            case 3 -> singles(random, (float) SPECIAL[random.nextInt(SPECIAL.length)]);
            case 4, 5, 6, 7, 8 -> singles(random, random.nextInt(-100, 100));
            case 9, 10 -> Double.doubleToRawLongBits(random.nextInt(-1000, 1000));
            default ->
                    Double.doubleToRawLongBits(
                            Math.scalb(random.nextDouble() - 0.5, scale + random.nextInt(-60, 60)));
        };
    }

    private static long singles(Random random, float one) {
        long other = Float.floatToRawIntBits(random.nextFloat() * 8);
        return other << 32 | Float.floatToRawIntBits(one) & 0xffffffffL;
    }

    /** A loop of instructions on XMM0 to XMM7 and what is at RSI, then a write to the exit port. */
    private static byte[] code(Random random) {
        ByteBuffer code = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        int count = 1 + random.nextInt(14);
        // Code that keeps to one format meets fewer odd numbers.
        int format = random.nextInt(4);
        for (int i = 0; i < count; i++) {
            instruction(code, random, format);
        }
        code.put(HexFormat.of().parseHex("ffc9")); // dec ecx
        code.put((byte) 0x0f).put((byte) 0x85).putInt(-code.position() - 4); // jnz to the start
        code.put(HexFormat.of().parseHex("e6f4")).put((byte) 0xf4);
        return Arrays.copyOf(code.array(), code.position());
    }

    private static void instruction(ByteBuffer code, Random random, int format) {
        boolean more = random.nextInt(6) == 0;
        int end = format == 0 ? 14 : format == 1 ? 7 : CODES.length;
        String[] from = more ? WITH_BYTE : CODES;
        int which = random.nextInt(more ? from.length : random.nextInt(3) == 0 ? from.length : end);
        code.put(HexFormat.of().parseHex(from[which]));
        boolean general = from[which].endsWith("0f2c") || from[which].endsWith("0f2d");
        boolean mask = from[which].endsWith("50") || from[which].endsWith("d7");
        int reg = general || mask ? random.nextInt(4) & ~1 : random.nextInt(8);
        if (random.nextInt(3) == 0 && !mask) {
            code.put((byte) (0x46 | reg << 3)).put((byte) (16 * random.nextInt(8)));
        } else {
            int rm = from[which].endsWith("2a") ? 2 * random.nextInt(2) : random.nextInt(8);
            code.put((byte) (0xc0 | reg << 3 | rm));
        }
        if (more) {
            code.put((byte) random.nextInt(256));
        }
    }
}
