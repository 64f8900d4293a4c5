package org.alcazar.devices.virtio.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.devices.pci.api.Bar;
import org.alcazar.devices.pci.api.ConfigSpace;
import org.alcazar.machine.BusDevice;
import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Width;
import org.alcazar.testkit.device.ArrayMemory;
import org.alcazar.testkit.device.FakeDeviceContext;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.junit.jupiter.api.Test;

import java.util.List;

/** A driver, written from the specification, at a device that inverts what it is given. */
class VirtioPciTest {
    private static final int COMMON = 1, NOTIFY = 2, ISR = 3, DEVICE = 4, PCI = 5;
    private static final int ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8;
    private static final int NEEDS_RESET = 64;
    private static final long VERSION_1 = 1L << 32, EVENT_IDX = 1L << 29, INDIRECT = 1L << 28;
    private static final int NEXT = 1, WRITE = 2, INDIRECT_FLAG = 4;

    /** Where the driver has its queues and buffers. */
    private static final long TABLE = 0x1000, AVAILABLE = 0x2000, USED = 0x3000, DATA = 0x4000;

    private final FakeDeviceContext context = new FakeDeviceContext(1);
    private final ArrayMemory memory = context.memory();
    private TestBus bus = new TestBus();
    private VirtioPci device = make(bus);
    private int available;

    private VirtioPci make(TestBus on) {
        VirtioPci made = new VirtioPci(context, Echo.KIND, 3, Echo::new);
        try {
            made.connect(on);
        } catch (ConfigurationException e) {
            throw new AssertionError(e);
        }
        made.reset();
        on.config().write(ConfigSpace.COMMAND, Width.WORD, 6);
        return made;
    }

    // What a driver finds

    /** Offset of the capability of a type. */
    private int capability(int type) {
        ConfigSpace config = bus.config();
        int at = (int) config.read(ConfigSpace.CAPABILITIES, Width.BYTE);
        while (at != 0) {
            if (config.read(at, Width.BYTE) == 9 && config.read(at + 3, Width.BYTE) == type) {
                return at;
            }
            at = (int) config.read(at + 1, Width.BYTE);
        }
        throw new AssertionError("no capability of type " + type);
    }

    private long at(int type) {
        return bus.config().read(capability(type) + 8, Width.DWORD);
    }

    private BusDevice window() {
        return bus.bar((int) bus.config().read(capability(COMMON) + 4, Width.BYTE)).registers();
    }

    private long get(int offset, Width width) {
        return window().read(at(COMMON) + offset, width);
    }

    private void set(int offset, Width width, long value) {
        window().write(at(COMMON) + offset, width, value);
    }

    private int status() {
        return (int) get(0x14, Width.BYTE);
    }

    private boolean agree(long features) {
        set(0x14, Width.BYTE, 0);
        set(0x14, Width.BYTE, ACKNOWLEDGE | DRIVER);
        for (int half = 0; half < 2; half++) {
            set(0x08, Width.DWORD, half);
            set(0x0c, Width.DWORD, features >>> 32 * half & 0xffff_ffffL);
        }
        set(0x14, Width.BYTE, ACKNOWLEDGE | DRIVER | FEATURES_OK);
        return (status() & FEATURES_OK) != 0;
    }

