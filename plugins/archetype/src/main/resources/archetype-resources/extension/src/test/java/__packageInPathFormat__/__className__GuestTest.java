package ${package};

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;

import java.util.List;

/** The bundle in a VM whose guest calls it. */
@AlcazarTest
class ${className}GuestTest {
    @Test
    void aGuestGetsTheSumOfItsCalls(TestVm vm) throws Exception {
        String guest =
                """
                mov     $40, %edi
                mov     $0x4c00, %eax
                vmmcall
                mov     $2, %edi
                mov     $0x4c00, %eax
                vmmcall
                mov     %rax, %rbx
                exit    1
                1: hlt
                jmp     1b
                """;
        vm.set("extensions", List.of("${type}"))
                .assembly(guest)
                .run()
                .assertExit(1)
                .assertRegister("rbx", 42)
                .assertExits("call", 2);
    }
}
