package ${package};

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.plugin.DeviceType;
import org.junit.jupiter.api.Test;

import java.util.Map;

/** The bundle behind a device of a VM. */
@AlcazarTest
class ${className}GuestTest {
    private static final String GUEST =
            """
            mov     $'a', %al
            out     %al, $0x90
            1: in   $0x90, %al
            test    %al, %al
            jz      1b
            out     %al, $0xe9
            exit    1
            2: hlt
            jmp     2b
            """;

    @Test
    void whatAGuestWritesComesBackInCapitals(TestFramework framework, TestVm vm) throws Exception {
        try (Hook offered = framework.offer(DeviceType.class, new PortDevice())) {
            vm.device("test-port", Map.of("backend", "${type}:upper"))
                    .assembly(GUEST)
                    .run()
                    .assertExit(1)
                    .assertConsole("A");
        }
    }
}
