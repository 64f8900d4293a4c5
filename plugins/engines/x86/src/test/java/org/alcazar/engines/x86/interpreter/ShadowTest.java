package org.alcazar.engines.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.Intercept;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Code over shadow tables, which a pager of a few lines fills: exits, replies, what they leave. */
class ShadowTest {
    private static final long CODE = 0x10000, DATA = 0x40000, HANDLERS = 0x30000, IDT = 0x9000;
    private static final long ROOT = 0x100_0000, OTHER = 0x20_0000, DEVICE = 0x3000_0000L;
    private static final long P = Bits.PTE_P, RW = Bits.PTE_RW, US = Bits.PTE_US;
    private static final long WRITE_FAULT = Bits.PFEC_P | Bits.PFEC_W;
    private static final long STATE = 1L << Intercept.PAGING_STATE;

    /** Serves one exit. */
    private interface Pager {
        void serve(ExitFrame frame);
    }

    private final BareMachine machine = new BareMachine();
    private final Map<Long, Pager> pagers = new HashMap<>();

    /** Exits but those of pages that are just not mapped yet: S, F with code and address, A. */
    private final List<String> log = new ArrayList<>();

    private final List<Long> told = new ArrayList<>();
    private final RamPages.Listener listener = (page, flags) -> told.add(HostRam.getLong(page));
    private long nextTable = ROOT + 0x1000;
    private Pager state = frame -> {};

    @BeforeEach
    void begin() {
        RamPages.addListener(listener);
        machine.block.translation = Translation.SHADOW;
        machine.block.translationRoot = ROOT;
    }

    @AfterEach
    void close() {
        RamPages.removeListener(listener);
        RamPages.unmark(DATA, RamPages.TABLE);
        RamPages.unmark(DATA + 0x1000, RamPages.TABLE);
        machine.close();
    }

    private void map(long root, long linear, long entry) {
        long table = root;
        for (int shift = 39; shift > 12; shift -= 9) {
            long at = table + (linear >>> shift & 511) * 8;
            if (HostRam.getLong(at) == 0) {
                HostRam.setLong(at, nextTable | P | RW | US);
                nextTable += 0x1000;
            }
            table = HostRam.getLong(at) & -4096;
        }
        HostRam.setLong(table + (linear >>> 12 & 511) * 8, entry);
    }

