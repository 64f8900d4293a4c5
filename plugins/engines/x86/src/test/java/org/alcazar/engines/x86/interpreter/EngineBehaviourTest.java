package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.alcazar.machine.Width;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** The run loop: budgets, interruptions, code that changes, exits, state in and out. */
class EngineBehaviourTest {
    private static final long CODE = 0x10000, DATA = 0x40000, HANDLERS = 0x30000, IDT = 0x9000;

    /** Beyond RAM, within what {@link BareMachine#longMode} maps. */
    private static final long DEVICE = 0x3000_0000;

    private int reads;
    private long written;

    private BareMachine machine = new BareMachine();

    @AfterEach
    void close() {
        machine.close();
    }

    private void code(long at, String hex) {
        machine.load(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    /** 64-bit mode with a handler of HLT for each exception, 16 bytes apart. */
    private void start(String hex) {
        machine.longMode(CODE);
        handlers("f4");
        code(CODE, hex);
    }

    private void handlers(String hex) {
        for (int vector = 0; vector < 48; vector++) {
            long handler = HANDLERS + 16 * vector;
            RamPages.setLong(
                    IDT + 16 * vector,
                    handler & 0xffff | 8L << 16 | 0x8e00L << 32 | handler >> 16 << 48);
            code(handler, hex);
        }
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 48 * 16 - 1;
    }

    private void set(int register, long value) {
        machine.group(X86.GENERAL)[register] = value;
    }

    private long get(int register) {
        return machine.register(register);
    }

    @Test
    @DisplayName("a budget ends exactly behind its last instruction, wherever faults fall")
    void budgetsOverFaults() {
        // inc %eax; ud2; handler skips ud2: addq $2,(%rsp); iretq
        String program = "ffc0 0f0b ffc0 ffc0 0f0b ebf4";
        List<Long> path = new ArrayList<>();
        start(program);
        handlers("4883042402 48cf");
        for (int i = 0; i < 40; i++) {
            assertEquals(Exit.BUDGET, machine.run(1));
            path.add(get(X86.RIP));
        }
        for (int budget = 2; budget <= 13; budget++) {
            start(program);
            handlers("4883042402 48cf");
            for (int done = budget; done <= 40; done += budget) {
                long before = machine.block.retired;
                assertEquals(Exit.BUDGET, machine.run(budget));
                assertEquals(before + budget, machine.block.retired);
                assertEquals(path.get(done - 1), get(X86.RIP), "budget " + budget);
            }
        }
    }

    @Test
    @DisplayName("repeated stores fill their bytes with the value, and no others")
    void repeatedStores() {
        String[] stores = {"f3aa f4", "66f3ab f4", "f3ab f4", "f348ab f4"};
        for (long value : new long[] {0, 0x5a5a_5a5a_5a5a_5a5aL, 0x0123_4567_89ab_cdefL}) {
            for (int width = 0; width < 4; width++) {
                for (int count : new int[] {0, 1, 2, 7, 66, 700}) {
                    repeatedStore(stores[width], 1 << width, count, value);
                }
            }
        }
    }

    private void repeatedStore(String code, int bytes, int count, long value) {
        machine.close();
        machine = new BareMachine();
        start(code);
        long to = DATA + 4093;
        for (int i = -8; i < count * bytes + 8; i++) {
            RamPages.setByte(to + i, (byte) 0xee);
        }
        set(X86.RDI, to);
        set(X86.RCX, count);
        set(X86.RAX, value);
        assertEquals(Exit.IDLE, machine.run(100_000));
        for (int i = -8; i < count * bytes + 8; i++) {
            boolean inside = i >= 0 && i < count * bytes;
            byte expected = inside ? (byte) (value >>> 8 * (i % bytes)) : (byte) 0xee;
            assertEquals(expected, HostRam.getByte(to + i), code + " x " + count + " at " + i);
        }
    }

    @Test
    @DisplayName("a kick ends a long repetition, which goes on where it was")
    void repetitionIsKicked() {
        start("f3aa f4"); // rep stosb; hlt
        set(X86.RDI, DATA);
        set(X86.RCX, 32 << 20);
        set(X86.RAX, 0x5a);
        machine.block.requests().post(Requests.KICK);
        assertEquals(Exit.KICK, machine.core.run(machine.block));
        Thread.ofPlatform().start(() -> machine.block.requests().post(Requests.KICK));
        int reason = machine.core.run(machine.block);
        while (reason == Exit.KICK) {
            assertEquals(DATA + (32 << 20) - get(X86.RCX), get(X86.RDI));
            reason = machine.core.run(machine.block);
        }
        assertEquals(Exit.IDLE, reason);
        assertEquals(0, get(X86.RCX));
        assertEquals(0x5a, HostRam.getByte(DATA + (32 << 20) - 1));
    }

    @Test
    @DisplayName("an instruction that changes the one behind it in its own block is noticed")
    void changesItsOwnBlock() {
        // movb $0x43,1f(%rip)... inc %eax becomes inc %ebx: c6 05 disp8.. ; ff c0
        start("c605 01000000 c3 ffc0 f4");
        machine.run(10);
        assertEquals(1, get(X86.RBX));
        assertEquals(0, get(X86.RAX));
    }

    @Test
    @DisplayName("code in another page that was run before is run as it is after a change")
    void changesAnotherBlock() {
        // call 0x11000; movb $2,0x11001; call 0x11000; hlt  -- b0 nn c3 at 0x11000
        start("e8fb0f0000 89c1 c605f30f0000 02 e8ed0f0000 f4");
        code(0x11000, "b001c3");
        assertEquals(Exit.IDLE, machine.run(100));
        assertEquals(1, get(X86.RCX));
        assertEquals(2, get(X86.RAX) & 0xff);
    }

    @Test
    @DisplayName("an instruction across two pages is decoded anew when its second page changes")
    void changesTheSecondPage() {
        start("e9f90f0000"); // jmp to 0x10ffe
        code(0x10ffe, "b811 110000 f4"); // mov $0x11..,%eax over the edge
        machine.run(10);
        assertEquals(0x11, get(X86.RAX) & 0xff);
        code(0x11000, "22");
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        set(X86.RIP, CODE);
        machine.run(10);
        assertEquals(0x2211, get(X86.RAX));
    }

    @Test
    @DisplayName("code that a device writes is run as it is")
    void codeWrittenByADevice() {
        start("b801000000 f4");
        machine.run(10);
        code(CODE, "b802000000 f4");
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        set(X86.RIP, CODE);
        machine.run(10);
        assertEquals(2, get(X86.RAX));
    }

    @Test
    @DisplayName("linked blocks lead to other code after CR3 has changed")
    void chainsEndWithCr3() {
        // Two address spaces that differ in the page at 2 MiB.
        long other = 0x5000;
        RamPages.setLong(other, other + 0x1003);
        RamPages.setLong(other + 0x1000, other + 0x2003);
        start("");
        for (int i = 0; i < 8; i++) {
            RamPages.setLong(other + 0x2000 + 8 * i, (long) (i == 1 ? 2 : i) << 21 | 0x83);
        }
        // loop: call 0x200000; add %eax,%ebx; mov %rsi,%cr3; call 0x200000; add; mov %rdi,%cr3;
        // dec %ecx; jnz
        code(CODE, "e8fbff1e00 01c3 0f22de e8f1ff1e00 01c3 0f22df ffc9 75e8 f4");
        code(0x200000, "b801000000c3");
        code(0x400000, "b800010000c3");
        set(X86.RSI, other);
        set(X86.RDI, 0x1000);
        set(X86.RCX, 100);
        assertEquals(Exit.IDLE, machine.run(10_000));
        assertEquals(100 * 0x101, get(X86.RBX));
    }

    @Test
    @DisplayName("a repetition of port reads makes each of them once")
    void twoAccessesOfOneInstruction() {
        start("f36c f4"); // rep insb
        machine.block.ports = Ranges.ALL;
        set(X86.RCX, 3);
        set(X86.RDX, 0x80);
        set(X86.RDI, DATA);
        for (int i = 0; i < 3; i++) {
            assertEquals(Exit.ACCESS, machine.core.run(machine.block));
            ExitFrame frame = machine.block.frame();
            assertEquals(0x80, frame.address);
            assertEquals(3 - i, get(X86.RCX));
            frame.value = 0x10 + i;
            frame.reply = ExitFrame.DONE;
        }
        assertEquals(Exit.IDLE, machine.core.run(machine.block));
        assertEquals(0x121110, HostRam.getInt(DATA));
    }

    @Test
    @DisplayName("an instruction from device to device makes each of its accesses once")
    void deviceToDevice() {
        start("a5 f4"); // movsd, out of and into a page that is not there
        machine.bus.attachMemory(
                DEVICE,
                4096,
                new BusDevice() {
                    @Override
                    public long read(long offset, Width width) {
                        reads++;
                        return 0x1234_5678;
                    }

                    @Override
                    public void write(long offset, Width width, long value) {
                        written = value;
                    }
                });
        set(X86.RSI, DEVICE);
        set(X86.RDI, DEVICE + 8);
        assertEquals(Exit.IDLE, machine.run(10));
        assertEquals(1, reads);
        assertEquals(0x1234_5678, written);
    }

    @Test
    @DisplayName("a push from device to device reads and writes each of them once")
    void pushFromDeviceToDevice() {
        start("ff37 f4"); // push (%rdi)
        machine.bus.attachMemory(
                DEVICE,
                4096,
                new BusDevice() {
                    @Override
                    public long read(long offset, Width width) {
                        reads++;
                        return 0x77;
                    }

                    @Override
                    public void write(long offset, Width width, long value) {
                        written = value;
                    }
                });
        set(X86.RDI, DEVICE);
        set(X86.RSP, DEVICE + 0x18);
        assertEquals(Exit.IDLE, machine.run(10));
        assertEquals(1, reads);
        assertEquals(0x77, written);
        assertEquals(DEVICE + 0x10, get(X86.RSP));
    }

    @Test
    @DisplayName("a push from and to memory that exits makes one exit for each access")
    void pushThatExits() {
        start("ff37 f4"); // push (%rdi)
        long root = 0x20000;
        RamPages.setLong(root, root + 0x1007);
        RamPages.setLong(root + 0x1000, root + 0x2007);
        for (int i = 0; i < 256; i++) {
            RamPages.setLong(root + 0x2000 + 8 * i, (long) i << 21 | 0x87);
        }
        machine.block.translation = Translation.NESTED;
        machine.block.translationRoot = root;
        set(X86.RDI, DEVICE);
        set(X86.RSP, DEVICE + 0x18);
        List<String> seen = new ArrayList<>();
        int reason = machine.core.run(machine.block);
        while (reason != Exit.IDLE && seen.size() < 10) {
            ExitFrame frame = machine.block.frame();
            if (reason == Exit.TRANSLATION) {
                frame.code = Rights.READ | Rights.WRITE;
                frame.reply = ExitFrame.AS_ACCESS;
            } else {
                seen.add((frame.write ? "write " + frame.value : "read") + " " + frame.address);
                assertEquals(CODE, get(X86.RIP));
                assertEquals(DEVICE + 0x18, get(X86.RSP));
                frame.value = 77;
                frame.reply = ExitFrame.DONE;
            }
            reason = machine.core.run(machine.block);
        }
        assertEquals(List.of("read " + DEVICE, "write 77 " + (DEVICE + 0x10)), seen);
        assertEquals(DEVICE + 0x10, get(X86.RSP));
    }

    @Test
    @DisplayName("an instruction that the VMM lets pass is done before an interrupt comes")
    void proceedBeforeInterrupts() {
        start("0fa2 90 f4"); // cpuid; its handler starts with cpuid too
        handlers("0fa2 f4");
        machine.block.instructions = 1L << Intercept.CPUID;
        assertEquals(Exit.INSTRUCTION, machine.core.run(machine.block));
        machine.block.frame().reply = ExitFrame.PROCEED;
        machine.block.requests().post(Requests.NMI);
        assertEquals(Exit.INSTRUCTION, machine.core.run(machine.block));
        assertEquals(HANDLERS + 32, get(X86.RIP));
        assertEquals(CODE + 2, HostRam.getLong(get(X86.RSP)));
    }

    @Test
    @DisplayName("LOCK MOV of CR0 is MOV of CR8, in any mode, and of nothing else")
    void alternativeCr8() {
        machine.block.interrupts =
                new InterruptSource() {
                    private int priority;

                    @Override
                    public int acknowledge() {
                        return NONE;
                    }

                    @Override
                    public void taskPriority(int value) {
                        priority = value;
                    }

                    @Override
                    public int taskPriority() {
                        return priority;
                    }
                };
        machine.protectedMode(CODE);
        code(CODE, "b805000000 f00f22c0 31c0 f00f20c3 f4");
        assertEquals(Exit.IDLE, machine.run(10));
        assertEquals(5, get(X86.RBX));
        start("f00f22d8"); // of CR3
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        machine.run(10);
        assertEquals(HANDLERS + 16 * Bits.UD + 1, get(X86.RIP));
    }

    @Test
    @DisplayName("data breakpoints trap behind the access, code breakpoints before it")
    void breakpoints() {
        start("89 07 90 90 f4"); // mov %eax,(%rdi); nop; nop; hlt
        set(X86.RDI, DATA);
        long[] control = machine.group(X86.CONTROL);
        control[X86.DR0] = DATA + 2;
        control[X86.DR7] = 0x400 | 1 | 1 << 16;
        assertEquals(Exit.IDLE, machine.run(100));
        assertEquals(HANDLERS + 16 + 1, get(X86.RIP));
        assertEquals(CODE + 2, HostRam.getLong(get(X86.RSP)));
        assertEquals(1, machine.group(X86.CONTROL)[X86.DR6] & 0xf);

        start("90 90 90 f4");
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        control = machine.group(X86.CONTROL);
        control[X86.DR0 + 3] = CODE + 2;
        control[X86.DR7] = 0x400 | 1 << 6;
        machine.run(100);
        assertEquals(CODE + 2, HostRam.getLong(get(X86.RSP)));
        assertEquals(8, machine.group(X86.CONTROL)[X86.DR6] & 0xf);
        assertEquals(0, HostRam.getLong(get(X86.RSP) + 16) & Bits.RF);
    }

    @Test
    @DisplayName("single steps trap after each iteration of a repetition")
    void singleStepsInRepetition() {
        start("f3aa f4");
        set(X86.RDI, DATA);
        set(X86.RCX, 5);
        set(X86.RFLAGS, 2 | Bits.TF);
        machine.run(100);
        assertEquals(4, get(X86.RCX));
        assertEquals(CODE, HostRam.getLong(get(X86.RSP)));
        assertEquals(1 << 14, machine.group(X86.CONTROL)[X86.DR6] & 0xe00f);
    }

    @Test
    @DisplayName("a triple fault ends the run and tells registers, code and exception")
    void tripleFault() {
        machine.longMode(CODE);
        code(CODE, "0f0b");
        assertEquals(Exit.SHUTDOWN, machine.run(100));
        String text = machine.core.describe(machine.block, CODE);
        assertTrue(text.contains("ud2"), text);
        assertTrue(text.contains("last exception 6"), text);
        assertEquals(Exit.SHUTDOWN, machine.run(100));
    }

    @Test
    @DisplayName("a handler that faults at its own first instruction uses up a budget")
    void handlerFaults() {
        start("ffc0 0f0b");
        handlers("0f0b");
        assertEquals(Exit.BUDGET, machine.run(50));
        assertEquals(1, machine.block.retired);
        assertEquals(0, machine.block.budget);
        // Frames of 40 bytes, each aligned to 16.
        assertEquals(0x80000 - 48 * (16 + 49) - 40, get(X86.RSP));
    }

    @Test
    @DisplayName("an #AC whose own frame is misaligned, for ever, ends with budget or kick")
    void deliveryWithoutEnd() {
        machine.protectedMode(CODE);
        code(CODE, "0f0b");
        RamPages.setLong(0x8000 + 8, 0x00cf_fb00_0000_ffffL);
        RamPages.setLong(0x8000 + 16, 0x00cf_f300_0000_ffffL);
        long[] segments = machine.group(X86.SEGMENTS);
        for (int i = 0; i < 6; i++) {
            segments[4 * i + X86.SELECTOR] |= 3;
            segments[4 * i + X86.ATTRIBUTES] |= 3 << 5;
        }
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 48 * 8 - 1;
        for (int vector = 0; vector < 48; vector++) {
            RamPages.setLong(IDT + 8 * vector, 11L << 16 | 0x8e00L << 32 | HANDLERS >> 16 << 48);
        }
        machine.group(X86.CONTROL)[X86.CR0] |= Bits.CR0_AM;
        set(X86.RFLAGS, 2 | Bits.AC);
        set(X86.RSP, 0x7ffd);
        assertEquals(Exit.BUDGET, machine.run(50));
        assertEquals(0, machine.block.retired);
        machine.block.requests().post(Requests.KICK);
        machine.block.budget = ControlBlock.UNLIMITED;
        assertEquals(Exit.KICK, machine.core.run(machine.block));
    }

    @Test
    @DisplayName("an interrupt at the end of a budget is delivered and runs nothing")
    void interruptAtTheEnd() {
        start("9090 f4");
        assertEquals(Exit.BUDGET, machine.run(2));
        machine.block.requests().post(Requests.NMI);
        assertEquals(Exit.BUDGET, machine.run(0));
        assertEquals(HANDLERS + 32, get(X86.RIP));
        assertEquals(2, machine.block.retired);
    }

    private void interruptsBy(int vector) {
        machine.block.interrupts =
                new InterruptSource() {
                    @Override
                    public int acknowledge() {
                        return vector;
                    }

                    @Override
                    public void taskPriority(int value) {}

                    @Override
                    public int taskPriority() {
                        return 0;
                    }
                };
    }

    @Test
    @DisplayName("an interrupt that waits for STI comes behind the next instruction, not later")
    void shadowOfSti() {
        start("fb 90 fa f4"); // sti; nop; cli; hlt
        interruptsBy(32);
        machine.block.requests().post(Requests.INTERRUPT);
        assertEquals(Exit.IDLE, machine.run(100));
        assertEquals(HANDLERS + 16 * 32 + 1, get(X86.RIP));
        assertEquals(CODE + 2, HostRam.getLong(get(X86.RSP)));
    }

    @Test
    @DisplayName("an exit in the shadow of STI, or a budget that ends there, does not lose it")
    void shadowSurvivesExits() {
        start("fb 0fa2 90 90 f4"); // sti; cpuid; nop; nop; hlt
        interruptsBy(32);
        machine.block.instructions = 1L << Intercept.CPUID;
        assertEquals(Exit.INSTRUCTION, machine.run(100));
        assertEquals(1, machine.group(X86.EVENTS)[X86.SHADOW]);
        machine.block.instructions = 0;
        machine.block.frame().reply = ExitFrame.PROCEED;
        machine.block.requests().post(Requests.INTERRUPT);
        assertEquals(Exit.IDLE, machine.run(100));
        assertEquals(CODE + 3, HostRam.getLong(get(X86.RSP)));
        start("fb 90 90 f4");
        machine.group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
        set(X86.RFLAGS, 2);
        assertEquals(Exit.BUDGET, machine.run(1));
        assertEquals(1, machine.group(X86.EVENTS)[X86.SHADOW]);
        assertEquals(Exit.BUDGET, machine.run(1));
        assertEquals(0, machine.group(X86.EVENTS)[X86.SHADOW]);
        assertEquals(CODE + 2, get(X86.RIP));
    }

    @Test
    @DisplayName("a jump to where nothing is faults in the guest and keeps the core in reach")
    void jumpIntoNothing() {
        start("48b8 0000003000000000 ffe0"); // jmp to 768 MiB, which is no RAM
        code(HANDLERS + 16 * 6, "ebfe");
        assertEquals(Exit.BUDGET, machine.run(10_000));
        assertEquals(HANDLERS + 16 * 6, get(X86.RIP));
    }

    @Test
    @DisplayName("all state moved to another core at random points gives the same run")
    void stateMoves() {
        String program =
                "dbe3 48ffc0 4801c3 48d1e3 4831cb 0f28c1 f20f2ac0 f20f58c8 d9e8 d8c0 ddd8 488907"
                        + " 48030f 480fafc3 83e20f 41b807000000 4d01c1 49f7d1 e2c8 f4";
        start(program);
        set(X86.RDI, DATA);
        set(X86.RCX, 0x7fff_ffffL);
        assertEquals(Exit.BUDGET, machine.run(5000), () -> machine.core.describe(machine.block, 0));
        machine.core.fetch(machine.block, X86.ARCHITECTURE.allGroups());
        long[][] expected = copy(machine.block);

        machine.close();
        machine = new BareMachine();
        start(program);
        set(X86.RDI, DATA);
        set(X86.RCX, 0x7fff_ffffL);
        Random random = new Random(3);
        VirtualCore core = machine.core;
        ControlBlock block = machine.block;
        for (int left = 5000; ; ) {
            int n = Math.min(left, 1 + random.nextInt(300));
            block.budget = n;
            assertEquals(Exit.BUDGET, core.run(block));
            left -= n;
            core.fetch(block, X86.ARCHITECTURE.allGroups());
            if (left == 0) {
                break;
            }
            ControlBlock next = new ControlBlock(X86.ARCHITECTURE);
            next.ports = Ranges.NONE;
            for (int g = 0; g < X86.ARCHITECTURE.groups().size(); g++) {
                System.arraycopy(block.group(g), 0, next.group(g), 0, block.group(g).length);
            }
            core = machine.engine.newCore(0, next);
            next.dirty = X86.ARCHITECTURE.allGroups();
            block = next;
        }
        for (int g = 0; g < expected.length; g++) {
            assertArrayEquals(expected[g], block.group(g), "group " + g);
        }
    }

    private static long[][] copy(ControlBlock block) {
        long[][] all = new long[X86.ARCHITECTURE.groups().size()][];
        for (int g = 0; g < all.length; g++) {
            all[g] = block.group(g).clone();
        }
        return all;
    }
}
