package ${package};

import org.alcazar.testkit.HotSwapContractTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.plugin.DeviceType;
import org.junit.jupiter.api.AfterEach;

import java.util.Map;

/** A new version of the bundle takes over under a running guest, and the old one goes for good. */
class ${className}HotSwapTest extends HotSwapContractTest {
    private final Hook device;

    ${className}HotSwapTest(TestFramework framework) {
        device = framework.offer(DeviceType.class, new PortDevice());
    }

    @AfterEach
    void takeBack() {
        device.close();
    }

    @Override
    protected String bundle() {
        return "${artifactId}";
    }

    @Override
    protected TestVm machine(TestVm vm) {
        return vm.device("test-port", Map.of("backend", "${type}:upper"))
                .assembly("1: mov $'a', %al\n out %al, $0x90\n in $0x90, %al\n jmp 1b");
    }
}
