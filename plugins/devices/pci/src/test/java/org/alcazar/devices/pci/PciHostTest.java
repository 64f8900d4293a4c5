package org.alcazar.devices.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.devices.pci.api.Bar;
import org.alcazar.devices.pci.api.ConfigSpace;
import org.alcazar.devices.pci.api.Msix;
import org.alcazar.devices.pci.api.PciSlot;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.testkit.device.ArrayMemory;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.Hook;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntConsumer;

class PciHostTest {
    private final boolean[] global = new boolean[4];
    private final boolean[] isa = new boolean[16];
    private final InterruptRoutes routes = new InterruptRoutes(lines(global), lines(isa));
    private final Counter absent = new Counter();
    private final ArrayMemory memory = new ArrayMemory(4096);
    private int resets;
    private final PciHost host = new PciHost(routes, () -> resets++, memory, absent);

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

    /** A function with a window of each kind and a pin, at 00:03.0. */
    private PciSlot function(FakeDeviceContext context, ConfigSpace config) throws Exception {
        BusDevice registers = new Msix(config, 1, 2, (address, data) -> {});
        config.addBar(new Bar(0, Bar.Kind.IO, 32, registers));
        config.addBar(new Bar(2, Bar.Kind.MEMORY_64, 0x1_0000, registers));
        config.usesInterrupt();
        return host.attach(context, 3, 0, config);
    }

    @Test
    void functionsHaveWindowsAndInterruptsAsFirmwareWouldGiveThem() throws Exception {
        FakeDeviceContext context = new FakeDeviceContext(1);
        PciSlot slot = function(context, new ConfigSpace(1, 2, 3, 4));
        host.reset();
        assertEquals(0xc001, config(3, 0x10, Width.DWORD));
        assertEquals(0xc000_0000L, config(3, 0x14, Width.DWORD));
        assertEquals(0xc001_0004L, config(3, 0x18, Width.DWORD));
        assertEquals(3, context.windows().size());
        assertEquals(11, config(3, 0x3c, Width.BYTE));
        assertEquals(11, config(1, 0x63, Width.BYTE));
        slot.interrupt().raise();
        assertTrue(isa[11] && global[3]);
        slot.close();
        assertFalse(isa[11] || global[3]);
        assertEquals(0, context.windows().size());
    }

    @Test
    void aPinIsDrivenAsCommandSaysAndStatusTells() throws Exception {
        PciSlot slot = function(new FakeDeviceContext(1), new ConfigSpace(1, 2, 3, 4));
        slot.interrupt().raise();
        assertTrue(global[3]);
        assertEquals(1 << 3, config(3, 6, Width.WORD) & 1 << 3);
        assertEquals(1 << 19, config(3, 4, Width.DWORD) & 1 << 19);
        select(3, 0, 4);
        host.write(4, Width.WORD, 1 << 10);
        assertFalse(global[3]);
        assertEquals(1 << 3, config(3, 6, Width.WORD) & 1 << 3, "it still would");
    }

    @Test
    void messagesReachTheLocalApicsAndOthersMemory() throws Exception {
        List<String> sent = new ArrayList<>();
        host.connect(
                new ApicBus() {
                    @Override
                    public void deliver(
                            int to, boolean logical, int mode, int vector, boolean level) {
                        sent.add("%d %b %d %d %b".formatted(to, logical, mode, vector, level));
                    }

                    @Override
                    public Hook addEndOfInterrupt(IntConsumer listener) {
                        return () -> {};
                    }
                });
        PciSlot slot = function(new FakeDeviceContext(1), new ConfigSpace(1, 2, 3, 4));
        slot.message(0xfee0_3000L, 0x45);
        assertEquals(List.of(), sent, "it is no bus master");
        select(3, 0, 4);
        host.write(4, Width.WORD, ConfigSpace.BUS_MASTER);
        slot.message(0xfee0_3000L, 0x45);
        slot.message(0xfee0_300cL, 0x45);
        slot.message(0xfee0_1004L, 0x8046);
        slot.message(0xfeff_0000L, 0x400);
        slot.message(0x100, 0x1234_5678);
        assertEquals(List.of("3 false 0 69 false", "3 true 1 69 false", "1 true 0 70 true"), sent);
        assertEquals(0x1234_5678, memory.readInt(0x100));
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
