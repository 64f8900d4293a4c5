package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.host.HostRam;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;

/** The rules of x87, MMX and SSE by example; needs no particular processor. */
class FloatingPointTest {
    private static final long MEMORY = 0x8000;
    private static final int UNMASK_ZERO_DIVIDE = 0x37b;

    private Cpu cpu = SemanticsCall.newCpu();

    @BeforeAll
    static void reserveMemory() {
        TestMemory.reserve();
    }

    @BeforeEach
    void newCore() {
        cpu = SemanticsCall.newCpu();
        cpu.gpr[6] = MEMORY;
    }

    private void run(String... codes) {
        for (String code : codes) {
            byte[] bytes = new byte[16];
            byte[] given = HexFormat.of().parseHex(code.replace(" ", ""));
            System.arraycopy(given, 0, bytes, 0, given.length);
            Instruction insn = new Instruction();
            assertEquals(given.length, new Decoder().decode(bytes, 0, 16, 64, insn), code);
            new SemanticsCall(insn).run(cpu);
        }
    }

    private void push(long v) {
        HostRam.setLong(MEMORY, v);
        run("df 2e");
    }

    private Float80 top() {
        return X87.get(cpu, 0);
    }

    private void setDouble(int register, double low) {
        SseMemory.load64(cpu, register, Double.doubleToRawLongBits(low));
    }

    private double getDouble(int register) {
        return Double.longBitsToDouble(cpu.xmm[2 * register]);
    }

    @Test
    void aThirdHasSixtyFourBitsAndRoundsAsTheControlWordSays() {
        push(1);
        push(3);
        run("de f9");
        assertEquals(new Float80(0xaaaaaaaaaaaaaaabL, 0x3ffd), top());
        assertEquals(FloatStatus.PE | X87.C1, cpu.fsw);
        cpu.fcw = 0x77f;
        push(1);
        push(3);
        run("de f9");
        assertEquals(new Float80(0xaaaaaaaaaaaaaaaaL, 0x3ffd), top());
    }

    @Test
    void precisionControlCutsResultsToTwentyFourBits() {
        cpu.fcw = 0x07f;
        push(1);
        push(3);
        run("de f9");
        assertEquals(new Float80(0xaaaaab0000000000L, 0x3ffd), top());
    }

    @Test
    void addingToAnEmptyRegisterGivesTheIndefiniteNan() {
        push(1);
        run("d8 c1");
        assertEquals(Float80.INDEFINITE, top());
        assertEquals(FloatStatus.IE | X87.SF, cpu.fsw);
    }

    @Test
    void theNinthPushOverflowsTheStack() {
        for (int i = 0; i < 9; i++) {
            run("d9 e8");
        }
        assertEquals(Float80.INDEFINITE, top());
        assertEquals(FloatStatus.IE | X87.SF | X87.C1, cpu.fsw);
    }

    @Test
    void anUnmaskedDivisionByZeroWaitsForTheNextWaitingInstruction() {
        cpu.fcw = UNMASK_ZERO_DIVIDE;
        push(1);
        run("d9 ee", "dc f9");
        assertEquals(FloatStatus.ZE | X87.ES | X87.B, cpu.fsw);
        assertEquals(Float80.ONE, X87.get(cpu, 1));
        run("df e0");
        CpuFault fault = assertThrows(CpuFault.class, () -> run("d9 e8"));
        assertEquals(Bits.MF, fault.vector);
        run("db e2", "d9 e8");
        assertEquals(Float80.ONE, top());
    }

    @Test
    void withoutNumericErrorsNothingIsRaised() {
        cpu.cr0 &= ~Bits.CR0_NE;
        cpu.fcw = UNMASK_ZERO_DIVIDE;
        push(1);
        run("d9 ee", "dc f9", "d9 e8");
        assertEquals(Float80.ONE, top());
    }

    @Test
    void remainderTellsTheLowBitsOfTheQuotient() {
        push(5);
        push(38);
        run("d9 f8");
        assertEquals(Float80.ofLong(3), top());
        assertEquals(X87.C0 | X87.C3 | X87.C1, cpu.fsw & X87.CONDITIONS);
    }

    @Test
    void aLongRemainderIsUnfinishedAtFirst() {
        push(3);
        run("d9 e8");
        X87.set(cpu, 0, new Float80(Float80.INTEGER_BIT, Float80.BIAS + 200));
        run("d9 f8");
        assertEquals(X87.C2, cpu.fsw & X87.C2);
        for (int i = 0; i < 10 && (cpu.fsw & X87.C2) != 0; i++) {
            run("d9 f8");
        }
        assertEquals(Float80.ONE, top());
    }

    @Test
    void decimalStoreWritesDigitsAndSign() {
        push(-1234567890123456L);
        run("df 36");
        assertEquals(0x1234567890123456L, HostRam.getLong(MEMORY));
        assertEquals((short) 0x8000, HostRam.getShort(MEMORY + 8));
        assertEquals(0xffff, cpu.ftw);
    }

    @Test
    void whatDoesNotFitIsStoredAsTheSmallestInteger() {
        push(40000);
        run("df 1e");
        assertEquals(Short.MIN_VALUE, HostRam.getShort(MEMORY));
        assertEquals(FloatStatus.IE, cpu.fsw);
    }