    private void begin(long features) {
        assertTrue(agree(features | VERSION_1));
        set(0x16, Width.WORD, 0);
        assertEquals(8, get(0x18, Width.WORD));
        set(0x20, Width.QWORD, TABLE);
        set(0x28, Width.DWORD, AVAILABLE);
        set(0x2c, Width.DWORD, 0);
        set(0x30, Width.QWORD, USED);
        set(0x1c, Width.WORD, 1);
        set(0x14, Width.BYTE, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    }

    private void descriptor(long table, int index, long address, int bytes, int flags, int next) {
        memory.writeLong(table + 16L * index, address);
        memory.writeInt(table + 16L * index + 8, bytes);
        memory.writeShort(table + 16L * index + 12, flags);
        memory.writeShort(table + 16L * index + 14, next);
    }

    private void offer(int head) {
        memory.writeShort(AVAILABLE + 4 + 2 * (available % 8), head);
        available = available + 1 & 0xffff;
        memory.writeShort(AVAILABLE + 2, available);
    }

    private void kick(int queue) {
        set(0x16, Width.WORD, queue);
        long offset = get(0x1e, Width.WORD);
        long multiplier = bus.config().read(capability(NOTIFY) + 16, Width.DWORD);
        window().write(at(NOTIFY) + offset * multiplier, Width.WORD, queue);
    }

    private int used() {
        return memory.readShort(USED + 2);
    }

    /** Gives a number to invert and takes the answer. */
    private long invert(int head, long number) {
        memory.writeLong(DATA, number);
        descriptor(TABLE, head, DATA, 3, NEXT, head + 1);
        descriptor(TABLE, head + 1, DATA + 3, 5, NEXT, head + 2);
        descriptor(TABLE, head + 2, DATA + 0x100, 2, WRITE | NEXT, head + 3);
        descriptor(TABLE, head + 3, DATA + 0x102, 6, WRITE, 0);
        int before = used();
        offer(head);
        kick(0);
        assertEquals(before + 1 & 0xffff, used());
        long element = USED + 4 + 8 * (before % 8);
        assertEquals(head, memory.readInt(element));
        assertEquals(8, memory.readInt(element + 4));
        return memory.readLong(DATA + 0x100);
    }

    @Test
    void aDriverFindsAModernDeviceOfItsKind() {
        assertEquals(0x1af4, bus.config().read(0, Width.WORD));
        assertEquals(0x1040 + 42, bus.config().read(2, Width.WORD));
        assertTrue(bus.config().read(ConfigSpace.REVISION_ID, Width.BYTE) >= 1);
        for (int type = COMMON; type <= PCI; type++) {
            assertTrue(capability(type) >= 0x40);
        }
        assertEquals(2, get(0x12, Width.WORD));
        assertEquals(1 << 3 | INDIRECT | EVENT_IDX, get(0x04, Width.DWORD));
        set(0x00, Width.DWORD, 1);
        assertEquals(VERSION_1 >> 32, get(0x04, Width.DWORD));
        set(0x00, Width.DWORD, 2);
        assertEquals(0, get(0x04, Width.DWORD));
        set(0x16, Width.WORD, 2);
        assertEquals(0, get(0x18, Width.WORD));
    }

    @Test
    void featuresThatWereNotOfferedAreNotAgreedOnNorIsTheOldInterface() {
        assertTrue(agree(VERSION_1 | 1 << 3));
        assertFalse(agree(VERSION_1 | 1 << 4));
        assertFalse(agree(1 << 3));
        assertFalse(agree(VERSION_1 | 1L << 34));
    }

    @Test
    void requestsAreAnsweredInTheirBuffers() {
        begin(0);
        for (int i = 0; i < 70_000; i++) {
            assertEquals(~(0x1234_5678_9abcL + i), invert(i & 4, 0x1234_5678_9abcL + i));
        }
    }

    @Test
    void anIndirectTableHoldsAChainOfItsOwn() {
        begin(INDIRECT);
        memory.writeLong(DATA, 77);
        descriptor(DATA + 0x200, 0, DATA, 8, NEXT, 1);
        descriptor(DATA + 0x200, 1, DATA + 0x100, 8, WRITE, 0);
        descriptor(TABLE, 5, DATA + 0x200, 32, INDIRECT_FLAG, 0);
        offer(5);
        kick(0);
        assertEquals(1, used());
        assertEquals(5, memory.readInt(USED + 4));
        assertEquals(~77L, memory.readLong(DATA + 0x100));
    }

    @Test
    void thePinIsDrivenUntilTheStatusIsReadAndNotIfTheDriverWantsNone() {
        begin(0);
        invert(0, 1);
        assertTrue(bus.pin.level());
        assertEquals(1, window().read(at(ISR), Width.BYTE));
        assertFalse(bus.pin.level());
        assertEquals(0, window().read(at(ISR), Width.BYTE));
        memory.writeShort(AVAILABLE, 1);
        invert(0, 2);
        assertFalse(bus.pin.level());
        memory.writeShort(AVAILABLE, 0);
        bus.config().write(ConfigSpace.COMMAND, Width.WORD, 6 | ConfigSpace.INTERRUPT_DISABLE);
        invert(0, 3);
        assertFalse(bus.pin.level());
        bus.config().write(ConfigSpace.COMMAND, Width.WORD, 6);
        assertTrue(bus.pin.level());
    }

    @Test
    void withEventIndicesTheDriverHearsWhatItWaitsFor() {
        begin(EVENT_IDX);
        memory.writeShort(AVAILABLE + 4 + 2 * 8, 2); // interrupt when element 2 is used
        invert(0, 1);
        assertEquals(1, memory.readShort(USED + 4 + 8 * 8), "notify me of request 1");
        invert(4, 2);
        assertFalse(bus.pin.level());
        invert(0, 3);
        assertTrue(bus.pin.level());
        assertEquals(3, memory.readShort(USED + 4 + 8 * 8));
    }

    /** MSI-X: table entry {@code vector} gets an address and is unmasked. */
    private void enableMessages() {
        Bar table = bus.bar(2);
        for (int vector = 0; vector < 3; vector++) {
            table.registers().write(16L * vector, Width.QWORD, 0xfee0_1000L);
            table.registers().write(16L * vector + 8, Width.DWORD, 0x40 + vector);
            table.registers().write(16L * vector + 12, Width.DWORD, 0);
        }
        bus.config().write(msix() + 2, Width.WORD, 0x8000);
    }

    private int msix() {
        int at = (int) bus.config().read(ConfigSpace.CAPABILITIES, Width.BYTE);
        while (bus.config().read(at, Width.BYTE) != 0x11) {
            at = (int) bus.config().read(at + 1, Width.BYTE);
        }
        return at;
    }

    @Test
    void withMsixEachQueueHasItsMessageAndMaskedOnesPend() {
        enableMessages();
        begin(0);
        set(0x10, Width.WORD, 0);
        set(0x16, Width.WORD, 0);
        set(0x1a, Width.WORD, 2);
        assertEquals(2, get(0x1a, Width.WORD));
        invert(0, 1);
        assertEquals(List.of("fee01000=42"), bus.messages);
        assertFalse(bus.pin.level());
        device.configChanged();
        assertEquals("fee01000=40", bus.messages.getLast());
        BusDevice table = bus.bar(2).registers();
        table.write(16 * 2 + 12, Width.DWORD, 1);
        invert(0, 2);
        invert(0, 3);
        assertEquals(2, bus.messages.size());
        assertEquals(1 << 2, table.read(2048, Width.DWORD));
        table.write(16 * 2 + 12, Width.DWORD, 0);
        assertEquals(3, bus.messages.size());
        assertEquals(0, table.read(2048, Width.DWORD));
        bus.config().write(msix() + 2, Width.WORD, 0xc000); // function mask
        invert(0, 4);
        assertEquals(3, bus.messages.size());
        bus.config().write(msix() + 2, Width.WORD, 0x8000);
        assertEquals(4, bus.messages.size());
        set(0x16, Width.WORD, 0);
        set(0x1a, Width.WORD, 3);
        assertEquals(0xffff, get(0x1a, Width.WORD), "there is no vector 3");
    }

    @Test
    void aConfigurationThatChangesHasAnotherGeneration() {
        begin(0);
        long before = get(0x15, Width.BYTE);
        device.configChanged();
        assertEquals(before + 1, get(0x15, Width.BYTE));
        assertEquals(2, window().read(at(ISR), Width.BYTE));
        assertEquals(0x0605_0403L, window().read(at(DEVICE) + 2, Width.DWORD));
        window().write(at(DEVICE), Width.WORD, 0x0908);
        assertEquals(0x0403_0908L, window().read(at(DEVICE), Width.DWORD));
    }

    @Test
    void theWindowsCanBeReachedThroughConfigurationSpace() {
        int at = capability(PCI);
        ConfigSpace config = bus.config();
        config.write(at + 4, Width.BYTE, 0);
        config.write(at + 8, Width.DWORD, at(COMMON) + 0x14);
        config.write(at + 12, Width.DWORD, 1);
        config.write(at + 16, Width.BYTE, 3);
        assertEquals(3, status());
        assertEquals(3, config.read(at + 16, Width.BYTE));
        config.write(at + 4, Width.BYTE, 5);
        assertEquals(0xff, config.read(at + 16, Width.BYTE), "there is no window 5");
        config.write(at + 4, Width.BYTE, 0);
        config.write(at + 12, Width.DWORD, 8);
        assertEquals(0xff, config.read(at + 16, Width.BYTE), "8 bytes are too many");
    }

    /** What the driver does wrong at its first request. */
    private interface Mistake {
        void make();
    }

    @Test
    void aDriverThatBreaksTheRulesHasToResetTheDevice() {
        List<Mistake> mistakes =
                List.of(
                        () -> offer(8),
                        () -> {
                            descriptor(TABLE, 0, DATA, 8, NEXT, 0); // a loop
                            offer(0);
                        },
                        () -> {
                            descriptor(TABLE, 0, DATA, 8, NEXT, 8);
                            offer(0);
                        },
                        () -> {
                            descriptor(TABLE, 0, DATA, 8, WRITE | NEXT, 1);
                            descriptor(TABLE, 1, DATA, 8, 0, 0);
                            offer(0);
                        },
                        () -> {
                            descriptor(TABLE, 0, DATA, 16, INDIRECT_FLAG, 0); // not agreed on
                            offer(0);
                        },
                        () -> {
                            descriptor(TABLE, 0, DATA, -1, NEXT, 1); // more than 4 GiB
                            descriptor(TABLE, 1, DATA, -1, 0, 0);
                            offer(0);
                        },
                        () -> memory.writeShort(AVAILABLE + 2, available + 9));
        for (Mistake mistake : mistakes) {
            begin(0);
            available = 0;
            memory.writeShort(AVAILABLE + 2, 0);
            memory.writeShort(USED + 2, 0);
            mistake.make();
            kick(0);
            assertEquals(
                    NEEDS_RESET, status() & NEEDS_RESET, "mistake " + mistakes.indexOf(mistake));
            assertEquals(0, used());
            assertEquals(2, window().read(at(ISR), Width.BYTE) & 2);
            set(0x14, Width.BYTE, 0);
            begin(0);
            available = 0;
            memory.writeShort(AVAILABLE + 2, 0);
            assertEquals(~5L, invert(0, 5));
            memory.writeShort(USED + 2, 0);
        }
    }

    @Test
    void anIndirectTableInAnotherOneBreaksTheRules() {
        begin(INDIRECT);
        descriptor(DATA, 0, DATA, 16, INDIRECT_FLAG, 0);
        descriptor(TABLE, 0, DATA, 16, INDIRECT_FLAG, 0);
        offer(0);
        kick(0);
        assertEquals(NEEDS_RESET, status() & NEEDS_RESET);
    }

    @Test
    void withoutBusMasteringNothingIsTouched() {
        begin(0);
        bus.config().write(ConfigSpace.COMMAND, Width.WORD, 2);
        descriptor(TABLE, 0, DATA, 8, 0, 0);
        offer(0);
        kick(0);
        assertEquals(0, used());
        bus.config().write(ConfigSpace.COMMAND, Width.WORD, 6);
        context.clock().advance(1);
        assertEquals(1, used(), "it is done when it may be");
    }

    @Test
    void onlyAResetClearsTheStatusAndNobodyIsReadyWithoutFeatures() {
        set(0x14, Width.BYTE, ACKNOWLEDGE | DRIVER | DRIVER_OK);
        assertEquals(ACKNOWLEDGE | DRIVER, status());
        assertTrue(agree(VERSION_1));
        set(0x14, Width.BYTE, ACKNOWLEDGE);
        assertEquals(ACKNOWLEDGE | DRIVER | FEATURES_OK, status());
        set(0x14, Width.BYTE, 0);
        assertEquals(0, status());
    }

    @Test
    void aQueueThatIsInUseCanNotBeMoved() {
        begin(0);
        set(0x16, Width.WORD, 0);
        set(0x20, Width.QWORD, 0x9000);
        set(0x18, Width.WORD, 2);
        assertEquals(TABLE, get(0x20, Width.QWORD));
        assertEquals(8, get(0x18, Width.WORD));
        assertEquals(~1L, invert(0, 1));
    }

    @Test
    void aSizeThatIsNoPowerOfTwoMakesAQueueThatGivesNothing() {
        agree(VERSION_1);
        set(0x16, Width.WORD, 0);
        set(0x18, Width.WORD, 6);
        set(0x1c, Width.WORD, 1);
        set(0x14, Width.BYTE, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
        offer(0);
        kick(0);
        assertEquals(0, used());
        assertEquals(NEEDS_RESET, status() & NEEDS_RESET);
    }

    @Test
    void aDeviceGoesOnFromItsSavedState() {
        enableMessages();
        begin(EVENT_IDX);
        invert(0, 1);
        SavedState saved = device.save();
        TestBus other = new TestBus();
        VirtioPci restored = make(other);
        restored.restore(saved);
        assertEquals(saved, restored.save());
        bus = other;
        device = restored;
        assertEquals(~9L, invert(4, 9));
        assertThrows(
                IncompatibleStateException.class,
                () -> restored.restore(new SavedState("virtio-pci", 2)));
        saved.put("place", 7);
        String message =
                String.valueOf(
                        assertThrows(
                                        IncompatibleStateException.class,
                                        () -> restored.restore(saved))
                                .getMessage());
        assertTrue(message.contains("slot=7"), message);
    }
}
