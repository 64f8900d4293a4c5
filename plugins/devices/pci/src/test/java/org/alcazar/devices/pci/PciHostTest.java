package org.alcazar.devices.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.Width;
import org.alcazar.testkit.device.ArrayMemory;
import org.alcazar.vmm.Counter;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.Random;

class PciHostTest {
    private final boolean[] global = new boolean[4];
    private final boolean[] isa = new boolean[16];
    private final InterruptRoutes routes = new InterruptRoutes(lines(global), lines(isa));
    private final Counter absent = new Counter();
    private int resets;
    private final PciHost host = new PciHost(routes, () -> resets++, new ArrayMemory(4096), absent);

    private static InterruptLine[] lines(boolean[] levels) {
        InterruptLine[] lines = new InterruptLine[levels.length];
        for (int i = 0; i < lines.length; i++) {
            int at = i;
            lines[i] = level -> levels[at] = level;
        }
        return lines;
    }

    private void select(int device, int function, int register) {
        host.write(0, Width.DWORD, 0x8000_0000L | device << 11 | function << 8 | register);
    }

    private long config(int device, int register, Width width) {
        select(device, 0, register & 0xfc);
        return host.read(4 + (register & 3), width);
    }

    @Test
    void bridgesAnswerWithTheirIds() {
        assertEquals(0x1237_8086, config(0, 0, Width.DWORD));
        assertEquals(0x7000, config(1, 2, Width.WORD));
        assertEquals(0x0601, config(1, 0x0a, Width.WORD));
    }

    @Test
    void whatIsNotThereReadsAllOnes() {
        assertEquals(0xffff_ffffL, config(5, 0, Width.DWORD));
        assertEquals(0xff, config(5, 0, Width.BYTE));
        assertEquals(2, absent.value());
    }

    @Test
    void withoutEnableThereIsNoConfigurationSpace() {
        host.write(0, Width.DWORD, 0);
        assertEquals(0xffff_ffffL, host.read(4, Width.DWORD));
    }

    @Test
    void idsAreReadOnlyAndTheInterruptLineIsNot() {
        select(0, 0, 0);
        host.write(4, Width.DWORD, 0);
        assertEquals(0x1237_8086, config(0, 0, Width.DWORD));
        select(1, 0, 0x3c);
        host.write(4, Width.BYTE, 0x0b);
        assertEquals(0x0b, config(1, 0x3c, Width.BYTE));
    }

    @Test
    void theResetRegisterResetsWhenItsBitRises() {
        host.write(1, Width.BYTE, 2);
        assertEquals(0, resets);
        host.write(1, Width.BYTE, 6);
        assertEquals(1, resets);
    }

    @Test
    void wiresAreSharedAndSwizzled() {
        InterruptLine a = routes.wire(3, 0);
        InterruptLine b = routes.wire(7, 0);
        a.raise();
        b.raise();
        assertEquals("[false, false, false, true]", Arrays.toString(global));
        a.lower();
        assertEquals(true, global[3]);
        b.lower();
        assertEquals(false, global[3]);
    }

    @Test
    void pirqRegistersRouteToThePic() {
        routes.wire(2, 0).raise();
        select(1, 0, 0x60);
        host.write(4 + 2, Width.BYTE, 11);
        assertEquals(true, isa[11]);
        host.write(4 + 2, Width.BYTE, 10);
        assertEquals(false, isa[11]);
        assertEquals(true, isa[10]);
        host.write(4 + 2, Width.BYTE, 0x80);
        assertEquals(false, isa[10]);
    }

    @Test
    void stateComesBack() {
        select(1, 0, 0x60);
        host.write(4, Width.BYTE, 9);
        PciHost other = new PciHost(routes, () -> {}, new ArrayMemory(4096), absent);
        other.restore(host.save());
        assertEquals(host.save(), other.save());
        assertEquals(9, other.read(4, Width.BYTE));
    }

    @Test
    void anyAccessIsHarmless() {
        Random random = new Random(1);
        for (int i = 0; i < 200_000; i++) {
            Width width = Width.of(1 << random.nextInt(4));
            long offset = random.nextInt(PciHost.PORTS);
            if (random.nextBoolean()) {
                assertEquals(0, host.read(offset, width) & ~width.mask());
            } else {
                host.write(offset, width, random.nextLong() & width.mask());
            }
        }
    }
}
