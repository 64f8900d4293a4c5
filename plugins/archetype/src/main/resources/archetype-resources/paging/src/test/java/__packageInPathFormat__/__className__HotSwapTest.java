package ${package};

import org.alcazar.testkit.HotSwapContractTest;
import org.alcazar.testkit.TestVm;

/** A new version of the bundle takes over under a running guest, and the old one goes for good. */
class ${className}HotSwapTest extends HotSwapContractTest {
    @Override
    protected String bundle() {
        return "${artifactId}";
    }

    @Override
    protected TestVm machine(TestVm vm) {
        return vm.set("paging", "${type}")
                .assembly("mov $0x200000, %edi\n 1: incq (%rdi)\n out %al, $0x80\n jmp 1b");
    }
}