    private void code(long at, String hex) {
        machine.load(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    /** 64-bit mode with a handler of HLT for each exception, 16 bytes apart. */
    private void start(String hex) {
        machine.longMode(CODE);
        for (int vector = 0; vector < 32; vector++) {
            long handler = HANDLERS + 16 * vector;
            RamPages.setLong(
                    IDT + 16 * vector,
                    handler & 0xffff | 8L << 16 | 0x8e00L << 32 | handler >> 16 << 48);
            code(handler, "f4");
        }
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.IDTR_BASE] = IDT;
        segments[X86.IDTR_LIMIT] = 32 * 16 - 1;
        code(CODE, hex);
    }

    private void set(int register, long value) {
        machine.group(X86.GENERAL)[register] = value;
    }

    /** Runs until something else than an exit for the pager. */
    private int run() {
        while (true) {
            assertTrue(log.size() < 100, "no end of exits");
            int reason = machine.run(ControlBlock.UNLIMITED);
            ExitFrame frame = machine.block.frame();
            if (reason == Exit.FAULT || reason == Exit.TRANSLATION) {
                serve(frame);
            } else if (reason == Exit.INSTRUCTION && frame.code == Intercept.PAGING_STATE) {
                log.add("S%x".formatted(frame.address));
                state.serve(frame);
            } else if (reason == Exit.ACCESS) {
                log.add("A%x".formatted(frame.address));
                frame.value = 0x55;
            } else if (reason == Exit.INSTRUCTION) {
                frame.reply = ExitFrame.PROCEED;
            } else {
                return reason;
            }
        }
    }

    private void serve(ExitFrame frame) {
        Pager pager = pagers.get(frame.address & -4096);
        if (pager == null) {
            map(machine.block.translationRoot, frame.address, frame.address & -4096 | P | RW | US);
        } else {
            log.add("F%x:%x".formatted(frame.value, frame.address));
            pager.serve(frame);
        }
    }

    /** A page of data that can only be read, and whose writes are granted one by one. */
    private void writesOnce(long page) {
        RamPages.mark(page, RamPages.TABLE);
        map(ROOT, page, page | P | US);
        pagers.put(
                page,
                frame -> {
                    frame.reply = ExitFrame.ONCE;
                    frame.value = page;
                });
    }

    private static String faults(long... addresses) {
        StringBuilder s = new StringBuilder();
        for (long each : addresses) {
            s.append(s.isEmpty() ? "" : ", ").append("F%x:%x".formatted(WRITE_FAULT, each));
        }
        return "[" + s + "]";
    }

    @Test
    @DisplayName("a page for one store is gone after it, and listeners hear of the store")
    void onceForAStore() {
        start("8907 894704 f4"); // mov %eax,(%rdi); mov %eax,4(%rdi)
        writesOnce(DATA);
        set(X86.RDI, DATA);
        set(X86.RAX, 7);
        assertEquals(Exit.IDLE, run());
        assertEquals(faults(DATA, DATA + 4), log.toString());
        assertEquals(List.of(7L, 7L | 7L << 32), told);
    }

    @Test
    @DisplayName("a page for one instruction serves locked instructions, which stay whole")
    void onceForLockedInstructions() {
        // lock cmpxchg %ecx,(%rdi); lock xadd %rdx,8(%rdi); lock cmpxchg16b 16(%rdi);
        // lock incq 32(%rdi); incq 32(%rdi); xchg %rdx,40(%rdi)
        start("f00fb10f f0480fc15708 f0480fc74f10 f048ff4720 48ff4720 48875728 f4");
        writesOnce(DATA);
        set(X86.RDI, DATA);
        set(X86.RCX, 5);
        set(X86.RDX, 0);
        assertEquals(Exit.IDLE, run());
        assertEquals(
                faults(DATA, DATA + 8, DATA + 16, DATA + 32, DATA + 32, DATA + 40), log.toString());
        assertEquals(5, HostRam.getLong(DATA));
        assertEquals(5, HostRam.getLong(DATA + 24));
        assertEquals(2, HostRam.getLong(DATA + 32));
        assertEquals(6, told.size());
    }

    @Test
    @DisplayName("a repeated store to a write-protected page tells its run, gets through, is heard")
    void onceForRepeatedStores() {
        start("f348ab 8907 f4"); // rep stosq; mov %eax,(%rdi)
        writesOnce(DATA);
        set(X86.RDI, DATA);
        set(X86.RAX, 3);
        set(X86.RCX, 4);
        assertEquals(Exit.IDLE, run());
        assertEquals(3, HostRam.getLong(DATA + 24));
        assertEquals(3, HostRam.getLong(DATA + 32));
        assertEquals("F%x:%x".formatted(32 << 16 | 3, DATA), log.getFirst());
        assertEquals("F3:%x".formatted(DATA + 32), log.getLast());
        assertEquals(5, told.size());
    }

    @Test
    @DisplayName("a store across two write-protected pages has both, and no store after it")
    void onceAcrossPages() {
        start("488907 f0480107 8907 f4"); // mov %rax,(%rdi); lock add %rax,(%rdi); mov %eax,(%rdi)
        writesOnce(DATA);
        writesOnce(DATA + 0x1000);
        set(X86.RDI, DATA + 0xffc);
        set(X86.RAX, 0x1_0000_0001L);
        assertEquals(Exit.IDLE, run());
        long a = DATA + 0xffc;
        long b = DATA + 0x1000;
        assertEquals(faults(a, b, a, b, a), log.toString());
        assertEquals(1, HostRam.getInt(a));
        assertEquals(2, HostRam.getInt(b));
    }

    @Test
    @DisplayName("a page for one instruction is not used if translations were invalidated since")
    void onceAndInvalidation() {
        start("8907 f4");
        RamPages.mark(DATA, RamPages.TABLE);
        map(ROOT, DATA, DATA | P | US);
        pagers.put(
                DATA,
                frame -> {
                    frame.reply = ExitFrame.ONCE;
                    frame.value = OTHER;
                    machine.engine.invalidate(Scope.ALL, 0, 0);
                    pagers.put(
                            DATA,
                            again -> {
                                again.reply = ExitFrame.ONCE;
                                again.value = DATA;
                            });
                });
        set(X86.RDI, DATA);
        set(X86.RAX, 7);
        assertEquals(Exit.IDLE, run());
        assertEquals(faults(DATA, DATA), log.toString());
        assertEquals(0, HostRam.getLong(OTHER));
        assertEquals(7, HostRam.getLong(DATA));
    }

    @Test
    @DisplayName("fetches have no page for one instruction: the VMM's mistake is named")
    void onceIsNotForFetches() {
        start("f4");
        pagers.put(CODE, frame -> frame.reply = ExitFrame.ONCE);
        assertThrows(IllegalStateException.class, this::run);
    }

    @Test
    @DisplayName("a page for one instruction serves nested tables, too")
    void onceUnderNestedTables() {
        machine.block.translation = Translation.NESTED;
        start("8907 894704 f4");
        writesOnce(DATA);
        set(X86.RDI, DATA);
        set(X86.RAX, 7);
        pagers.put(
                DATA,
                frame -> {
                    assertEquals(Rights.WRITE, frame.code);
                    frame.reply = ExitFrame.ONCE;
                    frame.value = DATA;
                });
        assertEquals(Exit.IDLE, run());
        assertEquals(2, log.size());
        assertEquals(List.of(7L, 7L | 7L << 32), told);
    }

    @Test
    @DisplayName("the VMM hears of new control registers before the next miss, once each")
    void pagingState() {
        // mov %cr3,%rax; mov %rax,%cr3; mov %cr4,%rax; or $0x80,%al; mov %rax,%cr4;
        // mov %cr0,%rax; btr $16,%rax; mov %rax,%cr0;
        // mov $0xc0000080,%ecx; rdmsr; btr $11,%eax; wrmsr; mov (%rdi),%rbx; hlt
        start(
                "0f20d8 0f22d8 0f20e0 0c80 0f22e0 0f20c0 480fbaf010 0f22c0"
                        + "b9800000c0 0f32 0fbaf00b 0f30 488b1f f4");
        machine.block.instructions = STATE;
        set(X86.RDI, DATA);
        assertEquals(Exit.IDLE, run());
        assertEquals("[S1000, S1000, S1000, S1000, S1000]", log.toString());
    }

    @Test
    @DisplayName("without the intercept nobody is told of new control registers")
    void noPagingState() {
        start("0f20d8 0f22d8 f4");
        assertEquals(Exit.IDLE, run());
        assertEquals("[]", log.toString());
    }

    @Test
    @DisplayName("the root that the VMM sets in a PAGING_STATE exit is walked from then on")
    void otherRoot() {
        long second = 0x180_0000;
        start("488b1f 0f22d8 488b0f f4"); // mov (%rdi),%rbx; mov %rax,%cr3; mov (%rdi),%rcx
        machine.block.instructions = STATE;
        HostRam.setLong(DATA, 1);
        HostRam.setLong(OTHER, 2);
        map(second, DATA, OTHER | P);
        state = frame -> machine.block.translationRoot = frame.address == 0x7000 ? second : ROOT;
        set(X86.RDI, DATA);
        set(X86.RAX, 0x7000);
        assertEquals(Exit.IDLE, run());
        assertEquals("[S1000, S7000]", log.toString());
        assertEquals(1, machine.register(X86.RBX));
        assertEquals(2, machine.register(X86.RCX));
    }

    @Test
    @DisplayName("INIT and STARTUP change the paging state")
    void initAndStartup() {
        start("ebfe");
        machine.block.instructions = STATE;
        machine.run(10);
        while (machine.block.frame().reason != Exit.BUDGET) {
            if (machine.block.frame().reason == Exit.FAULT) {
                serve(machine.block.frame());
            }
            machine.run(10);
        }
        machine.block.requests().post(Requests.INIT);
        assertEquals(Exit.INSTRUCTION, machine.run(10));
        assertEquals(Intercept.PAGING_STATE, machine.block.frame().code);
        assertEquals(0, machine.block.frame().address);
        assertEquals(Exit.FAULT, machine.run(10));
        assertEquals(0xffff_fff0L, machine.block.frame().address);

        ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
        VirtualCore core = machine.engine.newCore(1, block);
        block.translation = Translation.SHADOW;
        block.translationRoot = ROOT;
        block.instructions = STATE;
        block.ports = Ranges.NONE;
        block.requests().postStartup(0x12);
        assertEquals(Exit.INSTRUCTION, core.run(block));
        assertEquals(Intercept.PAGING_STATE, block.frame().code);
        assertEquals(Exit.FAULT, core.run(block));
        assertEquals(0x12000, block.frame().address);
    }

    /** A far jump to a task with another CR3, whose root has nothing at first. */
    private void startTaskSwitch() {
        machine.protectedMode(CODE);
        machine.group(X86.CONTROL)[X86.CR0] |= Bits.CR0_PG;
        machine.group(X86.CONTROL)[X86.CR3] = 0x5000;
        long old = 0x50000;
        long task = 0x51000;
        RamPages.setLong(0x8018, 0x0000_8b05_0000_0067L);
        RamPages.setLong(0x8020, 0x0000_8905_1000_0067L);
        long[] segments = machine.group(X86.SEGMENTS);
        segments[X86.GDTR_LIMIT] = 39;
        segments[4 * X86.TR + X86.SELECTOR] = 0x18;
        segments[4 * X86.TR + X86.BASE] = old;
        segments[4 * X86.TR + X86.LIMIT] = 0x67;
        segments[4 * X86.TR + X86.ATTRIBUTES] = 0x8b;
        HostRam.setInt(task + 0x1c, 0x6000);
        HostRam.setInt(task + 0x20, 0x11000);
        HostRam.setInt(task + 0x24, 2);
        for (int s = 0; s < 6; s++) {
            HostRam.setInt(task + 0x48 + 4 * s, s == X86.CS ? 8 : 16);
        }
        code(CODE, "ea000000002000"); // ljmp $0x20,$0
        code(0x11000, "f4");
        machine.block.instructions = STATE;
        state =
                frame ->
                        machine.block.translationRoot = frame.address == 0x6000 ? 0x180_0000 : ROOT;
    }

    @Test
    @DisplayName("a task switch changes the paging state once, in the midst of loading the task")
    void taskSwitch() {
        startTaskSwitch();
        assertEquals(Exit.IDLE, run());
        assertEquals("[S5000, S6000]", log.toString());
        assertEquals(0x11001, machine.register(X86.RIP));
    }

    @Test
    @DisplayName("a page fault in the midst of loading a task is the new task's")
    void taskSwitchFaults() {
        startTaskSwitch();
        Pager states = state;
        state =
                frame -> {
                    states.serve(frame);
                    if (frame.address == 0x6000) {
                        pagers.put(0x8000L, fault -> fault.reply = ExitFrame.PROCEED);
                    }
                };
        // Without an interrupt table, so that it ends there.
        assertEquals(Exit.SHUTDOWN, run());
        assertEquals("[S5000, S6000, F0:8008]", log.toString());
        assertEquals(0x8008, machine.group(X86.CONTROL)[X86.CR2]);
        assertEquals(0x11000, machine.register(X86.RIP));
    }

    @Test
    @DisplayName("a device page exits with ACCESS until INVLPG or a write of CR3")
    void devicePages() {
        // mov (%rdi),%eax; mov (%rdi),%ebx; invlpg (%rsi); mov (%rdi),%ecx; mov %rdx,%cr3;
        // incl (%rdi)
        start("8b07 8b1f 0f013e 8b0f 0f22da ff07 f4");
        set(X86.RDI, DEVICE + 8);
        set(X86.RSI, DEVICE);
        set(X86.RDX, 0x1000);
        pagers.put(
                DEVICE,
                frame -> {
                    frame.reply = ExitFrame.AS_ACCESS;
                    frame.address = 0xfec0_0000L + (frame.address & 4095);
                    frame.code = Rights.READ | Rights.WRITE;
                });
        assertEquals(Exit.IDLE, run());
        String f = "F0:30000008";
        String a = "Afec00008";
        assertEquals(List.of(f, a, a, f, a, "F2:30000008", a, a), log);
        assertEquals(0x55, machine.register(X86.RCX));
    }

    @Test
    @DisplayName("the guest's own page fault has its address in CR2 and its code on the stack")
    void raised() {
        start("8b07 f4");
        set(X86.RDI, DATA + 5);
        pagers.put(
                DATA,
                frame -> {
                    frame.reply = ExitFrame.RAISE;
                    frame.replyCode = Bits.PFV;
                    frame.value = Bits.PFEC_P | Bits.PFEC_R;
                });
        raisedWith(Bits.PFEC_P | Bits.PFEC_R);
    }

    @Test
    @DisplayName("a page fault that the VMM lets pass has the exit's code")
    void passed() {
        start("8907 f4");
        set(X86.RDI, DATA + 5);
        machine.block.exceptions = 1L << Bits.PFV; // not seen twice
        pagers.put(DATA, frame -> frame.reply = ExitFrame.PROCEED);
        raisedWith(Bits.PFEC_W);
    }

    private void raisedWith(long code) {
        assertEquals(Exit.IDLE, run());
        assertEquals(1, log.size());
        assertEquals(HANDLERS + 16 * Bits.PFV + 1, machine.register(X86.RIP));
        assertEquals(DATA + 5, machine.group(X86.CONTROL)[X86.CR2]);
        assertEquals(code, HostRam.getLong(machine.register(X86.RSP)));
        assertEquals(CODE, HostRam.getLong(machine.register(X86.RSP) + 8));
    }

    @Test
    @DisplayName("a page fault while an event is delivered adds up with it as on a processor")
    void raisedInDelivery() {
        start("0f0b");
        pagers.put(IDT, frame -> frame.reply = ExitFrame.PROCEED);
        assertEquals(Exit.SHUTDOWN, run());
        assertEquals("[F0:%x]".formatted(IDT + 16 * Bits.UD), log.toString());
        assertEquals(Exit.SHUTDOWN, run());
    }

    @Test
    @DisplayName("the delivery of an event writes to write-protected pages, once")
    void onceInDelivery() {
        start("0f0b");
        set(X86.RSP, DATA + 0x800);
        writesOnce(DATA);
        // In the handler: push %rax; hlt
        code(HANDLERS + 16 * Bits.UD, "50 f4");
        assertEquals(Exit.IDLE, run());
        assertEquals(faults(DATA + 0x7f8, DATA + 0x7d0), log.toString());
        assertEquals(CODE, HostRam.getLong(DATA + 0x7d8));
    }
}
