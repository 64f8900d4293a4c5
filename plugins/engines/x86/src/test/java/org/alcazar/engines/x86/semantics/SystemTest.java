package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.mmu.Guest;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuExit;
import org.alcazar.engines.x86.state.CpuFault;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.engines.x86.state.Reset;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.Space;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Segments, interrupts, far transfers, control registers, MSRs, ports and CPUID. */
class SystemTest {
    private static final long GDT = 0x10000, IDT = 0x11000, TSS = 0x12000;
    private static final int K64 = 0x08, DATA0 = 0x10, U32 = 0x1b, DATA3 = 0x23, U64 = 0x2b;
    private static final int K32 = 0x30,
            DOWN = 0x38,
            ABSENT = 0x40,
            EXECUTE_ONLY = 0x48,
            TASK = 0x50;
    private static final int GATE = 0x60, TASK2 = 0x70, K16 = 0x78;
    private static final int HANDLER = 0x5678;

    private final Guest guest = new Guest();
    private final Cpu cpu = guest.cpu;

    @BeforeEach
    void tables() {
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0xfff;
        cpu.idtrBase = IDT;
        cpu.idtrLimit = 0xfff;
        guest.poke64(GDT + K64, 0x00af_9b00_0000_ffffL);
        guest.poke64(GDT + DATA0, 0x00cf_9300_0000_ffffL);
        guest.poke64(GDT + (U32 & ~3), 0x00cf_fb00_0000_ffffL);
        guest.poke64(GDT + (DATA3 & ~3), 0x00cf_f300_0000_ffffL);
        guest.poke64(GDT + (U64 & ~3), 0x00af_fb00_0000_ffffL);
        guest.poke64(GDT + K32, 0x00cf_9b00_0000_ffffL);
        guest.poke64(GDT + DOWN, 0x0040_9600_0000_0fffL);
        guest.poke64(GDT + ABSENT, 0x00cf_1300_0000_ffffL);
        guest.poke64(GDT + EXECUTE_ONLY, 0x00cf_9900_0000_ffffL);
        guest.poke64(GDT + TASK, 0x0000_8900_0000_0067L | TSS << 16);
        guest.poke64(GDT + TASK2, 0x0000_8901_4000_0067L);
        guest.poke64(GDT + K16, 0x0000_9b00_0000_ffffL);
        cpu.gpr[X86.RSP] = 0x9000;
        cpu.rip = 0x1234;
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private void expect(int vector, int code, Executable action) {
        CpuFault fault = assertThrows(CpuFault.class, action);
        assertEquals(vector, fault.vector);
        assertEquals(code, fault.errorCode);
    }

    private Guest longMode() {
        guest.identity(Guest.PRESENT_USER);
        cpu.selector[X86.CS] = K64;
        cpu.selector[X86.SS] = DATA0;
        cpu.segmentLimit[X86.TR] = 0x67;
        cpu.segmentBase[X86.TR] = TSS;
        return guest;
    }

    private Guest protectedMode() {
        guest.protectedMode();
        cpu.selector[X86.CS] = K32;
        cpu.selector[X86.SS] = DATA0;
        cpu.segmentLimit[X86.TR] = 0x67;
        cpu.segmentBase[X86.TR] = TSS;
        cpu.segmentAttributes[X86.TR] = 0x8b;
        cpu.selector[X86.TR] = TASK;
        return guest;
    }

    private void user64() {
        cpu.selector[X86.CS] = U64;
        cpu.selector[X86.SS] = DATA3;
        guest.cpl(3);
    }

    private void user32() {
        cpu.selector[X86.CS] = U32;
        cpu.selector[X86.SS] = DATA3;
        cpu.segmentAttributes[X86.SS] = 0xcf3;
        cpu.segmentAttributes[X86.CS] = 0xcfb;
        guest.poke32(TSS + 4, 0x8000);
        guest.poke32(TSS + 8, DATA0);
        guest.cpl(3);
    }

    private void gate64(int vector, int selector, int type, int dpl, int ist) {
        long low = HANDLER | (long) selector << 16 | (long) ist << 32;
        guest.poke64(IDT + 16 * vector, low | (0x80L | dpl << 5 | type) << 40);
        guest.poke64(IDT + 16 * vector + 8, 0);
    }

    private void gate32(int vector, int selector, int type, int dpl) {
        long low = HANDLER | (long) selector << 16;
        guest.poke64(IDT + 8 * vector, low | (0x80L | dpl << 5 | type) << 40);
    }

    private Instruction instruction(int opcode, int size) {
        Instruction out = new Instruction();
        out.opcode = opcode;
        out.operandSize = size;
        out.addressSize = 4;
        out.mode = cpu.code64() ? 64 : 32;
        out.base = Instruction.NO_REGISTER;
        out.index = Instruction.NO_REGISTER;
        out.segment = X86.DS;
        return out;
    }

    private Instruction far(int selector, long offset, int size) {
        Instruction out = instruction(0x9a, size);
        out.immediate = offset;
        out.immediate2 = selector;
        return out;
    }

    private void push(int size, long... values) {
        for (long value : values) {
            long sp = SystemStack.push(cpu, SystemStack.pointer(cpu), size, value);
            SystemStack.setPointer(cpu, sp);
        }
    }

    // ---- segments

    @Test
    void limitsHoldInRealMode() {
        cpu.segmentBase[X86.DS] = 0x1230;
        assertEquals(0x1231 + 0xfffd, Segments.linear(cpu, X86.DS, 0xfffe, 2, true));
        expect(Bits.GP, 0, () -> Segments.linear(cpu, X86.DS, 0xffff, 2, true));
        expect(Bits.SS, 0, () -> Segments.linear(cpu, X86.SS, 0xffff, 2, true));
    }

    @Test
    void realModeLoadsKeepTheLimit() {
        cpu.segmentLimit[X86.DS] = 0xffff_ffffL;
        Segments.load(cpu, X86.DS, 0x1000);
        assertEquals(0x10000, cpu.segmentBase[X86.DS]);
        assertEquals(0x10000 + 0x20_0000, Segments.linear(cpu, X86.DS, 0x20_0000, 4, false));
    }

    @Test
    void expandDownSegmentsAreValidAboveTheirLimit() {
        protectedMode();
        Segments.load(cpu, X86.DS, DOWN);
        assertEquals(0x1000, Segments.linear(cpu, X86.DS, 0x1000, 4, true));
        expect(Bits.GP, 0, () -> Segments.linear(cpu, X86.DS, 0xfff, 1, true));
        expect(Bits.GP, 0, () -> Segments.linear(cpu, X86.DS, 0xffff_fffeL, 4, true));
    }

    @Test
    void loadsCheckTypePrivilegeAndPresence() {
        protectedMode();
        expect(Bits.NP, ABSENT, () -> Segments.load(cpu, X86.DS, ABSENT));
        expect(Bits.SS, ABSENT, () -> Segments.load(cpu, X86.SS, ABSENT));
        expect(Bits.GP, EXECUTE_ONLY, () -> Segments.load(cpu, X86.DS, EXECUTE_ONLY));
        expect(Bits.GP, 0x1000, () -> Segments.load(cpu, X86.DS, 0x1000));
        expect(Bits.GP, 0x14, () -> Segments.load(cpu, X86.DS, 0x14));
        expect(Bits.GP, 0, () -> Segments.load(cpu, X86.SS, 0));
        expect(Bits.GP, DATA3 & ~3, () -> Segments.load(cpu, X86.SS, DATA3));
        guest.cpl(3);
        expect(Bits.GP, DATA0, () -> Segments.load(cpu, X86.DS, DATA0));
        Segments.load(cpu, X86.DS, DATA3);
        assertEquals(0xcf3, cpu.segmentAttributes[X86.DS]);
        Segments.load(cpu, X86.DS, 3);
        expect(Bits.GP, 0, () -> Segments.linear(cpu, X86.DS, 0, 1, false));
    }

    @Test
    void aLoadSetsTheAccessedBitInTheTable() {
        protectedMode();
        guest.poke64(GDT + DATA0, 0x00cf_9200_0000_ffffL);
        Segments.load(cpu, X86.ES, DATA0);
        assertEquals(0x00cf_9300_0000_ffffL, guest.peek64(GDT + DATA0));
        assertEquals(0xc93, cpu.segmentAttributes[X86.ES]);
    }

    @Test
    void the64BitTaskRegisterHas16Bytes() {
        longMode();
        guest.poke64(GDT + TASK, 0x0000_8900_0000_0067L);
        guest.poke64(GDT + TASK + 8, 0xffff_8000L);
        Segments.loadTask(cpu, TASK);
        assertEquals(0xffff_8000_0000_0000L, cpu.segmentBase[X86.TR]);
        assertEquals(0x8b, guest.peek64(GDT + TASK) >>> 40 & 0xff);
        expect(Bits.GP, TASK, () -> Segments.loadTask(cpu, TASK));
    }

    @Test
    void in64BitModeOnlyFsAndGsHaveBases() {
        longMode();
        cpu.segmentBase[X86.DS] = 0x1000;
        cpu.segmentBase[X86.FS] = 0x1000;
        assertEquals(0x10, Segments.linear(cpu, X86.DS, 0x10, 8, true));
        assertEquals(0x1010, Segments.linear(cpu, X86.FS, 0x10, 8, true));
        expect(Bits.SS, 0, () -> Segments.linear(cpu, X86.SS, 1L << 47, 8, true));
        expect(Bits.GP, 0, () -> Segments.linear(cpu, X86.DS, (1L << 47) - 4, 8, true));
    }

    // ---- interrupts

    @Test
    void realModeInterruptsGoThroughTheVectorTable() {
        cpu.idtrBase = 0;
        guest.poke32(0x20 * 4, 0x2000_0100);
        cpu.flags |= Bits.IF | Bits.TF;
        cpu.selector[X86.CS] = 0x77;
        assertTrue(Interrupts.interrupt(cpu, 0x20));
        assertEquals(0x8ffa, cpu.gpr[X86.RSP]);
        assertEquals(0x0077_1234, guest.peek32(0x8ffa));
        assertEquals(Bits.IF | Bits.TF, guest.peek32(0x8ffc) >>> 16 & (Bits.IF | Bits.TF));
        assertEquals(0x20000, cpu.segmentBase[X86.CS]);
        assertEquals(0x100, cpu.rip);
        assertEquals(0, cpu.flags & (Bits.IF | Bits.TF));
        Instruction iret = instruction(0xcf, 2);
        FarTransfers.iret(cpu, iret);
        assertEquals(0x1234, cpu.rip);
        assertEquals(0x9000, cpu.gpr[X86.RSP]);
        assertEquals(Bits.IF, cpu.flags & Bits.IF);
    }

    @Test
    void anInterruptFromUserCodeIn64BitModeTakesTheKernelStack() {
        longMode();
        user64();
        guest.poke64(TSS + 4, 0x8008);
        gate64(0x40, K64, 14, 0, 0);
        cpu.flags |= Bits.IF;
        long flags = cpu.rflags();
        assertTrue(Interrupts.interrupt(cpu, 0x40));
        assertEquals(0x8000 - 40, cpu.gpr[X86.RSP]);
        assertEquals(0x1234, guest.peek64(0x8000 - 40));
        assertEquals(U64, guest.peek64(0x8000 - 32));
        assertEquals(flags, guest.peek64(0x8000 - 24));
        assertEquals(0x9000, guest.peek64(0x8000 - 16));
        assertEquals(DATA3, guest.peek64(0x8000 - 8));
        assertEquals(HANDLER, cpu.rip);
        assertEquals(0, cpu.cpl);
        assertEquals(0, cpu.selector[X86.SS]);
        assertEquals(K64, cpu.selector[X86.CS]);
        assertEquals(0, cpu.flags & Bits.IF);
        FarTransfers.iret(cpu, instruction(0xcf, 8));
        assertEquals(0x1234, cpu.rip);
        assertEquals(3, cpu.cpl);
        assertEquals(DATA3, cpu.selector[X86.SS]);
        assertEquals(U64, cpu.selector[X86.CS]);
        assertEquals(0x9000, cpu.gpr[X86.RSP]);
        assertEquals(flags, cpu.rflags());
    }

    @Test
    void anExceptionIn64BitModePushesItsCodeOnTheInterruptStack() {
        longMode();
        guest.poke64(TSS + 0x24 + 8, 0x7000);
        gate64(Bits.GP, K64, 15, 0, 2);
        cpu.flags |= Bits.IF;
        assertTrue(Interrupts.raise(cpu, cpu.generalProtection(0x18)));
        assertEquals(0x7000 - 48, cpu.gpr[X86.RSP]);
        assertEquals(0x18, guest.peek64(0x7000 - 48));
        assertEquals(Bits.RF, guest.peek64(0x7000 - 24) & Bits.RF);
        assertEquals(Bits.IF, cpu.flags & Bits.IF);
    }

    @Test
    void aPageFaultSetsCr2OnlyWhenItIsDelivered() {
        longMode();
        gate64(Bits.PFV, K64, 14, 0, 0);
        guest.entry(0x4000, 0x30, 0);
        CpuFault fault = assertThrows(CpuFault.class, () -> cpu.mmu.write8(0x30123, 0));
        assertEquals(0, cpu.cr2);
        assertTrue(Interrupts.raise(cpu, fault));
        assertEquals(0x30123, cpu.cr2);
        assertEquals(Bits.PFEC_W, guest.peek64(cpu.gpr[X86.RSP]));
    }

    @Test
    void aFaultOfContributoryExceptionsIsADoubleFaultAndThenAShutdown() {
        longMode();
        gate64(Bits.DF_, K64, 14, 0, 1);
        guest.poke64(TSS + 0x24, 0x7000);
        assertTrue(Interrupts.raise(cpu, cpu.generalProtection(0)));
        assertEquals(0x7000 - 48, cpu.gpr[X86.RSP]);
        assertEquals(0, guest.peek64(0x7000 - 48));
        guest.poke64(IDT + 16 * Bits.DF_, 0);
        assertFalse(Interrupts.raise(cpu, cpu.generalProtection(0)));
    }

    @Test
    void aMissingGateOfAnExternalInterruptTellsTheExtBit() {
        longMode();
        gate64(Bits.GP, K64, 14, 0, 0);
        assertTrue(Interrupts.interrupt(cpu, 0x50));
        assertEquals(0x50 * 8 + 3, guest.peek64(cpu.gpr[X86.RSP]));
        expect(Bits.GP, 0x50 * 8 + 2, () -> Interrupts.software(cpu, 0x50));
    }

    @Test
    void userCodeCantCallAGateOfTheKernel() {
        longMode();
        user64();
        gate64(0x40, K64, 14, 0, 0);
        expect(Bits.GP, 0x40 * 8 + 2, () -> Interrupts.software(cpu, 0x40));
    }

    @Test
    void aNestedMissDuringDeliveryLeavesTheEventPending() {
        longMode();
        gate64(0x40, K64, 14, 0, 0);
        guest.nest(0x8000, 0);
        CpuExit exit = assertThrows(CpuExit.class, () -> Interrupts.interrupt(cpu, 0x40));
        assertEquals(Exit.TRANSLATION, exit.reason);
        assertEquals(0x1234, cpu.rip);
        assertEquals(0x9000, cpu.gpr[X86.RSP]);
        guest.nest(0x8000, guest.hostOf(0x8000) | Guest.PRESENT_USER);
        assertTrue(Interrupts.inject(cpu));
        assertEquals(HANDLER, cpu.rip);
        assertEquals(0, cpu.pendingEvent);
    }

    @Test
    void interceptedExceptionsExitBeforeTheyChangeAnything() {
        longMode();
        guest.block.exceptions = 1L << Bits.GP;
        CpuFault fault = cpu.generalProtection(5);
        CpuExit exit = assertThrows(CpuExit.class, () -> Interrupts.raise(cpu, fault));
        assertEquals(Exit.FAULT, exit.reason);
        assertEquals(Bits.GP, guest.block.frame().code);
        assertEquals(5, guest.block.frame().value);
    }

    @Test
    void protectedModeInterruptsSwitchStacksAndComeBack() {
        protectedMode();
        user32();
        gate32(0x40, K32, 14, 0);
        Segments.load(cpu, X86.DS, DATA3);
        assertTrue(Interrupts.interrupt(cpu, 0x40));
        assertEquals(0x8000 - 20, cpu.gpr[X86.RSP]);
        assertEquals(0x1234, guest.peek32(0x8000 - 20));
        assertEquals(U32, guest.peek32(0x8000 - 16));
        assertEquals(0x9000, guest.peek32(0x8000 - 8));
        assertEquals(DATA3, guest.peek32(0x8000 - 4));
        assertEquals(DATA0, cpu.selector[X86.SS]);
        Segments.load(cpu, X86.DS, DATA0);
        // A null selector loses its RPL, as the processors at hand do it.
        Segments.load(cpu, X86.FS, 3);
        FarTransfers.iret(cpu, instruction(0xcf, 4));
        assertEquals(3, cpu.cpl);
        assertEquals(0x9000, cpu.gpr[X86.RSP]);
        assertEquals(0, cpu.selector[X86.DS]);
        assertEquals(0, cpu.selector[X86.FS]);
    }

    @Test
    void sixteenBitGatesPushWords() {
        protectedMode();
        gate32(0x41, K32, 7, 0);
        Interrupts.software(cpu, 0x41);
        assertEquals(0x9000 - 6, cpu.gpr[X86.RSP]);
        assertEquals(0x1234 | K32 << 16, guest.peek32(0x9000 - 6));
    }

    @Test
    void virtual8086InterruptsSaveAllSegmentsAndIretGoesBack() {
        protectedMode();
        user32();
        guest.cpl(0);
        cpu.gpr[X86.RSP] = 0x9000;
        long eflags = Bits.VM | Bits.IF | 2;
        push(4, 0x4444, 0x3333, 0x2222, 0x1111, 0x5555, 0xfffe, eflags, 0x6666, 0x789a);
        FarTransfers.iret(cpu, instruction(0xcf, 4));
        assertTrue(cpu.virtual8086());
        assertEquals(3, cpu.cpl);
        assertEquals(0x66660, cpu.segmentBase[X86.CS]);
        assertEquals(0x44440, cpu.segmentBase[X86.GS]);
        assertEquals(0x11110, cpu.segmentBase[X86.ES]);
        gate32(0x42, K32, 14, 3);
        Interrupts.interrupt(cpu, 0x42);
        assertFalse(cpu.virtual8086());
        assertEquals(0x8000 - 36, cpu.gpr[X86.RSP]);
        assertEquals(0x789a, guest.peek32(0x8000 - 36));
        assertEquals(Bits.VM, guest.peek32(0x8000 - 28) & Bits.VM);
        assertEquals(0x5555, guest.peek32(0x8000 - 20));
        assertEquals(0x4444, guest.peek32(0x8000 - 4));
        assertEquals(0, cpu.selector[X86.GS]);
        FarTransfers.iret(cpu, instruction(0xcf, 4));
        assertTrue(cpu.virtual8086());
        assertEquals(0x789a, cpu.rip);
        expect(Bits.GP, 0, () -> FarTransfers.int_(cpu, instruction(0xcd, 4)));
    }

    // ---- far transfers

    @Test
    void farCallAndReturnInProtectedMode() {
        protectedMode();
        FarTransfers.callFar(cpu, far(K16, 0x4000, 4));
        assertEquals(K16, cpu.selector[X86.CS]);
        assertEquals(0x4000, cpu.rip);
        assertEquals(0x1234, guest.peek32(0x8ff8));
        FarTransfers.retFar(cpu, instruction(0xcb, 4));
        assertEquals(K32, cpu.selector[X86.CS]);
        assertEquals(0x1234, cpu.rip);
        assertEquals(0x9000, cpu.gpr[X86.RSP]);
        expect(Bits.GP, 0, () -> FarTransfers.jmpFar(cpu, far(K16, 0x10000, 4)));
        expect(Bits.GP, DATA0, () -> FarTransfers.jmpFar(cpu, far(DATA0, 0, 4)));
        expect(Bits.GP, U32 & ~3, () -> FarTransfers.jmpFar(cpu, far(U32, 0, 4)));
        expect(Bits.GP, 0, () -> FarTransfers.jmpFar(cpu, far(3, 0, 4)));
    }

    @Test
    void aCallGateCopiesParametersToTheInnerStackAndReturnReleasesThem() {
        protectedMode();
        user32();
        long gate = 0x8765 | (long) K32 << 16 | 2L << 32 | 0xecL << 40;
        guest.poke64(GDT + GATE, gate);
        push(4, 0xaaaa, 0xbbbb);
        FarTransfers.callFar(cpu, far(GATE | 3, 0, 4));
        assertEquals(0, cpu.cpl);
        assertEquals(0x8765, cpu.rip);
        assertEquals(0x8000 - 24, cpu.gpr[X86.RSP]);
        assertEquals(0x1234, guest.peek32(0x8000 - 24));
        assertEquals(U32, guest.peek32(0x8000 - 20));
        assertEquals(0xbbbb, guest.peek32(0x8000 - 16));
        assertEquals(0xaaaa, guest.peek32(0x8000 - 12));
        assertEquals(0x9000 - 8, guest.peek32(0x8000 - 8));
        Instruction ret = instruction(0xca, 4);
        ret.immediate = 8;
        FarTransfers.retFar(cpu, ret);
        assertEquals(3, cpu.cpl);
        assertEquals(0x9000, cpu.gpr[X86.RSP]);
        assertEquals(DATA3, cpu.selector[X86.SS]);
    }

    @Test
    void a64BitCallGateSwitchesToTheTaskStackWithANullSelector() {
        longMode();
        user64();
        guest.poke64(TSS + 4, 0x8000);
        guest.poke64(GDT + GATE, 0x8765 | (long) K64 << 16 | 0xecL << 40);
        guest.poke64(GDT + GATE + 8, 0);
        Instruction call = instruction(0xff, 4);
        call.memory = true;
        call.displacement = 0x20000;
        call.addressSize = 8;
        guest.poke64(0x20000, (long) (GATE | 3) << 32);
        FarTransfers.callFar(cpu, call);
        assertEquals(0, cpu.cpl);
        assertEquals(0, cpu.selector[X86.SS]);
        assertEquals(0x8000 - 32, cpu.gpr[X86.RSP]);
        assertEquals(0x9000, guest.peek64(0x8000 - 16));
        FarTransfers.retFar(cpu, instruction(0xcb, 8));
        assertEquals(U64, cpu.selector[X86.CS]);
        assertEquals(0x9000, cpu.gpr[X86.RSP]);
    }

    @Test
    void syscallAndSysretKeepRipAndFlags() {
        longMode();
        user64();
        expect(Bits.UD, 0, () -> FarTransfers.syscall(cpu, instruction(0x0f05, 4)));
        cpu.efer |= Bits.EFER_SCE;
        cpu.msr[X86.STAR] = (long) (K64 | 0x18 << 16) << 32;
        cpu.msr[X86.LSTAR] = 0xffff_8000_0000_1000L;
        cpu.msr[X86.SFMASK] = Bits.IF | Bits.TF;
        cpu.flags |= Bits.IF | Bits.DF;
        long flags = cpu.rflags();
        FarTransfers.syscall(cpu, instruction(0x0f05, 4));
        assertEquals(0xffff_8000_0000_1000L, cpu.rip);
        assertEquals(0x1234, cpu.gpr[X86.RCX]);
        assertEquals(flags, cpu.gpr[11]);
        assertEquals(K64, cpu.selector[X86.CS]);
        assertEquals(DATA0, cpu.selector[X86.SS]);
        assertEquals(0, cpu.cpl);
        assertEquals(Bits.DF, cpu.flags & (Bits.IF | Bits.DF));
        FarTransfers.sysret(cpu, instruction(0x0f07, 8));
        assertEquals(0x1234, cpu.rip);
        assertEquals(U64, cpu.selector[X86.CS]);
        assertEquals(DATA3, cpu.selector[X86.SS]);
        assertEquals(3, cpu.cpl);
        assertEquals(flags, cpu.rflags());
        expect(Bits.UD, 0, () -> FarTransfers.sysenter(cpu, instruction(0x0f34, 4)));
    }

    @Test
    void iretFailsAsAWholeIfTheTargetDoesNotFit() {
        longMode();
        push(8, DATA3, 0x9000, 2, U64, 1L << 47);
        long rsp = cpu.gpr[X86.RSP];
        expect(Bits.GP, 0, () -> FarTransfers.iret(cpu, instruction(0xcf, 8)));
        assertEquals(rsp, cpu.gpr[X86.RSP]);
        assertEquals(K64, cpu.selector[X86.CS]);
        cpu.flags |= Bits.NT;
        expect(Bits.GP, 0, () -> FarTransfers.iret(cpu, instruction(0xcf, 8)));
    }

    @Test
    void aTaskSwitchSavesOneTaskAndLoadsAnother() {
        protectedMode();
        long next = 0x14000;
        guest.poke32(next + 0x20, 0x4321);
        guest.poke32(next + 0x24, 2);
        guest.poke32(next + 0x28, 0xa0a0);
        guest.poke32(next + 0x38, 0x6000);
        int[] selectors = {DATA0, K32, DATA0, DATA0, 0, 0};
        for (int i = 0; i < 6; i++) {
            guest.poke32(next + 0x48 + 4 * i, selectors[i]);
        }
        cpu.gpr[X86.RAX] = 0xbeef;
        FarTransfers.callFar(cpu, far(TASK2, 0, 4));
        assertEquals(0x4321, cpu.rip);
        assertEquals(0xa0a0, cpu.gpr[X86.RAX]);
        assertEquals(0x6000, cpu.gpr[X86.RSP]);
        assertEquals(TASK2, cpu.selector[X86.TR]);
        assertEquals(Bits.NT, cpu.flags & Bits.NT);
        assertEquals(TASK, guest.peek32(next) & 0xffff);
        assertEquals(0x1234, guest.peek32(TSS + 0x20));
        assertEquals(0xbeef, guest.peek32(TSS + 0x28));
        assertEquals(0x8b, guest.peek64(GDT + TASK2) >>> 40 & 0xff);
        guest.poke64(GDT + TASK, guest.peek64(GDT + TASK) | 2L << 40);
        cpu.rip = 0x5000;
        FarTransfers.iret(cpu, instruction(0xcf, 4));
        assertEquals(0x1234, cpu.rip);
        assertEquals(0xbeef, cpu.gpr[X86.RAX]);
        assertEquals(TASK, cpu.selector[X86.TR]);
        assertEquals(0, cpu.flags & Bits.NT);
        assertEquals(0x89, guest.peek64(GDT + TASK2) >>> 40 & 0xff);
    }

    // ---- control registers and MSRs

    @Test
    void longModeIsEnteredByLmePaeAndPagingInThatOrder() {
        protectedMode();
        guest.identity(Guest.PRESENT_USER);
        cpu.cr0 = Bits.CR0_PE | Bits.CR0_ET;
        cpu.cr4 = 0;
        cpu.efer = 0;
        cpu.segmentAttributes[X86.CS] = 0xc9b;
        cpu.mmu.reset();
        long paging = cpu.cr0 | Bits.CR0_PG;
        Msrs.write(cpu, 0xc000_0080, Bits.EFER_LME);
        expect(Bits.GP, 0, () -> ControlRegisters.write(cpu, 0, paging));
        ControlRegisters.write(cpu, 4, Bits.CR4_PAE);
        ControlRegisters.write(cpu, 3, 0x1000);
        ControlRegisters.write(cpu, 0, paging);
        assertTrue(cpu.longMode());
        assertFalse(cpu.code64());
        expect(Bits.GP, 0, () -> ControlRegisters.write(cpu, 4, 0));
        expect(Bits.GP, 0, () -> Msrs.write(cpu, 0xc000_0080, 0));
        FarTransfers.jmpFar(cpu, far(K64, 0x100, 4));
        assertTrue(cpu.code64());
        expect(Bits.GP, 0, () -> ControlRegisters.write(cpu, 0, cpu.cr0 & ~Bits.CR0_PG));
        FarTransfers.jmpFar(cpu, farMemory(K32, 0x100));
        ControlRegisters.write(cpu, 0, cpu.cr0 & ~Bits.CR0_PG);
        assertFalse(cpu.longMode());
    }

    private Instruction farMemory(int selector, int offset) {
        Instruction out = instruction(0xff, 4);
        out.memory = true;
        out.displacement = 0x20000;
        guest.poke64(0x20000, (long) selector << 32 | offset);
        return out;
    }

    @Test
    void wrongControlBitsRaiseGeneralProtection() {
        protectedMode();
        expect(Bits.GP, 0, () -> ControlRegisters.write(cpu, 0, Bits.CR0_PG));
        expect(Bits.GP, 0, () -> ControlRegisters.write(cpu, 0, Bits.CR0_NW));
        expect(Bits.GP, 0, () -> ControlRegisters.write(cpu, 4, 1L << 31));
        expect(Bits.GP, 0, () -> ControlRegisters.write(cpu, 8, 16));
        expect(Bits.UD, 0, () -> ControlRegisters.write(cpu, 1, 0));
        expect(Bits.GP, 0, () -> Msrs.write(cpu, 0xc000_0080, Bits.EFER_SVME));
        expect(Bits.GP, 0, () -> Msrs.write(cpu, 0x277, 2));
        expect(Bits.GP, 0, () -> Msrs.write(cpu, 0xc000_0082, 1L << 47));
        expect(Bits.GP, 0, () -> Msrs.read(cpu, 0x12345));
    }

    @Test
    void debugRegistersHaveTheirFixedBitsAndGeneralDetect() {
        protectedMode();
        ControlRegisters.writeDebug(cpu, 7, 0);
        assertEquals(0x400, ControlRegisters.readDebug(cpu, 5));
        ControlRegisters.writeDebug(cpu, 6, 0);
        assertEquals(0xffff_0ff0L, ControlRegisters.readDebug(cpu, 4));
        ControlRegisters.writeDebug(cpu, 7, 1 << 13);
        expect(Bits.DB, 0, () -> ControlRegisters.readDebug(cpu, 0));
        assertEquals(1 << 13, cpu.dr[6] & 1 << 13);
    }

    @Test
    void theTimeStampCounterCanBeSetAndAdjusted() {
        guest.block.time = retired -> 1000 + retired;
        cpu.retired = 5;
        assertEquals(1005, Msrs.read(cpu, 0x10));
        Msrs.write(cpu, 0x10, 50);
        assertEquals(50, Msrs.read(cpu, 0x10));
        assertEquals(-955, Msrs.read(cpu, 0x3b));
        Msrs.write(cpu, 0x3b, 0);
        cpu.retired = 7;
        assertEquals(1007, Msrs.read(cpu, 0x10));
    }

    @Test
    void msrsAreKeptWhereTheRegisterGroupHasThem() {
        Reset.power(cpu, CpuModel.SIGNATURE);
        assertEquals(0xfee0_0900L, Msrs.read(cpu, 0x1b));
        int[] numbers = {0x200, 0x20f, 0x250, 0x259, 0x26f, 0x2ff, 0xc000_0081, 0xc000_0103, 0x176};
        int[] places = {14, 29, 30, 32, 40, 13, 0, 9, 7};
        for (int i = 0; i < numbers.length; i++) {
            long value = numbers[i] == 0x20f ? 0x800 : numbers[i] == 0x2ff ? 0xc06 : 6;
            Msrs.write(cpu, numbers[i], value);
            assertEquals(value, cpu.msr[places[i]], Integer.toHexString(numbers[i]));
            assertEquals(value, Msrs.read(cpu, numbers[i]));
        }
    }

    @Test
    void interceptedRegistersAndFeaturesGoToTheVmm() {
        guest.block.registers = Ranges.NONE.with(0x4b56_4d00L, 0x4b56_4dffL);
        CpuExit exit = assertThrows(CpuExit.class, () -> Msrs.write(cpu, 0x4b56_4d01, 7));
        assertEquals(Exit.ACCESS, exit.reason);
        ExitFrame frame = guest.block.frame();
        assertEquals(Space.REGISTER, frame.space);
        assertEquals(0x4b56_4d01, frame.address);
        assertEquals(7, frame.value);
        guest.block.features = Ranges.NONE.with(0x4000_0000L, 0x4000_00ffL);
        cpu.gpr[X86.RAX] = 0x4000_0001;
        cpu.gpr[X86.RCX] = 3;
        assertThrows(CpuExit.class, () -> Cpuid.execute(cpu));
        assertEquals(Space.FEATURE, frame.space);
        assertEquals(0x3_4000_0001L, frame.address);
        cpu.gpr[X86.RAX] = 99;
        cpu.accesses.complete(0);
        cpu.accesses.rewind();
        Cpuid.execute(cpu);
        assertEquals(99, cpu.gpr[X86.RAX]);
    }

    @Test
    void interceptedInstructionsExitUntilTheVmmSaysProceed() {
        guest.block.instructions = 1L << Intercept.HLT;
        Instruction hlt = instruction(0xf4, 4);
        CpuExit exit = assertThrows(CpuExit.class, () -> SystemInstructions.hlt(cpu, hlt));
        assertEquals(Exit.INSTRUCTION, exit.reason);
        assertEquals(Intercept.HLT, guest.block.frame().code);
        cpu.proceed = true;
        SystemInstructions.hlt(cpu, hlt);
        assertEquals(X86.HALTED, cpu.activity);
    }

    // ---- ports

    @Test
    void portsNeedIoplOrABitOfTheTask() {
        guest.block.ports = Ranges.NONE;
        protectedMode();
        user32();
        cpu.segmentLimit[X86.TR] = 0x100;
        guest.poke64(TSS + 0x60, 0x68L << 48);
        for (long at = TSS + 0x68; at < TSS + 0x101; at += 8) {
            guest.poke64(at, -1);
        }
        expect(Bits.GP, 0, () -> InputOutput.check(cpu, 0x3f8, 1));
        guest.poke64(TSS + 0x68 + 0x78, ~(7L << 56));
        InputOutput.check(cpu, 0x3f8, 1);
        InputOutput.check(cpu, 0x3f9, 2);
        expect(Bits.GP, 0, () -> InputOutput.check(cpu, 0x3f8, 4));
        expect(Bits.GP, 0, () -> InputOutput.check(cpu, 0x7000, 1));
        cpu.flags |= Bits.IOPL;
        InputOutput.check(cpu, 0x7000, 4);
    }

    @Test
    void portsGoToTheBusUnlessTheyAreIntercepted() {
        guest.block.ports = Ranges.NONE;
        assertEquals(0xff, InputOutput.read(cpu, 0x80, 1));
        guest.block.ports = Ranges.ALL;
        CpuExit exit = assertThrows(CpuExit.class, () -> InputOutput.write(cpu, 0x80, 2, 0x55));
        assertEquals(Exit.ACCESS, exit.reason);
        assertEquals(Space.PORT, guest.block.frame().space);
        assertEquals(2, guest.block.frame().size);
    }

    // ---- CPUID

    @Test
    void cpuidTellsVendorBrandAndAddressSizes() {
        cpu.gpr[X86.RAX] = 0;
        Cpuid.execute(cpu);
        assertEquals("AuthenticAMD", text(X86.RBX) + text(X86.RDX) + text(X86.RCX));
        StringBuilder brand = new StringBuilder();
        for (int leaf = 2; leaf <= 4; leaf++) {
            cpu.gpr[X86.RAX] = 0x8000_0000L + leaf;
            Cpuid.execute(cpu);
            for (int register : new int[] {X86.RAX, X86.RBX, X86.RCX, X86.RDX}) {
                brand.append(text(register));
            }
        }
        assertTrue(brand.toString().startsWith("Alcazar x86-64"));
        cpu.gpr[X86.RAX] = 0x8000_0008L;
        Cpuid.execute(cpu);
        assertEquals(0x3930, cpu.gpr[X86.RAX]);
        cpu.gpr[X86.RAX] = 0x1234_5678;
        Cpuid.execute(cpu);
        assertArrayEquals(new long[4], java.util.Arrays.copyOf(cpu.gpr, 4));
    }

    private String text(int register) {
        StringBuilder out = new StringBuilder();
        for (int shift = 0; shift < 32; shift += 8) {
            out.append((char) (cpu.gpr[register] >>> shift & 0xff));
        }
        return out.toString();
    }

    @Test
    void announcedBitsAreThoseOfTheTable() {
        CpuModel model = CpuModel.MAX;
        for (var feature : org.alcazar.engines.x86.isa.Feature.values()) {
            if (feature.leaf() != -1) {
                boolean announced = model.has(feature.leaf(), feature.register(), feature.bit());
                boolean standard =
                        org.alcazar.engines.x86.isa.Feature.IMPLEMENTED.contains(feature);
                assertEquals(standard, announced, feature.name());
            }
        }
        // Long mode, NX, SYSCALL, invariant TSC, hypervisor, and what Linux demands of x86-64.
        assertTrue(model.has(0x8000_0001, 2, 29));
        assertTrue(model.has(0x8000_0001, 2, 20));
        assertTrue(model.has(0x8000_0001, 2, 11));
        assertTrue(model.has(0x8000_0007, 2, 8));
        assertTrue(model.has(1, 1, 31));
        for (int bit : new int[] {0, 3, 4, 5, 6, 8, 13, 15, 24, 25, 26}) {
            assertTrue(model.has(1, 2, bit), "EDX bit " + bit);
        }
        assertTrue(model.has(0x8000_0008, 3, 29));
        assertTrue(model.has(0x8000_0021, 0, 8));
        assertTrue(model.has(0x8000_0021, 0, 29));
    }
}
