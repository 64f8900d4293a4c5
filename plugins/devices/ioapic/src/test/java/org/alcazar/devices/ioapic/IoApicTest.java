package org.alcazar.devices.ioapic;

import static org.alcazar.devices.ioapic.IoApic.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.testkit.device.DeviceChecks;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.Hook;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

class IoApicTest {
    private record Message(int destination, boolean logical, int mode, int vector, boolean level) {}

    private final List<Message> messages = new ArrayList<>();
    private final ApicBus bus =
            new ApicBus() {
                @Override
                public void deliver(
                        int destination, boolean logical, int mode, int vector, boolean level) {
                    messages.add(new Message(destination, logical, mode, vector, level));
                }

                @Override
                public Hook addEndOfInterrupt(IntConsumer listener) {
                    return () -> {};
                }
            };
    private final Counter ignored = new Counter();
    private final IoApic ioApic = new IoApic(3, ignored);

    IoApicTest() {
        ioApic.connect(bus);
    }

    private int read(int register) {
        ioApic.write(IOREGSEL, Width.DWORD, register);
        return (int) ioApic.read(IOWIN, Width.DWORD);
    }

    private void write(int register, int value) {
        ioApic.write(IOREGSEL, Width.DWORD, register);
        ioApic.write(IOWIN, Width.DWORD, value & 0xffff_ffffL);
    }

    private void entry(int pin, int destination, int low) {
        write(IOREDTBL + 2 * pin + 1, destination << 24);
        write(IOREDTBL + 2 * pin, low);
    }

    private int low(int pin) {
        return read(IOREDTBL + 2 * pin);
    }

    @Test
    void idVersionAndMaskedEntriesAreThereAfterAReset() {
        assertEquals(3 << 24, read(IOAPICID));
        assertEquals(0x0017_0020, read(IOAPICVER));
        for (int pin = 0; pin < PINS; pin++) {
            assertEquals(MASK, low(pin));
        }
        write(IOAPICID, 0x0f << 24);
        assertEquals(0x0f << 24, read(IOAPICID));
    }

    @Test
    void anEdgeSendsOneMessage() {
        entry(4, 1, 0x31);
        ioApic.pin(4).set(true);
        ioApic.pin(4).set(true);
        assertEquals(List.of(new Message(1, false, ApicBus.FIXED, 0x31, false)), messages);
        ioApic.pin(4).set(false);
        ioApic.pin(4).set(true);
        assertEquals(2, messages.size());
    }

    @Test
    void anEdgeAtAMaskedPinIsLost() {
        entry(4, 0, MASK | 0x31);
        ioApic.pin(4).set(true);
        entry(4, 0, 0x31);
        assertEquals(0, messages.size());
    }

    @Test
    void aLevelIsSentOnceUntilItsEnd() {
        entry(9, 0xff, LEVEL | LOGICAL | ApicBus.LOWEST_PRIORITY << MODE_SHIFT | 0x41);
        ioApic.pin(9).set(true);
        assertEquals(
                List.of(new Message(0xff, true, ApicBus.LOWEST_PRIORITY, 0x41, true)), messages);
        assertEquals(REMOTE_IRR, low(9) & REMOTE_IRR);
        ioApic.endOfInterrupt(0x41);
        assertEquals(2, messages.size());
        ioApic.pin(9).set(false);
        ioApic.endOfInterrupt(0x41);
        assertEquals(0, low(9) & REMOTE_IRR);
        assertEquals(2, messages.size());
    }

    @Test
    void aLevelAtAMaskedPinIsSentWhenItIsUnmasked() {
        entry(9, 0, MASK | LEVEL | 0x41);
        ioApic.pin(9).set(true);
        assertEquals(0, messages.size());
        entry(9, 0, LEVEL | 0x41);
        assertEquals(1, messages.size());
    }

    @Test
    void theEndOfAnotherVectorChangesNothing() {
        entry(9, 0, LEVEL | 0x41);
        ioApic.pin(9).set(true);
        ioApic.endOfInterrupt(0x42);
        assertEquals(1, messages.size());
    }

    @Test
    void theEoiRegisterEndsAnInterruptToo() {
        entry(9, 0, LEVEL | 0x41);
        ioApic.pin(9).set(true);
        ioApic.pin(9).set(false);
        ioApic.write(IOEOI, Width.DWORD, 0x41);
        assertEquals(0, low(9) & REMOTE_IRR);
    }

    @Test
    void anEdgeTriggeredEntryHasNoRemoteIrr() {
        entry(9, 0, LEVEL | 0x41);
        ioApic.pin(9).set(true);
        write(IOREDTBL + 18, MASK | 0x41);
        write(IOREDTBL + 18, MASK | LEVEL | 0x41);
        assertEquals(MASK | LEVEL | 0x41, low(9));
    }

    @Test
    void readOnlyBitsCannotBeWritten() {
        entry(5, 0, -1);
        assertEquals(0x0001_afff, low(5));
    }

    @Test
    void aNarrowWriteToTheDataRegisterIsIgnoredAndCounted() {
        ioApic.write(IOREGSEL, Width.BYTE, IOREDTBL);
        ioApic.write(IOWIN, Width.BYTE, 0);
        assertEquals(MASK, low(0));
        assertEquals(1, ignored.value());
    }

    @Test
    void savedStateComesBack() {
        entry(9, 1, LEVEL | 0x41);
        ioApic.pin(9).set(true);
        ioApic.pin(3).set(true);
        IoApic other = new IoApic(0, ignored);
        other.connect(bus);
        DeviceChecks.savesWhatItRestored(ioApic, other);
        messages.clear();
        other.endOfInterrupt(0x41);
        assertEquals(List.of(new Message(1, false, ApicBus.FIXED, 0x41, true)), messages);
    }

    @Test
    void anyGuestIsHarmless() {
        ManualClock clock = new ManualClock();
        for (int seed = 0; seed < 5; seed++) {
            DeviceChecks.anyAccessIsHarmless(ioApic, 0x48, clock, seed);
            ioApic.pin(seed).set(true);
            DeviceChecks.savesWhatItRestored(ioApic, new IoApic(0, ignored));
        }
    }
}
