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
        vm.device("${type}", Map.of("base", 0x700, "irq", 5))
                .c(
                        """
                        int main(void)
                        {
                            outl(0x704, 42);
                            outl(0x700, 40);
                            outl(0x700, 2);
                            return inl(0x700);
                        }
                        """)
                .run()
                .assertExit(42)
                .assertState("${type}", "sum", 42)
                .assertEdges(5, 1);
    }
}
