package ${package};

import org.alcazar.testkit.HotSwapContractTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType;
import org.junit.jupiter.api.AfterEach;

/** A new version of the bundle takes over under a running guest, and the old one goes for good. */
class ${className}HotSwapTest extends HotSwapContractTest {
    /** a = 1; prints it, and again, as it is not 0. */
    private static final byte[] FOR_EVER = {1, 1, 3, (byte) 0x80, 5, -4};

    private final Hook machine;
    private final Hook loader;

    ${className}HotSwapTest(TestFramework framework) {
        machine = framework.offer(PlatformType.class, new TestMachine());
        loader = framework.offer(GuestLoader.class, new TestMachine.Loader());
    }

    @AfterEach
    void takeBack() {
        loader.close();
        machine.close();
    }

    @Override
    protected String bundle() {
        return "${artifactId}";
    }

    @Override
    protected TestVm machine(TestVm vm) {
        return vm.platform("test-machine")
                .set("engine", "${type}")
                .image(FOR_EVER)
                .set("loader", "test-loader");
    }
}