    @Test
    void theSineOfPiIsWhatSixtySixBitsOfPiLeaveOver() {
        run("d9 eb", "d9 fe");
        assertEquals(new Float80(Float80.INTEGER_BIT, 0x8000 | Float80.BIAS - 64), top());
    }

    @Test
    void inexactSumsAreFlaggedAndExactOnesAreNot() {
        setDouble(0, 1.5);
        setDouble(1, 0.25);
        run("f2 0f 58 c1");
        assertEquals(1.75, getDouble(0));
        assertEquals(0x1f80, cpu.mxcsr);
        setDouble(1, 0x1p-60);
        run("f2 0f 58 c1");
        assertEquals(1.75, getDouble(0));
        assertEquals(0x1fa0, cpu.mxcsr);
    }

    @Test
    void quotientsRoundUpWhereMxcsrSaysSo() {
        cpu.mxcsr = 0x5f80;
        setDouble(0, 1);
        setDouble(1, 3);
        run("f2 0f 5e c1");
        assertEquals(Math.nextUp(1.0 / 3), getDouble(0));
        assertEquals(0x5fa0, cpu.mxcsr);
    }

    @Test
    void tinyResultsVanishWithFlushToZero() {
        cpu.mxcsr = 0x9f80;
        setDouble(0, Double.MIN_NORMAL);
        setDouble(1, 0.5);
        run("f2 0f 59 c1");
        assertEquals(0, cpu.xmm[0]);
        assertEquals(0x9f80 | FloatStatus.UE | FloatStatus.PE, cpu.mxcsr);
    }

    @Test
    void theFirstNanOperandIsTheResult() {
        cpu.xmm[0] = 0x7ff8_0000_0000_0001L;
        cpu.xmm[2] = 0x7ff0_0000_0000_0002L;
        run("f2 0f 58 c1");
        assertEquals(0x7ff8_0000_0000_0001L, cpu.xmm[0]);
        assertEquals(0x1f80 | FloatStatus.IE, cpu.mxcsr);
    }

    @Test
    void anUnmaskedSseExceptionLeavesTheDestination() {
        cpu.mxcsr = 0x1d80;
        setDouble(0, 1);
        setDouble(1, 0);
        CpuFault fault = assertThrows(CpuFault.class, () -> run("f2 0f 5e c1"));
        assertEquals(Bits.XF, fault.vector);
        assertEquals(1, getDouble(0));
        assertEquals(0x1d80 | FloatStatus.ZE, cpu.mxcsr);
    }

    @Test
    void anUnmaskedSseExceptionIsUndefinedIfTheSystemTakesNone() {
        cpu.cr4 &= ~Bits.CR4_OSXMMEXCPT;
        cpu.mxcsr = 0x1d80;
        setDouble(0, 1);
        setDouble(1, 0);
        CpuFault fault = assertThrows(CpuFault.class, () -> run("f2 0f 5e c1"));
        assertEquals(Bits.UD, fault.vector);
    }

    @Test
    void unorderedComparisonSetsZeroParityAndCarry() {
        setDouble(0, Double.NaN);
        setDouble(1, 1);
        run("66 0f 2e c1");
        assertEquals(Bits.ZF | Bits.PF | Bits.CF, cpu.rflags() & Bits.STATUS);
        assertEquals(0x1f80, cpu.mxcsr);
        run("66 0f 2f c1");
        assertEquals(0x1f80 | FloatStatus.IE, cpu.mxcsr);
    }

    @Test
    void packingSaturatesAndUnpackingInterleaves() {
        assertEquals(
                0x80_7f_02_01_80_7f_02_01L,
                Mmx.packsswb(0x8000_7fff_0002_0001L, 0x8000_7fff_0002_0001L));
        assertEquals(0x14_04_13_03_12_02_11_01L, Mmx.punpcklbw(0x04030201, 0x14131211));
        assertEquals(2 * 3 + 4 * 5, Mmx.pmaddwd(0x0000_0000_0002_0004L, 0x0000_0000_0003_0005L));
    }

    @Test
    void mmxInstructionsTakeOverTheStackAndEmmsGivesItBack() {
        push(7);
        run("0f 6f 06");
        assertEquals(0, cpu.ftw);
        assertEquals(0, cpu.fpTop);
        assertEquals(7, cpu.fpSignificand[0]);
        assertEquals(0xffff, cpu.fpExponent[0]);
        run("0f 77");
        assertEquals(0xffff, cpu.ftw);
    }

    @Test
    void savedStateComesBackWhole() {
        push(42);
        setDouble(15, 2.5);
        cpu.mxcsr = 0x1fa0;
        run("48 0f ae 06");
        long significand = cpu.fpSignificand[7];
        cpu = SemanticsCall.newCpu();
        cpu.gpr[6] = MEMORY;
        run("48 0f ae 0e");
        assertEquals(7, cpu.fpTop);
        assertEquals(significand, cpu.fpSignificand[7]);
        assertFalse(X87.isEmpty(cpu, 0));
        assertEquals(2.5, getDouble(15));
        assertEquals(0x1fa0, cpu.mxcsr);
    }

    @Test
    void reservedBitsOfMxcsrAreRefused() {
        HostRam.setInt(MEMORY, 0x10000);
        CpuFault fault = assertThrows(CpuFault.class, () -> run("0f ae 16"));
        assertEquals(Bits.GP, fault.vector);
        assertEquals(0x1f80, cpu.mxcsr);
    }
}
