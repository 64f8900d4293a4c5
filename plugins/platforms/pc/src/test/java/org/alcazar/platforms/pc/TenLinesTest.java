package org.alcazar.platforms.pc;

import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;

/** What a bundle-level test takes: ten lines. */
@AlcazarTest
class TenLinesTest {
    @Test
    void theClocksBatteryIsGood(TestVm vm) throws Exception {
        vm.platform("pc")
                .c("int main(void) { outb(0x70, 0x0d); return inb(0x71) >> 7; }")
                .run()
                .assertExit(1);
    }
}
