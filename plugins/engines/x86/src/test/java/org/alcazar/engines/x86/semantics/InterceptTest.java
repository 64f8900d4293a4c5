package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.alcazar.machine.Exit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * The order of exits and exceptions (APM volume 2, 15.9 and 15.12), and task switches that exits
 * interrupt.
 */
class InterceptTest {
    private static final long GDT = 0x10000, IDT = 0x11000, TSS = 0x12000, TSS2 = 0x14000;
    private static final long LDT = 0x21000;
    private static final int CODE = 0x08, DATA = 0x10, TASK = 0x20, TASK2 = 0x28, TABLE = 0x30;

    private final Guest guest = new Guest();
    private final Cpu cpu = guest.cpu;

    @BeforeEach
    void start() {
        guest.protectedMode();
        guest.block.instructions = -1;
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0xfff;
        cpu.idtrBase = IDT;
        cpu.idtrLimit = 0xfff;
        guest.poke64(GDT + CODE, 0x00cf_9b00_0000_ffffL);
        guest.poke64(GDT + DATA, 0x00cf_9300_0000_ffffL);
        guest.poke64(GDT + TASK, 0x0000_8b00_0000_0067L | TSS << 16);
        guest.poke64(GDT + TASK2, 0x0000_8900_0000_0067L | TSS2 << 16);
        guest.poke64(GDT + TABLE, 0x0000_8200_0000_0fffL | (LDT & 0xffff) << 16 | LDT >> 16 << 32);
        cpu.selector[X86.CS] = CODE;
        cpu.selector[X86.SS] = DATA;
        cpu.selector[X86.TR] = TASK;
        cpu.segmentBase[X86.TR] = TSS;
        cpu.segmentLimit[X86.TR] = 0x67;
        cpu.segmentAttributes[X86.TR] = 0x8b;
        cpu.gpr[X86.RSP] = 0x9000;
        cpu.rip = 0x1234;
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private void fault(int vector, Executable action) {
        assertEquals(vector, assertThrows(CpuFault.class, action).vector);
    }

    private void exit(int code, long address, Executable action) {
        assertEquals(Exit.INSTRUCTION, assertThrows(CpuExit.class, action).reason);
        assertEquals(code, guest.block.frame().code);
        assertEquals(address, guest.block.frame().address);
    }

    private Instruction insn(int reg, int rm) {
        Instruction out = new Instruction();
        out.operandSize = 4;
        out.addressSize = 4;
        out.mode = 32;
        out.reg = reg;
        out.rm = rm;
        out.base = Instruction.NO_REGISTER;
        out.index = Instruction.NO_REGISTER;
        out.segment = X86.DS;
        return out;
    }

    private void toCr(int number, long value) {
        cpu.gpr[X86.RBX] = value;
        SystemInstructions.movToCr(cpu, insn(number, X86.RBX));
    }

    @Test
    @DisplayName("a control register's illegal bits fault before the exit, its pointers after it")
    void controlRegisters() {
        fault(Bits.GP, () -> toCr(0, Bits.CR0_PG));
        fault(Bits.GP, () -> toCr(0, Bits.CR0_PE | Bits.CR0_NW));
        fault(Bits.GP, () -> toCr(4, 1L << 31));
        fault(Bits.GP, () -> toCr(8, 16));
        exit(Intercept.CR_WRITE, 0, () -> toCr(0, Bits.CR0_PE | Bits.CR0_PG));
        assertEquals(Bits.CR0_PE | Bits.CR0_PG, guest.block.frame().value);
        exit(Intercept.CR_WRITE, 8, () -> toCr(8, 15));
        exit(Intercept.CR_WRITE, 4, () -> toCr(4, Bits.CR4_PAE));
        exit(Intercept.CR_WRITE, 2, () -> toCr(2, 5));
        cpu.cr0 |= Bits.CR0_PG;
        cpu.cr4 |= Bits.CR4_PAE;
        guest.poke64(0x6000, 0x7007);
        exit(Intercept.CR_WRITE, 3, () -> toCr(3, 0x6000));
        cpu.proceed = true;
        fault(Bits.GP, () -> toCr(3, 0x6000));
        cpu.proceed = false;
        guest.cpl(3);
        fault(Bits.GP, () -> toCr(2, 0));
        fault(Bits.GP, () -> SystemInstructions.movFromCr(cpu, insn(0, 0)));
    }

    @Test
    @DisplayName("debug registers: undefined, general detect, privilege, reserved bits, exit")
    void debugRegisters() {
        cpu.cr4 |= Bits.CR4_DE;
        cpu.dr[7] = 1 << 13;
        fault(Bits.UD, () -> SystemInstructions.movFromDr(cpu, insn(4, 0)));
        guest.cpl(3);
        fault(Bits.DB, () -> SystemInstructions.movFromDr(cpu, insn(0, 0)));
        cpu.dr[7] = 0;
        fault(Bits.GP, () -> SystemInstructions.movFromDr(cpu, insn(0, 0)));
        guest.cpl(0);
        exit(Intercept.DR_ACCESS, 3, () -> SystemInstructions.movFromDr(cpu, insn(3, 0)));
        exit(Intercept.DR_ACCESS, 7, () -> SystemInstructions.movToDr(cpu, insn(7, 0)));
    }

    @Test
    @DisplayName("IRET and INT n exit before any check, HLT and RDTSC behind theirs")
    void others() {
        guest.cpl(3);
        cpu.flags |= Bits.NT;
        exit(Intercept.IRET, 0, () -> FarTransfers.iret(cpu, insn(0, 0)));
        Instruction software = insn(0, 0);
        software.immediate = 0x80;
        exit(Intercept.SOFTWARE_INTERRUPT, 0x80, () -> FarTransfers.int_(cpu, software));
        fault(Bits.GP, () -> SystemInstructions.hlt(cpu, insn(0, 0)));
        cpu.cr4 |= Bits.CR4_TSD;
        fault(Bits.GP, () -> SystemInstructions.rdtsc(cpu, insn(0, 0)));
        guest.cpl(0);
        exit(Intercept.HLT, 0, () -> SystemInstructions.hlt(cpu, insn(0, 0)));
    }

    @Test
    @DisplayName("an exception during delivery is seen before it makes a double fault")
    void nestedExceptions() {
        guest.poke64(IDT + 8 * Bits.DF_, 0x5678 | (long) CODE << 16 | 0x8eL << 40);
        guest.block.exceptions = 1L << Bits.GP;
        cpu.proceed = true;
        CpuFault first = cpu.fault(Bits.NP, 8);
        cpu.proceed = false;
        CpuExit exit = assertThrows(CpuExit.class, () -> Interrupts.raise(cpu, first));
        assertEquals(Exit.FAULT, exit.reason);
        assertEquals(Bits.GP, guest.block.frame().code);
        assertEquals(Bits.NP * 8 + 2, guest.block.frame().value & ~1);
        assertEquals(Bits.NP + 1, cpu.pendingEvent & 0xff);
        cpu.proceed = true;
        assertTrue(Interrupts.inject(cpu));
        assertEquals(0x5678, cpu.rip);

        guest.block.exceptions = 1L << Bits.DF_;
        cpu.proceed = false;
        CpuFault again = cpu.fault(Bits.NP, 8);
        assertThrows(CpuExit.class, () -> Interrupts.raise(cpu, again));
        assertEquals(Bits.DF_, guest.block.frame().code);
    }

    private Instruction toTask() {
        guest.poke32(TSS2 + 0x20, 0x4321);
        guest.poke32(TSS2 + 0x24, 2);
        guest.poke32(TSS2 + 0x28, 0xa0a0);
        guest.poke32(TSS2 + 0x38, 0x6000);
        int[] selectors = {DATA, CODE, DATA, 0x0c, 0, 0, TABLE};
        for (int i = 0; i < 7; i++) {
            guest.poke32(TSS2 + 0x48 + 4 * i, selectors[i]);
        }
        guest.poke64(LDT + 8, 0x00cf_9300_0000_ffffL);
        Instruction call = insn(0, 0);
        call.immediate2 = TASK2;
        return call;
    }

    @Test
    @DisplayName("a task switch whose writes can't be made exits before the first of them")
    void taskSwitchProbes() {
        Instruction call = toTask();
        cpu.gpr[X86.RAX] = 0xbeef;
        guest.nest(TSS2, guest.hostOf(TSS2) | Bits.PTE_P | Bits.PTE_US);
        assertThrows(CpuExit.class, () -> FarTransfers.callFar(cpu, call));
        assertEquals(0, guest.peek32(TSS + 0x28));
        assertEquals(0x89, guest.peek64(GDT + TASK2) >>> 40 & 0xff);
        guest.nest(TSS2, guest.hostOf(TSS2) | Guest.PRESENT_USER);
        FarTransfers.callFar(cpu, call);
        assertEquals(0xbeef, guest.peek32(TSS + 0x28));
        assertEquals(0x8b, guest.peek64(GDT + TASK2) >>> 40 & 0xff);
        assertEquals(0x0c, cpu.selector[X86.DS]);
    }

    @Test
    @DisplayName("a task switch that exits while it loads the new task goes on with that")
    void taskSwitchGoesOn() {
        Instruction call = toTask();
        cpu.gpr[X86.RAX] = 0xbeef;
        guest.nest(LDT, 0);
        CpuExit exit = assertThrows(CpuExit.class, () -> FarTransfers.callFar(cpu, call));
        assertEquals(Exit.TRANSLATION, exit.reason);
        assertTrue(cpu.taskLoading);
        guest.nest(LDT, guest.hostOf(LDT) | Guest.PRESENT_USER);
        Interrupts.finishTaskSwitch(cpu);
        assertEquals(0x4321, cpu.rip);
        assertEquals(0xa0a0, cpu.gpr[X86.RAX]);
        assertEquals(0x6000, cpu.gpr[X86.RSP]);
        assertEquals(0x0c, cpu.selector[X86.DS]);
        assertEquals(0xc93, cpu.segmentAttributes[X86.DS]);
        assertEquals(0xbeef, guest.peek32(TSS + 0x28));
        assertEquals(TASK, guest.peek32(TSS2) & 0xffff);
        assertEquals(Bits.NT, cpu.flags & Bits.NT);
    }

    @Test
    @DisplayName("an exception through a task gate keeps its error code over an exit")
    void taskGateGoesOn() {
        toTask();
        guest.poke64(IDT + 8 * Bits.GP, (long) TASK2 << 16 | 0x85L << 40);
        guest.nest(LDT, 0);
        CpuFault fault = cpu.generalProtection(0x18);
        assertThrows(CpuExit.class, () -> Interrupts.raise(cpu, fault));
        assertEquals(0, cpu.pendingEvent);
        guest.nest(LDT, guest.hostOf(LDT) | Guest.PRESENT_USER);
        Interrupts.finishTaskSwitch(cpu);
        assertEquals(0x6000 - 4, cpu.gpr[X86.RSP]);
        assertEquals(0x18, guest.peek32(0x6000 - 4));
        assertEquals(0x4321, cpu.rip);
    }

    @Test
    @DisplayName("a task with its trap bit set is trapped before its first instruction")
    void taskTrap() {
        Instruction call = toTask();
        guest.poke32(TSS2 + 0x64, 1);
        FarTransfers.callFar(cpu, call);
        assertTrue(Interrupts.isTrap(cpu.pendingEvent));
        assertEquals(1 << 15, cpu.dr[6] & 0xe000);
        assertEquals(0x4321, cpu.rip);
    }

    @Test
    @DisplayName("REX.W does not widen a far pointer in memory, only the pushes")
    void farPointers() {
        guest.identity(Guest.PRESENT_USER);
        guest.block.instructions = 0;
        guest.poke64(GDT + CODE, 0x00af_9b00_0000_ffffL);
        guest.poke64(LDT, 0x1234_0010_5566_7788L);
        Instruction load = insn(X86.RAX, 0);
        load.mode = 64;
        load.addressSize = 8;
        load.operandSize = 8;
        load.memory = true;
        load.displacement = LDT;
        SystemInstructions.lgs(cpu, load);
        assertEquals(0x5566_7788, cpu.gpr[X86.RAX]);
        assertEquals(DATA, cpu.selector[X86.GS]);
        guest.poke64(LDT, (long) CODE << 32 | 0x4000);
        cpu.gpr[X86.RSP] = 0x9000;
        FarTransfers.callFar(cpu, load);
        assertEquals(0x4000, cpu.rip);
        assertEquals(0x9000 - 16, cpu.gpr[X86.RSP]);
    }
}
