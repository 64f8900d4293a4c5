package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostKernel;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.VmmControl;
import org.alcazar.machine.Width;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.Mode;
import org.alcazar.testkit.Stop;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.VirtualMachines;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.management.PluginBundles;
import org.alcazar.vmm.management.VmManagement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The test kit itself, where there is an engine and a whole machine. */
@AlcazarTest
class TestKitTest {
    private final VmmControl ofConstructor;

    TestKitTest(VmmControl control) {
        ofConstructor = control;
    }

    @BeforeEach
    void each(VmmControl control, TestVm another) throws Exception {
        assertSame(control, ofConstructor);
        another.assembly("hlt").create();
    }

    // ---- guests

    private static final String SUM =
            """
            static volatile int numbers[] = {3, 4, 5};
            volatile unsigned total;
            static int empty[1000];
            struct pair { double a, b; };

            static __attribute__((noinline)) double half(struct pair p) { return p.a / 2 + p.b; }

            int main(void)
            {
            	for (int i = 0; i < 3; i++)
            		total += numbers[i] + empty[i];
            	struct pair p = {total, 1};
            	put_string("total ");
            	put_hex(0xabc0 + total);
            	put_char('\\n');
            	return half(p);
            }
            """;

    @Test
    void aGuestInCComputesPrintsAndReturns(TestVm vm) throws Exception {
        vm.c(SUM)
                .run()
                .assertExit(7)
                .assertConsole("total abcc\n")
                .assertMemory(vm.symbol("total"), 12, 0, 0, 0)
                .assertMemory(vm.symbol("total"), Width.DWORD, 12);
        assertThrows(
                AssertionError.class, () -> vm.assertMemory(vm.symbol("total"), Width.DWORD, 13));
    }

    @Test
    void anExceptionThatACGuestDoesNotExpectIsTold(TestVm vm) throws Exception {
        vm.c("int main(void) { __asm__ volatile(\"ud2\"); return 0; }")
                .run()
                .assertExit(127)
                .assertConsole(
                        "nobody handles interrupt 0x6 (error code 0x0) at 0x%x\n"
                                .formatted(vm.symbol("main")));
    }

