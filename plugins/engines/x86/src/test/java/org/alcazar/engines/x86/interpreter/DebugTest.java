package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.Exit;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Width;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.HexFormat;
import java.util.Random;

/** Breakpoints, single steps, recorded branches (APM volume 2, 13.1). */
class DebugTest {
    private static final long CODE = 0x10000, DATA = 0x40000, HANDLERS = 0x30000, IDT = 0x9000;
    private static final int BS = 1 << 14, BD = 1 << 13;
    private static final int WRITE = 1, PORT = 2, ACCESS = 3;

    private final BareMachine machine = new BareMachine();

    @BeforeEach
    void start() {
        machine.longMode(CODE);
        for (int vector = 0; vector < 48; vector++) {
            long handler = HANDLERS + 16 * vector;
            RamPages.setLong(
                    IDT + 16 * vector,
                    handler & 0xffff | 8L << 16 | 0xee00L << 32 | handler >> 16 << 48);
            code(handler, "f4");
        }
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 48 * 16 - 1;
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        machine.group(X86.CONTROL)[X86.DR6] = 0xffff0ff0L;
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private void code(long at, String hex) {
        machine.load(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private void set(int register, long value) {
        machine.group(X86.GENERAL)[register] = value;
    }

    /** Sets breakpoint n. {@code length} is the field's value: 0 a byte, 1 two, 2 eight, 3 four. */
    private void watch(int n, long address, int kind, int length) {
        long[] control = machine.group(X86.CONTROL);
        control[X86.DR0 + n] = address;
        control[X86.DR7] |= 0x400 | 2L << 2 * n | (long) (kind | length << 2) << 16 + 4 * n;
    }

    private long control(int register) {
        return machine.group(X86.CONTROL)[register];
    }

    private long msr(int index) {
        return machine.group(X86.MSRS)[index];
    }

    private void msr(int index, long value) {
        machine.group(X86.MSRS)[index] = value;
    }

    private void step() {
        machine.group(X86.GENERAL)[X86.RFLAGS] |= Bits.TF;
    }

    /** Runs until a handler halts. @return its vector, and checks the code's address */
    private int vector(long rip) {
        assertEquals(Exit.IDLE, machine.run(1000));
        int vector = (int) (machine.register(X86.RIP) - HANDLERS) >> 4;
        boolean code = vector >= 8 && vector <= 14 && vector != 9;
        assertEquals(rip, HostRam.getLong(machine.register(X86.RSP) + (code ? 8 : 0)));
        return vector;
    }

    private void debug(long rip, long status) {
        assertEquals(Bits.DB, vector(rip));
        assertEquals(status, control(X86.DR6) & 0xe00f);
        assertEquals(0xffff0ff0L, control(X86.DR6) & ~0xe00fL);
    }

    @Test
    @DisplayName("a range hits when any byte of an access lies in it: the manual's table 13-1")
    void ranges() {
        long[] addresses = {0xeffb, 0xeffe, 0xeffe, 0xf000, 0xf001, 0xf005};
        String[] reads = {"488b07", "668b07", "8b07", "8a07", "668b07", "8b07"};
        Object[][] rows = {
            {0xf000L, 0, "x.xx.."},
            {0xf004L, 3, ".....x"},
            {0xf005L, 2, "x.xxxx"},
        };
        for (Object[] row : rows) {
            for (int i = 0; i < addresses.length; i++) {
                start();
                machine.group(X86.CONTROL)[X86.DR7] = 0x400;
                watch(2, (long) row[0] + DATA, ACCESS, (int) row[1]);
                set(X86.RDI, addresses[i] + DATA);
                code(CODE, reads[i] + "0f0b");
                boolean hit = ((String) row[2]).charAt(i) == 'x';
                assertEquals(
                        hit ? Bits.DB : Bits.UD,
                        vector(CODE + reads[i].length() / 2),
                        row[0] + " " + i);
                assertEquals(hit ? 4 : 0, control(X86.DR6) & 15);
            }
        }
    }

    @Test
    @DisplayName("write breakpoints ignore reads, and two that hit at once are both told")
    void kinds() {
        watch(0, DATA, WRITE, 0);
        watch(1, DATA + 1, ACCESS, 0);
        watch(3, DATA + 4, ACCESS, 0);
        set(X86.RDI, DATA);
        code(CODE, "8a07 668907 0f0b");
        debug(CODE + 5, 3);
    }

    @Test
    @DisplayName("a write breakpoint traps behind the write, with the new value in place")
    void writeIsDone() {
        watch(0, DATA, WRITE, 0);
        set(X86.RDI, DATA);
        code(CODE, "c60755 0f0b");
        debug(CODE + 3, 1);
        assertEquals(0x55, HostRam.getByte(DATA));
    }

    @Test
    @DisplayName("port breakpoints need CR4.DE")
    void ports() {
        code(CODE, "e484 e685 0f0b");
        watch(0, 0x84, PORT, 1);
        assertEquals(Bits.UD, vector(CODE + 4));
        start();
        machine.group(X86.CONTROL)[X86.CR4] |= Bits.CR4_DE;
        debug(CODE + 2, 1);
    }

    @Test
    @DisplayName("a code breakpoint hits before the instruction unless RF is set, once for IRET")
    void codeBreakpoint() {
        watch(1, CODE + 1, 0, 0);
        code(CODE, "90 90 ebfc");
        // The handler sets RF in the image and goes back twice.
        code(HANDLERS + 16, "814c24 10 00000100 ffc3 48cf");
        machine.run(9);
        // nop, #DB, or, inc, iret, nop, jmp, nop, #DB, or, inc
        assertEquals(2, machine.register(X86.RBX));
        assertEquals(2, control(X86.DR6) & 15);
    }

    @Test
    @DisplayName("general detect faults before the access at any privilege, and turns itself off")
    void generalDetect() {
        long[] control = machine.group(X86.CONTROL);
        control[X86.DR7] = 0x400 | 1 << 13;
        control[X86.DR6] |= 15;
        code(CODE, "0f21c0");
        debug(CODE, BD);
        assertEquals(0x400, control(X86.DR7));
    }

    @Test
    @DisplayName("reserved bits of DR6 and DR7 read as the manual says; upper halves fault")
    void reservedBits() {
        code(CODE, "b8ffdfffff 0f23f8 0f21fb b8ffffffff 0f23f0 0f21f1 f4");
        machine.run(100);
        assertEquals(0xffff07ffL, machine.register(X86.RBX));
        assertEquals(0xffffefffL, machine.register(X86.RCX));
        start();
        set(X86.RAX, 1L << 32);
        code(CODE, "0f23f8");
        assertEquals(Bits.GP, vector(CODE));
        start();
        code(CODE, "0f23f0");
        set(X86.RAX, 1L << 63);
        assertEquals(Bits.GP, vector(CODE));
        start();
        machine.group(X86.CONTROL)[X86.CR4] |= Bits.CR4_DE;
        code(CODE, "0f21e0");
        assertEquals(Bits.UD, vector(CODE));
    }

    @Test
    @DisplayName("TF set by POPF traps behind the next instruction, cleared by POPF behind POPF")
    void popf() {
        // pushf; orw $0x100,(%rsp); popf; nop; nop
        code(CODE, "9c 66810c240001 9d 90 90 0f0b");
        debug(CODE + 9, BS);
        start();
        code(CODE, "9c 668124 24fffe 9d 90 90 0f0b");
        step();
        debug(CODE + 1, BS);
        start();
        code(CODE, "9d 90 0f0b");
        RamPages.setLong(0x7fff0, 2);
        set(X86.RSP, 0x7fff0);
        step();
        debug(CODE + 1, BS);
    }

    @Test
    @DisplayName("TF set by IRET traps behind the target, by SYSRET before it")
    void returns() {
        long sp = 0x7ff00;
        RamPages.setLong(sp, CODE + 0x100);
        RamPages.setLong(sp + 8, 8);
        RamPages.setLong(sp + 16, 2 | Bits.TF);
        RamPages.setLong(sp + 24, 0x70000);
        RamPages.setLong(sp + 32, 16);
        set(X86.RSP, sp);
        code(CODE, "48cf");
        code(CODE + 0x100, "9090");
        debug(CODE + 0x101, BS);

        start();
        user();
        set(X86.RCX, CODE + 0x100);
        set(11, 2 | Bits.TF);
        code(CODE, "480f07");
        debug(CODE + 0x100, BS);
    }

    /** Pages for all, a TSS with a stack, selectors for SYSCALL. */
    private void user() {
        for (int i = 0; i < 512; i++) {
            RamPages.setLong(0x3000 + 8 * i, (long) i << 21 | 0x87);
        }
        RamPages.setLong(0x1000, 0x2007);
        RamPages.setLong(0x2000, 0x3007);
        long[] segments = machine.group(X86.SEGMENTS);
        segments[4 * X86.TR + X86.BASE] = 0xa000;
        segments[4 * X86.TR + X86.LIMIT] = 0x67;
        segments[4 * X86.TR + X86.ATTRIBUTES] = 0x8b;
        RamPages.setLong(0xa004, 0x60000);
        msr(X86.STAR, 0x8L << 32 | 0x10L << 48);
        msr(X86.LSTAR, CODE + 0x200);
    }

    @Test
    @DisplayName("SYSCALL under TF traps in the kernel, unless SFMASK clears TF")
    void syscall() {
        user();
        code(CODE, "0f05");
        code(CODE + 0x200, "90 0f0b");
        step();
        debug(CODE + 0x200, BS);
        start();
        user();
        msr(X86.SFMASK, Bits.TF);
        step();
        assertEquals(Bits.UD, vector(CODE + 0x201));
    }

    @Test
    @DisplayName("INT n, INT3 and faults clear TF: no trap in their handlers")
    void interrupts() {
        String[] programs = {"cd20", "cc", "0f0b"};
        int[] vectors = {0x20, Bits.BP, Bits.UD};
        long[] rips = {2, 1, 0};
        for (int i = 0; i < 3; i++) {
            start();
            code(CODE, programs[i] + "90");
            step();
            assertEquals(vectors[i], vector(CODE + rips[i]));
            assertEquals(0, control(X86.DR6) & BS);
        }
        start();
        code(CODE, "f1 90");
        step();
        debug(CODE + 1, 0);
    }

    @Test
    @DisplayName("MOV SS puts traps and its own data breakpoint off by one instruction")
    void movSs() {
        watch(0, DATA, ACCESS, 1);
        RamPages.setLong(DATA, 16);
        set(X86.RDI, DATA);
        code(CODE, "8e17 90 90 0f0b");
        debug(CODE + 3, 1);
        start();
        machine.group(X86.CONTROL)[X86.DR7] = 0x400;
        set(X86.RDI, DATA);
        step();
        debug(CODE + 3, BS);
        // An INT behind it: the breakpoint hits in the kernel.
        start();
        watch(0, DATA, ACCESS, 1);
        set(X86.RDI, DATA);
        code(CODE, "8e17 cd20");
        debug(HANDLERS + 0x200, 1);
        // With INT1 it is one exception, not a second one inside its handler.
        start();
        watch(0, DATA, ACCESS, 1);
        set(X86.RDI, DATA);
        code(CODE, "8e17 f1 0f0b");
        debug(CODE + 3, 1);
    }

    @Test
    @DisplayName("HLT under TF traps at once")
    void halt() {
        code(CODE, "f4 90");
        step();
        debug(CODE + 1, BS);
    }

    @Test
    @DisplayName("single step and breakpoint of one instruction are one exception")
    void together() {
        watch(2, DATA, WRITE, 0);
        set(X86.RDI, DATA);
        code(CODE, "8807 90");
        step();
        debug(CODE + 2, BS | 4);
    }

    @Test
    @DisplayName("a trap comes before a pending interrupt, which then interrupts its handler")
    void beforeInterrupts() {
        // An NMI comes while the stepped instruction runs: at its end both wait.
        step();
        machine.bus.attachPorts(
                0x80,
                1,
                new BusDevice() {
                    @Override
                    public long read(long offset, Width width) {
                        return 0;
                    }

                    @Override
                    public void write(long offset, Width width, long value) {
                        machine.block.requests().post(Requests.NMI);
                    }
                });
        code(CODE, "e680 90");
        assertEquals(Bits.NMI, vector(HANDLERS + 16));
        long sp = machine.register(X86.RSP);
        assertEquals(CODE + 2, HostRam.getLong(HostRam.getLong(sp + 24)));
    }

    @Test
    @DisplayName("repetitions trap between iterations with RF in the image")
    void repetition() {
        watch(0, DATA + 3, WRITE, 0);
        set(X86.RDI, DATA);
        set(X86.RCX, 10);
        code(CODE, "f3aa 0f0b");
        debug(CODE, 1);
        assertEquals(6, machine.register(X86.RCX));
        long flags = HostRam.getLong(machine.register(X86.RSP) + 16);
        assertEquals(Bits.RF, flags & Bits.RF);
    }

    @Test
    @DisplayName("breakpoints see descriptors that are loaded and frames that are pushed")
    void implicitAccesses() {
        watch(0, 0x8000 + 16, ACCESS, 0);
        set(X86.RAX, 16);
        code(CODE, "8ed8 0f0b");
        debug(CODE + 2, 1);
        start();
        machine.group(X86.CONTROL)[X86.DR7] = 0x400;
        watch(3, IDT + 16 * Bits.UD, ACCESS, 0);
        code(CODE, "0f0b");
        debug(HANDLERS + 16 * Bits.UD, 8);
    }

    @Test
    @DisplayName("LBR records taken branches, and keeps the one before an exception")
    void record() {
        msr(X86.DEBUG_CTL, 1);
        // jz (not taken); jmp +0; call; at target: ud2
        code(CODE, "85e4 7400 eb00 e8f5000000");
        code(CODE + 0x100, "90 0f0b");
        assertEquals(Bits.UD, vector(CODE + 0x101));
        assertEquals(CODE + 6, msr(X86.LAST_INT_FROM));
        assertEquals(CODE + 0x100, msr(X86.LAST_INT_TO));
        assertEquals(CODE + 0x101, msr(X86.LAST_BRANCH_FROM));
        assertEquals(HANDLERS + 16 * Bits.UD, msr(X86.LAST_BRANCH_TO));
        assertEquals(1, msr(X86.DEBUG_CTL));
    }

    @Test
    @DisplayName("#DB ends recording and leaves the record alone; INT n is recorded from itself")
    void recordEnds() {
        msr(X86.DEBUG_CTL, 1);
        code(CODE, "eb01 90 f1");
        debug(CODE + 4, 0);
        assertEquals(CODE, msr(X86.LAST_BRANCH_FROM));
        assertEquals(CODE + 3, msr(X86.LAST_BRANCH_TO));
        assertEquals(0, msr(X86.LAST_INT_TO));
        assertEquals(0, msr(X86.DEBUG_CTL));
        start();
        msr(X86.DEBUG_CTL, 1);
        code(CODE, "90 cd20");
        vector(CODE + 3);
        assertEquals(CODE + 1, msr(X86.LAST_BRANCH_FROM));
        assertEquals(HANDLERS + 0x200, msr(X86.LAST_BRANCH_TO));
    }

    @Test
    @DisplayName("with BTF, TF steps from branch to branch and #DB clears BTF")
    void branchTrap() {
        msr(X86.DEBUG_CTL, 3);
        // xor; jnz (not taken); mov $3,%ecx; loop; nop
        code(CODE, "31c0 7502 b103 e2fe 90 90");
        step();
        set(X86.RCX, 0);
        debug(CODE + 6, BS);
        assertEquals(0, msr(X86.DEBUG_CTL));
        assertEquals(2, machine.register(X86.RCX));
    }

    @Test
    @DisplayName("random code with random breakpoints, steps, records and counters breaks nothing")
    void randomDebugging() {
        Random random = new Random(7);
        byte[] bytes = new byte[256];
        for (int round = 0; round < 200; round++) {
            start();
            random.nextBytes(bytes);
            machine.load(CODE, bytes);
            machine.load(DATA, bytes);
            long[] general = machine.group(X86.GENERAL);
            for (int i = 0; i < 16; i++) {
                general[i] = i == X86.RSP ? 0x80000 : DATA + random.nextInt(256);
            }
            general[X86.RFLAGS] = 2 | (random.nextBoolean() ? Bits.TF : 0);
            long[] control = machine.group(X86.CONTROL);
            for (int n = 0; n < 4; n++) {
                control[X86.DR0 + n] =
                        switch (random.nextInt(4)) {
                            case 0 -> CODE + random.nextInt(64);
                            case 1 -> DATA + random.nextInt(256);
                            case 2 -> 0x80000 - random.nextInt(128);
                            default -> IDT + random.nextInt(512);
                        };
            }
            control[X86.DR7] = random.nextInt() & 0xffff23ffL | 0x400;
            control[X86.CR4] |= Bits.CR4_DE;
            msr(X86.DEBUG_CTL, random.nextInt(4));
            for (int n = 0; n < 6; n++) {
                msr(X86.PERF_CTL0 + n, random.nextLong() | 1 << 22);
                msr(X86.PERF_CTR0 + n, (1L << 48) - random.nextInt(100));
            }
            machine.block.requests().take(-1);
            long before = machine.block.retired;
            int budget = 200;
            machine.block.budget = budget;
            int reason = machine.core.run(machine.block);
            while (reason == Exit.KICK) {
                reason = machine.core.run(machine.block);
            }
            assertTrue(machine.block.retired - before <= budget);
            machine.group(X86.EVENTS)[X86.PENDING_EVENT] = 0;
        }
    }

    @Test
    @DisplayName("an injected machine check shuts the core down without CR4.MCE")
    void machineCheck() {
        code(CODE, "90 90");
        machine.group(X86.CONTROL)[X86.CR4] |= Bits.CR4_MCE;
        machine.group(X86.EVENTS)[X86.PENDING_EVENT] = Bits.MC + 1 | 3 << 8;
        assertEquals(Bits.MC, vector(CODE));
        start();
        machine.group(X86.CONTROL)[X86.CR4] &= ~Bits.CR4_MCE;
        machine.group(X86.EVENTS)[X86.PENDING_EVENT] = Bits.MC + 1 | 3 << 8;
        assertEquals(Exit.SHUTDOWN, machine.run(10));
    }
}
