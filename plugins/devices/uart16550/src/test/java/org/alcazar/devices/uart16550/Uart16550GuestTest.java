package org.alcazar.devices.uart16550;

import org.alcazar.host.HostRefusal;
import org.alcazar.testkit.AlcazarTest;
import org.alcazar.testkit.TestVm;
import org.junit.jupiter.api.Test;

import java.util.Map;

/** The bundle in the real framework and VMM, under a real guest. */
@AlcazarTest
class Uart16550GuestTest {
    @Test
    void aGuestReadsBackWhatItSendsInLoopback(TestVm vm) throws HostRefusal {
        vm.device("uart16550", Map.of("name", "com1", "backend", "none"))
                .assembly(
                        """
                                mov     $0x3fc, %dx             # MCR: loopback
                                mov     $0x10, %al
                                out     %al, %dx
                                mov     $0x3f8, %dx             # THR
                                mov     $'k', %al
                                out     %al, %dx
                                mov     $0x3fd, %dx             # LSR: data ready
                        1:      in      %dx, %al
                                test    $1, %al
                                jz      1b
                                mov     $0x3f8, %dx             # RBR
                                in      %dx, %al
                                out     %al, $0xe9
                                exit    0x10
                        """)
                .run()
                .assertExit(0x10)
                .assertConsole("k");
    }

    @Test
    void twoPortsAreTwoDevices(TestVm vm) throws HostRefusal {
        vm.device("uart16550", Map.of("name", "com1", "backend", "none"))
                .device(
                        "uart16550",
                        Map.of("name", "com2", "base", "0x2f8", "irq", 3, "backend", "none"))
                .assembly(
                        """
                                mov     $0x3ff, %dx             # SCR of the first
                                mov     $'a', %al
                                out     %al, %dx
                                mov     $0x2ff, %dx             # SCR of the second
                                mov     $'b', %al
                                out     %al, %dx
                                mov     $0x3ff, %dx
                                in      %dx, %al
                                out     %al, $0xe9
                                mov     $0x2ff, %dx
                                in      %dx, %al
                                out     %al, $0xe9
                                exit    1
                        """)
                .run()
                .assertExit(1)
                .assertConsole("ab");
    }
}
