package ${package};

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;

import java.util.Map;

/** The bundle in a VM, with a guest that uses the device. */
@AlcazarTest
class ${className}GuestTest {
    @Test
    void aGuestAddsUp(TestVm vm) throws Exception {
        String guest =
                """
                mov     $0x700, %edx
                mov     $40, %eax
                out     %eax, %dx
                mov     $2, %eax
                out     %eax, %dx
                in      %dx, %eax
                mov     %eax, %ebx
                exit    1
                1: hlt
                jmp     1b
                """;
        vm.device("${type}", Map.of("base", 0x700))
                .assembly(guest)
                .run()
                .assertExit(1)
                .assertRegister("rbx", 42);
    }
}
