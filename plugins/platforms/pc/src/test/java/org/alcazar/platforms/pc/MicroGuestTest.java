package org.alcazar.platforms.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.VmmControl.VmEnd;
import org.alcazar.machine.SavedState;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.Mode;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Guests of a few lines on the smallest machine. */
@AlcazarTest
class MicroGuestTest {
    private static final String HALT = "\n9: hlt\n jmp 9b\n";

    @ParameterizedTest
    @EnumSource(Mode.class)
    void aGuestPrintsLeavesAValueAndEnds(Mode mode, TestVm vm) throws Exception {
        vm.assembly(mode, "putc 'o'\n putc 'k'\n mov $0x1234, %bx\n exit 16" + HALT)
                .run()
                .assertExit(16)
                .assertConsole("ok")
                .assertExits("access", 3)
                .assertExits("shutdown", 0)
                .assertRegister("rbx", 0x1234);
    }

    @ParameterizedTest
    @CsvSource({"REAL, 10, 0", "PROTECTED, 11, 0", "LONG, 80000033, 501"})
    void eachModeIsTheModeItsNameSays(Mode mode, String cr0, String efer, TestVm vm)
            throws Exception {
        vm.assembly(mode, "exit 0" + HALT).run().assertExit(0);
        // ET is always set; NW, CD and NE may be.
        long wanted = Long.parseLong(cr0, 16);
        assertEquals(wanted, vm.register("cr0") & (~0x60000020L | wanted));
        assertEquals(Long.parseLong(efer, 16), vm.register("efer"));
    }

    @Test
    void whatTheGuestWritesIsInItsMemory(TestVm vm) throws Exception {
        vm.assembly("movabs $0x1122334455667788, %rax\n mov %rax, 0x100000\n exit 0" + HALT)
                .run()
                .assertExit(0);
        assertEquals(
                0x1122334455667788L,
                ByteBuffer.wrap(vm.memory(0x100000, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong());
    }

    @Test
    void aLoopRetiresAsManyInstructionsAsItHas(TestVm few, TestVm many) throws Exception {
        String loop = "mov $%d, %%ecx\n1: dec %%ecx\n jnz 1b\n exit 0" + HALT;
        few.assembly(String.format(loop, 1000)).run().assertExit(0);
        many.assembly(String.format(loop, 51_000)).run().assertExit(0);
        assertEquals(100_000, many.statistic("instructions") - few.statistic("instructions"));
    }

    @Test
    void memoryWithoutRamReadsAllOnesAndKeepsNothing(TestVm vm) throws Exception {
        // 16 MiB of RAM, the first GiB is mapped.
        vm.assembly("movl $7, 0x2000000\n mov 0x2000000, %ebx\n exit 1" + HALT)
                .run()
                .assertExit(1)
                .assertRegister("rbx", 0xffffffffL);
    }

    @Test
    void aTripleFaultEndsTheVmWithADumpThatHelps(TestVm vm) throws Exception {
        VmEnd end =
                vm.assembly("mov $0xabcdef, %r15\n lidt none\n ud2\nnone: .word 0\n .quad 0")
                        .run()
                        .assertStatus(4)
                        .end();
        assertEquals(1, end.reason().lines().count(), end.reason());
        assertTrue(end.reason().contains("died"), end.reason());
        for (String part : List.of("rip", "cr3", "0000000000abcdef", "ud2", "level 4", "level 2")) {
            assertTrue(end.dump().contains(part), part + " in " + end.dump());
        }
        vm.assertExits("shutdown", 1);
    }

    @Test
    void aJumpIntoNothingShowsThePageWalkToIt(TestVm vm) throws Exception {
        VmEnd end =
                vm.assembly("mov $0x7f0012345000, %rax\n jmp *%rax").run().assertStatus(4).end();
        assertTrue(end.dump().contains("7f0012345000"), end.dump());
        assertTrue(end.dump().contains("level 4"), end.dump());
    }

    @Test
    void anInstructionThatDoesNotExistIsTheGuestsOwnUd(TestVm vm) throws Exception {
        String handler =
                """
                movw    $bad, 0x20060           # vector 6
                movw    $0x18, 0x20062
                movw    $0x8e00, 0x20064
                lidt    idt
                .byte   0x0f, 0xff, 0xc0
                exit    1
                bad:    exit 6
                9:      hlt
                jmp     9b
                idt:    .word 0xfff
                .quad   0x20000
                """;
        vm.assembly(handler).run().assertExit(6);
    }

    /** Hypercalls 0x100 to 0x10f: answers RDI + 1 in RAX. */
    private static final class Adder implements ExtensionType {
        final List<Long> calls = new CopyOnWriteArrayList<>();

        @Override
        public String name() {
            return "test-adder";
        }

        @Override
        public String description() {
            return "adds one";
        }

        @Override
        public Extension create(ExtensionContext context, Settings settings) {
            context.hookHypercall(0x100, 0x10f, this::call);
            return new Extension() {
                @Override
                public SavedState save() {
                    return new SavedState("test-adder", 1);
                }

                @Override
                public void restore(SavedState state) {
                    state.require("test-adder", 1);
                }
            };
        }

        private void call(Vcore vcore, long number) {
            calls.add(number);
            vcore.fetch(1);
            long[] general = vcore.block().group(0);
            general[0] = general[7] + 1;
            vcore.block().dirty |= 1;
        }
    }

    @Test
    void aHypercallReachesItsExtensionAndNobodyElses(TestFramework framework, TestVm vm)
            throws Exception {
        Adder adder = new Adder();
        Hook offered = framework.offer(ExtensionType.class, adder);
        try {
            vm.set("extensions", List.of("test-adder"))
                    .assembly(
                            "mov $0x105, %eax\n mov $41, %edi\n vmmcall\n mov %rax, %rbx\n exit 3"
                                    + HALT)
                    .run()
                    .assertExit(3)
                    .assertRegister("rbx", 42)
                    .assertExits("call", 1);
            assertEquals(List.of(0x105L), adder.calls);
        } finally {
            offered.close();
        }
    }

    @Test
    void aHypercallThatNobodyServesIsAnInvalidInstruction(TestVm vm) throws Exception {
        vm.assembly("mov $0x105, %eax\n lidt none\n vmmcall\n exit 1\nnone: .word 0\n .quad 0")
                .run()
                .assertStatus(4)
                .assertExits("call", 1);
    }
}
