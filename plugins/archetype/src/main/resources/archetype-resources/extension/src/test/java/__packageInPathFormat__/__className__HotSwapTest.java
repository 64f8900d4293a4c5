package ${package};

import org.alcazar.testkit.HotSwapContractTest;
import org.alcazar.testkit.TestVm;

import java.util.List;

/** A new version of the bundle takes over under a running guest, and the old one goes for good. */
class ${className}HotSwapTest extends HotSwapContractTest {
    @Override
    protected String bundle() {
        return "${artifactId}";
    }

    @Override
    protected TestVm machine(TestVm vm) {
        return vm.set("extensions", List.of("${type}"))
                .assembly("1: mov $1, %edi\n mov $0x4c00, %eax\n vmmcall\n jmp 1b");
    }
}
