package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.machine.RamPages;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** BMI1 and BMI2 outside 64-bit mode. */
class BmiTest {
    private static final long CODE = 0x10000, HANDLER = 0x30000;
    private static final String ANDN = "c4e268f2c1 f4"; // andn %ecx,%edx,%eax; hlt

    private final BareMachine machine = new BareMachine();
    private final Random random = new Random(3);

    @AfterEach
    void close() {
        machine.close();
    }

    /** All general registers and flags after one instruction. */
    private List<Long> run(String hex, long[] registers) {
        machine.load(CODE, HexFormat.of().parseHex(hex.replace(" ", "")));
        long[] general = machine.group(X86.GENERAL);
        System.arraycopy(registers, 0, general, 0, 4);
        machine.run(1);
        List<Long> after = new ArrayList<>();
        for (int r = 0; r < 4; r++) {
            after.add(machine.register(r));
        }
        after.add(machine.register(X86.RFLAGS));
        after.add(machine.register(X86.RIP));
        return after;
    }

    @Test
    @DisplayName("32-bit code gives what 64-bit code gives with 32-bit operands, whatever W is")
    void code32() {
        for (String form :
                "02f2c1 02f3c9 02f3d1 02f3d9 02f7c1 02f5c1 22f5c1 32f5c1 32f6c1 12f7c1 22f7c1 32f7c1"
                        .split(" ")) {
            String narrow = "c4e2" + vexByte(form, 0) + form.substring(2);
            String wide = "c4e2" + vexByte(form, 0x80) + form.substring(2);
            for (int i = 0; i < 50; i++) {
                long[] registers = random.longs(4).map(v -> v & 0xffffffffL).toArray();
                machine.longMode(CODE);
                List<Long> want = run(narrow, registers);
                machine.protectedMode(CODE);
                assertEquals(want, run(narrow, registers), form);
                machine.protectedMode(CODE);
                assertEquals(want, run(wide, registers), form);
                assertNotEquals(Arrays.asList(0L, 0L, 0L, 0L), want.subList(0, 4));
            }
        }
    }

    /** The last byte of the prefix: EDX as vvvv, pp by the form's first digit. */
    private static String vexByte(String form, int wide) {
        return HexFormat.of().toHexDigits((byte) (0x68 | form.charAt(0) - '0' | wide));
    }

    @Test
    @DisplayName("in real mode VEX is an invalid opcode")
    void realMode() {
        machine.protectedMode(CODE);
        machine.group(X86.CONTROL)[X86.CR0] = Bits.CR0_ET;
        RamPages.setInt(4 * Bits.UD, (int) (HANDLER >> 4 << 16));
        machine.load(HANDLER, (byte) 0xf4);
        machine.group(X86.SEGMENTS)[X86.IDTR_BASE] = 0;
        machine.group(X86.SEGMENTS)[X86.IDTR_LIMIT] = 0x3ff;
        List<Long> after = run(ANDN, new long[] {5, 6, 1, 7});
        assertEquals(List.of(5L, 6L, 1L, 7L), after.subList(0, 4));
        assertEquals(HANDLER >> 4, machine.group(X86.SEGMENTS)[4 * X86.CS + X86.SELECTOR]);
    }

    @Test
    @DisplayName("in virtual-8086 mode VEX is not executed")
    void virtual8086() {
        machine.protectedMode(CODE);
        List<Long> protectedMode = run(ANDN, new long[] {5, 6, 1, 7});
        assertEquals(6L, protectedMode.getFirst());
        machine.protectedMode(CODE);
        machine.group(X86.GENERAL)[X86.RFLAGS] |= Bits.VM;
        assertEquals(5L, run(ANDN, new long[] {5, 6, 1, 7}).getFirst());
    }
}
