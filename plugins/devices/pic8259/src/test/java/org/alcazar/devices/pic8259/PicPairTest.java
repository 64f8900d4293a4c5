package org.alcazar.devices.pic8259;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.ByteDevice;
import org.alcazar.machine.SavedState;
import org.alcazar.testkit.device.DeviceChecks;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.testkit.device.RecordingLine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PicPairTest {
    private static final int COMMAND = 0, DATA = 1;
    private static final int MASTER_BASE = 0x20, SLAVE_BASE = 0x28;
    private static final int EOI = 0x20, READ_IRR = 0x0a, READ_ISR = 0x0b;

    private final PicPair pics = new PicPair(0x0e00);
    private final ByteDevice master = pics.ports(false);
    private final ByteDevice slave = pics.ports(true);
    private final RecordingLine cpu = new RecordingLine();

    @BeforeEach
    void initialise() {
        pics.addOutput(cpu);
        initialise(master, MASTER_BASE, 4, 1);
        initialise(slave, SLAVE_BASE, 2, 1);
    }

    private static void initialise(ByteDevice pic, int base, int icw3, int icw4) {
        pic.writeByte(COMMAND, 0x11);
        pic.writeByte(DATA, base);
        pic.writeByte(DATA, icw3);
        pic.writeByte(DATA, icw4);
    }

    private void raise(int irq) {
        pics.input(irq).set(true);
    }

    private void lower(int irq) {
        pics.input(irq).set(false);
    }

    private int isr(ByteDevice pic) {
        pic.writeByte(COMMAND, READ_ISR);
        return pic.readByte(COMMAND);
    }

    private int irr(ByteDevice pic) {
        pic.writeByte(COMMAND, READ_IRR);
        return pic.readByte(COMMAND);
    }

    @Test
    void aFloatErrorIsInterrupt13UntilPortF0IsWrittenAndIgnoredUntilItIsGone() {
        ByteDevice port = pics.floatErrorPort();
        port.writeByte(0, 0);
        assertFalse(pics.floatError(true));
        assertTrue(cpu.level());
        assertEquals(SLAVE_BASE + 5, pics.acknowledge());
        port.writeByte(0, 0);
        assertTrue(pics.floatError(true));
        SavedState state = pics.save();
        pics.reset();
        initialise(master, MASTER_BASE, 4, 1);
        initialise(slave, SLAVE_BASE, 2, 1);
        pics.restore(state);
        assertTrue(pics.floatError(true));
        assertTrue(pics.floatError(false));
        slave.writeByte(COMMAND, EOI);
        master.writeByte(COMMAND, EOI);
        assertFalse(pics.floatError(true));
        assertTrue(cpu.level());
    }

    @Test
    void aRequestReachesTheCpuWithItsVectorAndBlocksLowerOnesUntilItsEnd() {
        raise(3);
        assertTrue(cpu.level());
        assertEquals(MASTER_BASE + 3, pics.acknowledge());
        assertFalse(cpu.level());
        assertEquals(1 << 3, isr(master));
        raise(5);
        assertFalse(cpu.level());
        raise(1);
        assertEquals(MASTER_BASE + 1, pics.acknowledge());
        master.writeByte(COMMAND, EOI);
        assertEquals(1 << 3, isr(master));
        master.writeByte(COMMAND, EOI);
        assertEquals(MASTER_BASE + 5, pics.acknowledge());
    }

    @Test
    void theSlavesRequestComesThroughTheCascade() {
        raise(12);
        assertEquals(SLAVE_BASE + 4, pics.acknowledge());
        assertEquals(1 << 2, isr(master));
        assertEquals(1 << 4, isr(slave));
        raise(14); // lower than 12: waits
        slave.writeByte(COMMAND, EOI);
        master.writeByte(COMMAND, EOI);
        assertEquals(SLAVE_BASE + 6, pics.acknowledge());
    }

    @Test
    void aMaskedRequestWaitsAndIsSeenInIrr() {
        master.writeByte(DATA, 0x10);
        raise(4);
        assertFalse(cpu.level());
        assertEquals(0x10, irr(master));
        assertEquals(0x10, master.readByte(DATA));
        master.writeByte(DATA, 0);
        assertTrue(cpu.level());
    }

    @Test
    void anEdgeInterruptNeedsANewEdge() {
        raise(4);
        pics.acknowledge();
        master.writeByte(COMMAND, EOI);
        assertFalse(cpu.level());
        lower(4);
        raise(4);
        assertTrue(cpu.level());
    }

    @Test
    void aNewEdgeOfAServedInterruptWaitsForTheEnd() {
        raise(4);
        pics.acknowledge();
        lower(4);
        raise(4);
        assertFalse(cpu.level());
        master.writeByte(COMMAND, EOI);
        assertTrue(cpu.level());
    }

    @Test
    void aMoreUrgentSlaveRequestDuringAnAcknowledgeIsNotLost() {
        raise(12);
        raise(10);
        assertEquals(SLAVE_BASE + 2, pics.acknowledge());
        lower(10);
        slave.writeByte(COMMAND, EOI);
        master.writeByte(COMMAND, EOI);
        assertEquals(SLAVE_BASE + 4, pics.acknowledge());
    }

    @Test
    void aSlaveThatStillRequestsAfterAnAcknowledgeIsNotLost() {
        initialise(slave, SLAVE_BASE, 2, 3); // ends by itself
        raise(12);
        raise(8);
        assertEquals(SLAVE_BASE, pics.acknowledge());
        master.writeByte(COMMAND, EOI);
        assertEquals(SLAVE_BASE + 4, pics.acknowledge());
    }

    @Test
    void aLevelInterruptComesAgainWhileItsLineStands() {
        raise(9); // level triggered by the initial ELCR
        assertEquals(SLAVE_BASE + 1, pics.acknowledge());
        slave.writeByte(COMMAND, EOI);
        master.writeByte(COMMAND, EOI);
        assertEquals(SLAVE_BASE + 1, pics.acknowledge());
        lower(9);
        slave.writeByte(COMMAND, EOI);
        master.writeByte(COMMAND, EOI);
        assertFalse(cpu.level());
    }

    @Test
    void elcrKeepsTheSystemInterruptsEdgeTriggered() {
        ByteDevice elcr = pics.edgeLevelControl();
        elcr.writeByte(0, 0xff);
        elcr.writeByte(1, 0xff);
        assertEquals(0xf8, elcr.readByte(0));
        assertEquals(0xde, elcr.readByte(1));
    }

    @Test
    void aRequestThatGoesAwayLeavesTheSpuriousVector() {
        raise(4);
        lower(4);
        assertEquals(MASTER_BASE + 7, pics.acknowledge());
        assertEquals(0, isr(master));
        raise(12);
        slave.writeByte(DATA, 0xff);
        assertFalse(cpu.level());
    }

    @Test
    void automaticEndOfInterruptLeavesNothingInService() {
        initialise(master, MASTER_BASE, 4, 3);
        raise(6);
        assertEquals(MASTER_BASE + 6, pics.acknowledge());
        assertEquals(0, isr(master));
    }

    @Test
    void rotationOnEndMakesTheServedLevelTheLowest() {
        raise(3);
        pics.acknowledge();
        master.writeByte(COMMAND, 0xa0);
        lower(3);
        raise(3);
        raise(5);
        assertEquals(MASTER_BASE + 5, pics.acknowledge());
    }

    @Test
    void setPriorityNamesTheLowestLevel() {
        master.writeByte(COMMAND, 0xc0 | 4);
        raise(4);
        raise(5);
        assertEquals(MASTER_BASE + 5, pics.acknowledge());
    }

    @Test
    void aSpecificEndClearsThatLevel() {
        raise(5);
        pics.acknowledge();
        raise(1);
        pics.acknowledge();
        master.writeByte(COMMAND, 0x60 | 5);
        assertEquals(1 << 1, isr(master));
    }

    @Test
    void specialMaskModeLetsLowerOnesPastAMaskedService() {
        raise(3);
        pics.acknowledge();
        raise(6);
        assertFalse(cpu.level());
        master.writeByte(DATA, 1 << 3);
        master.writeByte(COMMAND, 0x68);
        assertEquals(MASTER_BASE + 6, pics.acknowledge());
        master.writeByte(COMMAND, 0x48);
        assertEquals(1 << 3 | 1 << 6, isr(master));
    }

    @Test
    void specialFullyNestedModeLetsAHigherSlaveRequestThrough() {
        initialise(master, MASTER_BASE, 4, 0x11);
        raise(14);
        assertEquals(SLAVE_BASE + 6, pics.acknowledge());
        raise(8);
        assertEquals(SLAVE_BASE, pics.acknowledge());
    }

    @Test
    void aPollAcknowledges() {
        raise(4);
        master.writeByte(COMMAND, 0x0c);
        assertEquals(0x84, master.readByte(COMMAND));
        assertEquals(1 << 4, isr(master));
        master.writeByte(COMMAND, 0x0c);
        assertEquals(0, master.readByte(COMMAND));
    }

    @Test
    void initialisationForgetsEdgesAndUnmasks() {
        master.writeByte(DATA, 0xff);
        raise(4);
        initialise(master, MASTER_BASE, 4, 1);
        assertEquals(0, master.readByte(DATA));
        assertFalse(cpu.level());
    }

    @Test
    void afterAResetTheMaskCanBeReadBackAndNothingInterrupts() {
        pics.reset();
        master.writeByte(DATA, 0xfb);
        assertEquals(0xfb, master.readByte(DATA));
        master.writeByte(DATA, 0);
        raise(4);
        assertFalse(cpu.level());
    }

    @Test
    void savedStateComesBackWithItsOutput() {
        master.writeByte(COMMAND, 0xc0 | 2);
        raise(5);
        pics.acknowledge();
        raise(14);
        raise(3);
        PicPair other = new PicPair(0);
        RecordingLine wire = new RecordingLine();
        other.addOutput(wire);
        DeviceChecks.savesWhatItRestored(pics, other);
        assertEquals(cpu.level(), wire.level());
        assertEquals(pics.acknowledge(), other.acknowledge());
    }

    @Test
    void anyGuestIsHarmless() {
        ManualClock clock = new ManualClock();
        for (int seed = 0; seed < 5; seed++) {
            DeviceChecks.anyAccessIsHarmless(master, 2, clock, seed);
            raise(seed);
            DeviceChecks.anyAccessIsHarmless(slave, 2, clock, seed);
            raise(8 + seed);
            DeviceChecks.anyAccessIsHarmless(pics.edgeLevelControl(), 2, clock, seed);
            pics.acknowledge();
            SavedState state = DeviceChecks.savesWhatItRestored(pics, new PicPair(0));
            assertEquals("pic8259", state.type());
        }
    }
}
