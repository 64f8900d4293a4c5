package ${package};

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestFramework;
import org.alcazar.testkit.TestVm;
import org.alcazar.vmm.Hook;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PlatformType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Guests of the bundle's architecture, in machine code. */
@AlcazarTest
class ${className}GuestTest {
    private static final byte[] COUNTS_DOWN = {
        1, 3, // a = 3
        2, '0', 3, (byte) 0xe9, 2, -'0', // prints it
        2, -1, 5, -10, // and goes on with one less, if that is not 0
        6, 0, 2, '!' - 1, 3, (byte) 0xe9, // prints the byte at 0 and 32
        1, 21, 3, (byte) 0xf4, // exit 21
        0, 0
    };

    private final Hook machine;
    private final Hook loader;

    ${className}GuestTest(TestFramework framework) {
        machine = framework.offer(PlatformType.class, new TestMachine());
        loader = framework.offer(GuestLoader.class, new TestMachine.Loader());
    }

    @AfterEach
    void takeBack() {
        loader.close();
        machine.close();
    }

    private static TestVm machine(TestVm vm, byte[] code) {
        return vm.platform("test-machine")
                .set("engine", "${type}")
                .image(code)
                .set("loader", "test-loader");
    }

    @Test
    void aGuestCountsDown(TestVm vm) throws Exception {
        machine(vm, COUNTS_DOWN).run().assertExit(21).assertConsole("321!");
    }

    @Test
    void codeThatIsNoInstructionEndsTheGuest(TestVm vm) throws Exception {
        machine(vm, new byte[] {7, 0}).run().assertStatus(4);
    }

    @Test
    void memoryThatIsNotThereReadsAsAllOnes(TestVm vm) throws Exception {
        machine(vm, new byte[] {6, (byte) 0xff, 3, (byte) 0xf4, 0, 0})
                .set("memory", "4M")
                .run()
                .assertStatus(255);
    }
}
