package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.mmu.Guest;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuFault;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Random;

/**
 * XSAVE, XSAVEOPT, XSAVEC and XRSTOR of x87 and SSE state, compared with the processor at hand.
 * State is never the initial one before saving: whether a processor notices that is its own
 * business.
 */
class NativeXsaveTest {
    private static final String[] CODE = {
        "48 0f ae 27", "48 0f ae 37", "48 0f c7 27", "48 0f ae 2f"
    };
    private static final int CASES = Integer.getInteger("xsave.cases", 2000);
    private static final int SIZE = 1600, AREA = 512, OPERATION = 1536, MASK = 1540, SIGNAL = 1544;
    private static final int XRSTOR = 3;
    private static final long AT = 0x20000, IMAGE = 0x21000, COMPACT = 1L << 63;
    private static final int SIGSEGV = 11;

    private final Random random = new Random(1);

    @TempDir private Path directory;

    @Test
    @DisplayName("x87 and SSE state is saved and restored as by the processor")
    void compared() throws IOException, InterruptedException {
        assumeTrue(NativeOracle.missing().isEmpty(), NativeOracle.missing());
        assumeTrue(processorHasAll(), "the processor at hand lacks XSAVEC or XSAVEOPT");
        Path program = NativeOracle.compile(directory, NativeXsaveTest.class, "xsave.c");
        ByteBuffer cases = ByteBuffer.allocate(CASES * SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < CASES; i++) {
            fill(cases.slice(i * SIZE, SIZE).order(ByteOrder.LITTLE_ENDIAN), i % CODE.length);
        }
        ByteBuffer answers = NativeOracle.ask(program, cases);
        try (Guest guest = new Guest()) {
            guest.identity(Guest.PRESENT_USER).cpl(3);
            for (int i = 0; i < CASES; i++) {
                ByteBuffer given = cases.slice(i * SIZE, SIZE).order(ByteOrder.LITTLE_ENDIAN);
                ByteBuffer wanted = answers.slice(i * SIZE, SIZE).order(ByteOrder.LITTLE_ENDIAN);
                compare(i, given, wanted, run(guest, given));
            }
        }
    }

    private static boolean processorHasAll() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        String text = Files.exists(info) ? Files.readString(info) : "";
        return text.contains(" xsavec") && text.contains(" xsaveopt");
    }

    private void fill(ByteBuffer c, int operation) {
        image(c, 0);
        for (int i = AREA; i < AREA + 1024; i += 8) {
            c.putLong(i, random.nextLong());
        }
        image(c, AREA);
        c.putInt(OPERATION, operation);
        c.putInt(MASK, random.nextInt(4));
        int header = AREA + 512;
        for (int i = 0; i < 64; i += 8) {
            c.putLong(header + i, operation == XRSTOR ? 0 : random.nextLong());
        }
        if (operation == XRSTOR) {
            c.putLong(header, random.nextInt(4));
            if (random.nextBoolean()) {
                c.putLong(header + 8, COMPACT | random.nextInt(4));
            }
            if (random.nextInt(4) == 0) {
                // Not one of the components that only the processor has.
                int bit = random.nextInt(512);
                bit += bit < 128 && (0xe4L >> bit % 64 & 1) != 0 ? 8 : 0;
                int at = header + bit / 64 * 8;
                c.putLong(at, c.getLong(at) ^ 1L << bit % 64);
            }
        }
    }

    /** An image of FXSAVE, not the initial state; seldom with an MXCSR that is refused. */
    private void image(ByteBuffer c, int at) {
        c.putShort(at, (short) (0x240 | random.nextInt(0x2000) & 0xc3f));
        c.putShort(at + 2, (short) (random.nextInt(0x10000) & 0x7f7f));
        c.putShort(at + 4, (short) random.nextInt(256));
        c.putShort(at + 6, (short) random.nextInt(0x800));
        c.putLong(at + 8, random.nextLong() >> 16);
        c.putLong(at + 16, random.nextLong() >> 16);
        boolean bad = at != 0 && random.nextInt(8) == 0;
        c.putInt(at + 24, random.nextInt(0x10000) | (bad ? 1 << 18 : 0));
        c.putInt(at + 28, 0);
        for (int i = 0; i < 8; i++) {
            c.putLong(at + 32 + 16 * i, random.nextLong());
            c.putLong(at + 40 + 16 * i, random.nextInt(0x10000));
        }
        for (int i = 160; i < 416; i += 8) {
            c.putLong(at + i, random.nextLong());
        }
        for (int i = 416; i < 512; i += 8) {
            c.putLong(at + i, 0);
        }
    }

    private static ByteBuffer run(Guest guest, ByteBuffer given) {
        Cpu cpu = guest.cpu;
        cpu.cr4 |= Bits.CR4_OSXSAVE | Bits.CR4_OSFXSR;
        cpu.xcr0 = 3;
        for (int i = 0; i < 512; i += 8) {
            guest.poke64(IMAGE + i, given.getLong(i));
        }
        for (int i = 0; i < 1024; i += 8) {
            guest.poke64(AT + i, given.getLong(AREA + i));
        }
        FxSave.restoreX87(cpu, IMAGE, true);
        FxSave.restoreSse(cpu, IMAGE);
        cpu.mxcsr = given.getInt(24);
        cpu.gpr[X86.RDI] = AT;
        cpu.gpr[X86.RAX] = given.getInt(MASK);
        cpu.gpr[X86.RDX] = 0;
        ByteBuffer out = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        try {
            Execute.code(cpu, CODE[given.getInt(OPERATION)]);
            FxSave.saveX87(cpu, IMAGE, true);
            FxSave.saveSse(cpu, IMAGE);
            FxSave.saveMxcsr(cpu, IMAGE);
        } catch (CpuFault fault) {
            assertEquals(Bits.GP, fault.vector);
            out.putInt(SIGNAL, SIGSEGV);
        }
        for (int i = 0; i < 512; i += 8) {
            out.putLong(i, guest.peek64(IMAGE + i));
        }
        for (int i = 0; i < 1024; i += 8) {
            out.putLong(AREA + i, guest.peek64(AT + i));
        }
        return out;
    }

    private static void compare(int number, ByteBuffer given, ByteBuffer wanted, ByteBuffer is) {
        String what =
                "case %d: %s with mask %d, header %s"
                        .formatted(
                                number,
                                CODE[given.getInt(OPERATION)],
                                given.getInt(MASK),
                                hex(given, AREA + 512, 64));
        assertEquals(wanted.getInt(SIGNAL), is.getInt(SIGNAL), "signal, " + what);
        if (wanted.getInt(SIGNAL) == 0) {
            assertEquals(hex(wanted, 0, 416), hex(is, 0, 416), "registers, " + what);
        }
        assertEquals(hex(wanted, AREA, 1024), hex(is, AREA, 1024), "area, " + what);
    }

    private static String hex(ByteBuffer from, int at, int bytes) {
        byte[] copy = new byte[bytes];
        from.get(at, copy);
        return HexFormat.of().formatHex(copy);
    }
}
