package ${package};

import org.alcazar.testkit.HotSwapContractTest;
import org.alcazar.testkit.TestVm;

import java.util.Map;

/** A new version of the bundle takes over under a running guest, and the old one goes for good. */
class ${className}HotSwapTest extends HotSwapContractTest {
    @Override
    protected String bundle() {
        return "${artifactId}";
    }

    @Override
    protected TestVm machine(TestVm vm) {
        return vm.device("${type}", Map.of("base", 0x700))
                .c("int main(void) { for (int i = 0;; i++) outl(0x700, i); }");
    }
}