    @Test
    void whatTheCompilerRefusesIsSaid(TestVm vm) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> vm.c("\nint main(void) {"))
                        .getMessage();
        assertTrue(message.contains("guest.c:2:"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.s", "guest.S", "guest.c", "guest.bin"})
    void guestsComeFromFiles(String name, @TempDir Path folder, TestVm vm) throws Exception {
        Files.writeString(folder.resolve("answer.h"), "#define ANSWER 4\n");
        Path file = folder.resolve(name);
        switch (name) {
            case "guest.s" -> Files.writeString(file, "exit 4\n1: hlt\n jmp 1b");
            case "guest.S" ->
                    Files.writeString(file, "#include \"answer.h\"\nexit ANSWER\n1: hlt\n jmp 1b");
            case "guest.c" ->
                    Files.writeString(
                            file, "#include \"answer.h\"\nint main(void) { return ANSWER; }");
            default -> // mov $4, %al; out %al, $0xf4; hlt; jmp back
                    Files.write(
                            file,
                            new byte[] {
                                (byte) 0xb0, 4, (byte) 0xe6, (byte) 0xf4, (byte) 0xf4, -21, -3
                            });
        }
        vm.file(file).run().assertExit(4);
    }

    /** With the note of the PVH protocol, as a kernel has it: it begins in protected mode. */
    private static final String KERNEL =
            """
            .section .note.Xen, "a", @note
            .long 4, 4, 18
            .asciz "Xen"
            .long start
            .text
            .code32
            .globl start, answer
            start: mov answer, %al
            	out %al, $0xf4
            1:	hlt
            	jmp 1b
            .data
            answer: .long 4
            """;

    @Test
    void aGuestComesFromAnElfFileWithItsSymbols(@TempDir Path folder, TestVm vm) throws Exception {
        Files.writeString(folder.resolve("kernel.s"), KERNEL);
        tool(folder, "as", "--32", "-o", "kernel.o", "kernel.s");
        tool(folder, "ld", "-m", "elf_i386", "-Ttext-segment=0x100000", "-o", "kernel", "kernel.o");
        vm.file(folder.resolve("kernel")).breakpoint("start").start();
        assertEquals(new Stop(0, vm.symbol("start")), vm.awaitStop());
        vm.assertMemory(vm.symbol("answer"), Width.DWORD, 4).resume();
        vm.assertExit(4);
    }

    private static void tool(Path folder, String... command) throws Exception {
        Process process = new ProcessBuilder(command).directory(folder.toFile()).start();
        assertEquals(0, process.waitFor(), List.of(command)::toString);
    }

    @Test
    void aFileMayBeAResourceAndHasToBeThere(TestVm vm) throws Exception {
        vm.file(Path.of("return-nine.c")).run().assertExit(9);
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> vm.file(Path.of("no-such-guest.c")))
                        .getMessage();
        assertTrue(message.contains("no-such-guest.c"), message);
    }

    // ---- interrupts and states

    private static final String UART =
            """
            static volatile int seen;

            static void uart(void)
            {
            	seen += inb(0x3fa) == 0x02;	/* transmitter empty; reading that ends it */
            	outb(0x20, 0x20);
            }

            int main(void)
            {
            	on_interrupt(0x24, uart);
            	outb(0x20, 0x11);
            	outb(0x21, 0x20);
            	outb(0x21, 0x04);
            	outb(0x21, 0x01);
            	outb(0x21, 0xef);
            	outb(0x3fc, 0x08);
            	outb(0x3f9, 0x02);
            	while (seen < 3) {
            		wait_for_interrupt();
            		outb(0x3f8, '0' + seen);
            	}
            	put_string("seen");
            	while (read32(0xfec00000) != 5)
            		write32(0xfec00000, 5);
            	return seen;
            }
            """;

    @Test
    void aCGuestTakesInterruptsOfAPcAndTheTestSeesLinesAndStates(TestVm vm) throws Exception {
        vm.platform("pc")
                .c(UART)
                .run()
                .assertExit(3)
                .assertConsole("seen")
                .assertEdges(4, 4) // the last one is not taken any more
                .interrupts()
                .assertDelivered(0x24, 3)
                .assertDelivered(0x20, 0)
                .assertLast(0, 0x24, 0x24, 0x24);
        vm.assertEdges(4, 4)
                .assertLine(4, true)
                .assertLine(3, false)
                .assertState("com1", "ier", 2)
                .assertState("com1", "thr-empty", true);
        String message =
                assertThrows(AssertionError.class, () -> vm.assertState("com1", "ire", 2))
                        .getMessage();
        assertTrue(message.contains("'ire'") && message.contains("ier"), message);
    }

    // ---- clocks

    @Test
    void guestTimePassesAsFarAsItIsSimulated(TestVm vm) throws Exception {
        vm.assembly("1: jmp 1b").simulate(Duration.ofNanos(5_000));
        assertEquals(VmState.PAUSED, vm.machine().state());
        assertEquals(5_000, vm.retired());
        vm.simulate(Duration.ofNanos(1_000));
        assertEquals(6_000, vm.retired());
    }

    // ---- breakpoints and steps

    private static final String LOOPS =
            """
                    xor     %ebx, %ebx
            again:  mov     $20000, %ecx
            1:      dec     %ecx
                    jnz     1b
                    call    work
                    cmp     $3, %ebx
                    jne     again
                    rdtsc
                    mov     %eax, 0x30000
                    mov     $8, %ecx
                    mov     $0x30010, %edi
            fill:   rep stosb
                    exit    5
            2:      hlt
                    jmp     2b
            work:   inc     %ebx
            back:   ret
            """;

    @ParameterizedTest
    @ValueSource(strings = {"interpreter", "translator", "lockstep"})
    void breakpointsAndStepsChangeNothingForTheGuest(String engine, TestVm vm, TestVm plain)
            throws Exception {
        plain.withoutProbe().set("engine", engine).assembly(LOOPS).run().assertExit(5);
        vm.set("engine", engine).assembly(LOOPS).breakpoint("work").start();
        long work = vm.symbol("work");
        assertEquals(new Stop(0, work), vm.awaitStop());
        vm.assertRegister("rcx", 0).assertRegister("rbx", 0);
        assertEquals(new Stop(0, vm.symbol("back")), vm.step());
        vm.assertRegister("rbx", 1);
        vm.step(3); // ret, cmp, jne
        vm.clearBreakpoint("work").breakpoint("back").breakpoint("fill").resume();
        assertEquals(new Stop(0, vm.symbol("back")), vm.awaitStop());
        vm.clearBreakpoint("back").resume();
        assertEquals(new Stop(0, vm.symbol("fill")), vm.awaitStop());
        vm.assertRegister("rcx", 8);
        vm.resume();
        vm.assertExit(5);
        assertEquals(plain.statistic("instructions"), vm.statistic("instructions"));
        vm.assertMemory(0x30000, Width.DWORD, word(plain, 0x30000));
    }

    private static long word(TestVm vm, long address) {
        return vm.machine().memory().readInt(address);
    }

    @Test
    void aTestStepsFromTheFirstInstructionOn(TestVm vm) throws Exception {
        vm.assembly(Mode.REAL, "mov $7, %bx\nend: exit 1\n1: hlt\n jmp 1b");
        long start = vm.step(6).pc();
        assertEquals(vm.symbol("guest"), vm.step().pc());
        assertTrue(start < vm.symbol("guest"));
        assertEquals(new Stop(0, vm.symbol("end")), vm.step());
        assertEquals(8, vm.retired());
        vm.assertRegister("rbx", 7);
        assertThrows(AssertionError.class, () -> vm.step(10)); // it ends in between
        vm.assertExit(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"instructions", "host"})
    void oneVcoreStepsWhileTheOthersStand(String clock, TestVm vm) throws Exception {
        String code =
                """
                core:   cmp     $1, %ebx
                        je      second
                first:  jmp     first
                second: inc     %rsi
                        jmp     second
                ipi:    iretq
                tick:   iretq
                """;
        SmpGuest.on(vm, 2, code).set("clock", clock).breakpoint("second").start();
        assertEquals(new Stop(1, vm.symbol("second")), vm.awaitStop());
        long first = vm.machine().vcores().get(0).retired();
        long second = vm.machine().vcores().get(1).retired();
        assertEquals(new Stop(1, vm.symbol("second") + 3), vm.stepVcore(1, 1));
        vm.clearBreakpoint("second");
        assertEquals(new Stop(1, vm.symbol("second")), vm.stepVcore(1, 3));
        assertEquals(first, vm.machine().vcores().get(0).retired());
        assertEquals(second + 4, vm.machine().vcores().get(1).retired());
        vm.resume();
        assertThrows(HostRefusal.class, vm::step);
    }

    @Test
    void vectorsAreToldPerVcoreInTheirOrder(TestVm vm) throws Exception {
        vm.platform("pc").c(UART).breakpoint("uart").start();
        for (int i = 1; i <= 2; i++) {
            vm.awaitStop();
            assertEquals(i, vm.interrupts().delivered(0, 0x24));
            assertEquals(java.util.Collections.nCopies(i, 0x24), vm.interrupts().last(0));
            vm.resume();
        }
        vm.awaitStop();
        String message =
                assertThrows(AssertionError.class, () -> vm.interrupts().assertDelivered(0x25, 1))
                        .getMessage();
        assertTrue(message.contains("vector 0x25; all: 0x24 x 3"), message);
        assertTrue(vm.report().contains("interrupts delivered: 0x24 x 3"));
    }

    @ParameterizedTest
    @CsvSource({"instructions,interpreter", "instructions,translator", "host,translator"})
    void aStepThatWouldWaitForEverFailsAtOnce(String clock, String engine, TestVm vm)
            throws Exception {
        vm.set("clock", clock).set("engine", engine);
        vm.assembly("stop: hlt\n1: jmp 1b").breakpoint("stop").start();
        vm.awaitStop();
        vm.step(); // the HLT itself
        for (int i = 0; i < 2; i++) {
            String message = assertThrows(AssertionError.class, vm::step).getMessage();
            assertTrue(message.contains("vcore 0 has halted"), message);
            assertEquals(VmState.PAUSED, vm.machine().state());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"instructions", "host"})
    void aStepOfAHaltedVcoreEndsBehindTheInterruptThatWakesIt(
            String clock, TestVm vm, @TempDir Path folder) throws Exception {
        Ticker.sleeping(vm, 3, folder.resolve("console")).set("clock", clock);
        vm.breakpoint("sleep").start();
        vm.awaitStop();
        vm.step();
        long behind = vm.step().pc() - vm.symbol("tick");
        if (clock.equals("instructions")) {
            assertEquals(1, behind); // the handler's first PUSH
            vm.interrupts().assertDelivered(0x20, 1);
        } else { // ticks come when they come, maybe before the HLT
            assertTrue(behind == 1 || behind == 2, () -> "step to tick + " + behind);
            assertTrue(vm.interrupts().delivered(0x20) > 0);
        }
        vm.clearBreakpoint("sleep").resume();
        vm.assertExit(16);
    }

    @Test
    void stopsDoNotDisturbTimersAndTheirInterrupts(TestVm vm, TestVm plain, @TempDir Path folder)
            throws Exception {
        Ticker.on(plain, 5, folder.resolve("plain")).run().assertExit(16);
        Ticker.on(vm, 5, folder.resolve("stopped")).breakpoint("tick").start();
        for (int i = 0; i < 3; i++) {
            assertEquals(vm.symbol("tick"), vm.awaitStop().pc());
            vm.step(100 + i);
            vm.resume();
        }
        vm.awaitStop();
        vm.clearBreakpoint("tick").simulate(Duration.ofNanos(777)).step(50);
        vm.resume();
        vm.assertExit(16);
        Map<String, Object> wanted = plain.control().statistics(plain.id());
        Map<String, Object> found = vm.control().statistics(vm.id());
        for (String key : List.of("instructions", "exit-traces", "ram-crc32c")) {
            assertEquals(wanted.get(key), found.get(key), key);
        }
    }

    // ---- services

    @Test
    void servicesOfBundlesAreInjected(
            TestFramework framework,
            VmManagement management,
            PluginBundles bundles,
            HostKernel host,
            VirtualMachines machines,
            TestInfo info,
            @TempDir Path folder) {
        assertSame(framework.management(), management);
        assertSame(framework.bundles(), bundles);
        assertSame(framework.host(), host);
        assertSame(framework.machines(), machines);
        assertTrue(info.getDisplayName().startsWith("services"));
        assertTrue(Files.isDirectory(folder));
    }

    @ParameterizedTest
    @EnumSource(Width.class)
    void argumentsOfParameterizedTestsAreTheirs(Width width, VmmControl control) {
        assertNotNull(width);
        assertSame(ofConstructor, control);
    }

    // ---- reports

    @Test
    void aReportSaysWhereTheGuestIsAndWhatItDid(TestVm vm) throws Exception {
        String spin = "putc 'h'\n in $0x90, %al\n mov $0x5eed, %r15d\nspin: jmp spin";
        vm.assembly(spin).breakpoint("spin").start().awaitStop();
        String at = Long.toHexString(vm.symbol("spin"));
        for (String part :
                new String[] {
                    "PAUSED",
                    "console: h",
                    "vcore 0: ",
                    "0000000000005eed",
                    "jmp",
                    "level 4",
                    "write to port 0xe9, 1 bytes: 0x68",
                    "read from port 0x90, 1 bytes: 0xff",
                    "debug: breakpoint at 0x" + at,
                    "micro-console port"
                }) {
            assertTrue(vm.report().contains(part), () -> part + " in\n" + vm.report());
        }
        vm.destroy();
        assertEquals("", vm.report());
    }
}
