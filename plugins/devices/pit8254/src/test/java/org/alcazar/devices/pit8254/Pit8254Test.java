package org.alcazar.devices.pit8254;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.testkit.device.DeviceChecks;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.testkit.device.RecordingLine;
import org.alcazar.vmm.Counter;
import org.alcazar.vmm.GuestClock;
import org.junit.jupiter.api.Test;

class Pit8254Test {
    private static final int CH0 = 0, CH2 = 2, CONTROL = 3;

    private final ManualClock clock = new ManualClock();
    private final RecordingLine line = new RecordingLine();
    private final Counter lost = new Counter();
    private final Pit8254 pit = new Pit8254(clock, line, lost);
    private final SystemControl port61 = new SystemControl(pit);

    Pit8254Test() {
        pit.reset();
        port61.reset();
        line.takeEdges();
    }

    private void program(int channel, int mode, int count) {
        pit.writeByte(CONTROL, channel << 6 | 0x30 | mode << 1);
        pit.writeByte(channel, count & 0xff);
        pit.writeByte(channel, count >> 8);
    }

    /** Lets the clock pass to the moment at which it has ticked so often. */
    private void ticks(long count) {
        long now = GuestClock.ticks(clock.nanos(), Pit8254.HERTZ);
        clock.advance(GuestClock.nanosOf(now + count, Pit8254.HERTZ) - clock.nanos());
    }

    private int read(int channel) {
        pit.writeByte(CONTROL, channel << 6);
        return pit.readByte(channel) | pit.readByte(channel) << 8;
    }

    private int status(int channel) {
        pit.writeByte(CONTROL, 0xe0 | 2 << channel);
        return pit.readByte(channel);
    }

    @Test
    void mode2InterruptsOncePerPeriodForEver() {
        program(CH0, 2, 1000);
        line.takeEdges();
        ticks(999);
        assertEquals(0, line.takeEdges());
        ticks(1);
        assertEquals(1, line.takeEdges());
        ticks(10_000);
        assertEquals(10, line.takeEdges());
        assertEquals(0, lost.value());
    }

    @Test
    void mode2CountsDownToOneAndReloads() {
        program(CH0, 2, 1000);
        assertEquals(1000, read(CH0));
        ticks(999);
        assertEquals(1, read(CH0));
        ticks(1);
        assertEquals(1000, read(CH0));
    }

    @Test
    void countZeroMeans65536() {
        program(CH0, 2, 0);
        line.takeEdges();
        ticks(65_535);
        assertEquals(0, line.takeEdges());
        ticks(1);
        assertEquals(1, line.takeEdges());
    }

    @Test
    void ticksThatAreMissedMergeAndDoNotShiftTheOthers() {
        program(CH0, 2, 1000);
        line.takeEdges();
        clock.jump(GuestClock.nanosOf(3500, Pit8254.HERTZ));
        assertEquals(1, line.takeEdges());
        assertEquals(2, lost.value());
        ticks(500);
        assertEquals(1, line.takeEdges());
    }

    @Test
    void onlyOneTimerIsArmed() {
        program(CH0, 2, 1000);
        program(CH2, 2, 1000);
        assertEquals(1, clock.armedTimers());
    }

    @Test
    void mode0RaisesItsOutputOnceAndCountsOn() {
        program(CH0, 0, 500);
        assertFalse(line.level());
        ticks(499);
        assertFalse(line.level());
        ticks(1);
        assertTrue(line.level());
        ticks(100);
        assertEquals(0x10000 - 100, read(CH0));
        assertTrue(line.level());
    }

    @Test
    void inMode0TheFirstOfTwoBytesStopsTheCount() {
        program(CH0, 0, 500);
        pit.writeByte(CH0, 0x10);
        ticks(1000);
        assertFalse(line.level());
        pit.writeByte(CH0, 0);
        ticks(16);
        assertTrue(line.level());
    }

    @Test
    void mode3IsASquareWaveThatCountsByTwo() {
        program(CH0, 3, 1000);
        assertTrue(line.level());
        ticks(10);
        assertEquals(980, read(CH0));
        ticks(490);
        assertFalse(line.level());
        ticks(500);
        assertTrue(line.level());
    }

    @Test
    void anOddSquareWaveIsLongerHigh() {
        program(CH0, 3, 5);
        ticks(2);
        assertTrue(line.level());
        ticks(1);
        assertFalse(line.level());
        ticks(2);
        assertTrue(line.level());
    }

    @Test
    void theOutputOfAnOddSquareWaveCanBeReadAtPort61() {
        port61.writeByte(0, SystemControl.TIMER2_GATE);
        program(CH2, 3, 5);
        ticks(2);
        assertTrue(pit.out2());
        ticks(1);
        assertFalse(pit.out2());
    }

    @Test
    void mode4GivesOneEdgeOneClockAfterTheEnd() {
        program(CH0, 4, 100);
        line.takeEdges();
        ticks(100);
        assertEquals(0, line.takeEdges());
        ticks(1);
        assertEquals(1, line.takeEdges());
        ticks(70_000);
        assertEquals(0, line.takeEdges());
    }

    @Test
    void mode1IsTriggeredByTheGate() {
        program(CH2, 1, 100);
        assertTrue(pit.out2());
        ticks(200);
        assertTrue(pit.out2());
        port61.writeByte(0, SystemControl.TIMER2_GATE);
        assertFalse(pit.out2());
        ticks(99);
        assertFalse(pit.out2());
        ticks(1);
        assertTrue(pit.out2());
        port61.writeByte(0, 0);
        port61.writeByte(0, SystemControl.TIMER2_GATE);
        assertFalse(pit.out2());
    }

    @Test
    void mode5StrobesAfterTheGate() {
        program(CH2, 5, 100);
        port61.writeByte(0, SystemControl.TIMER2_GATE);
        ticks(99);
        assertTrue(pit.out2());
        ticks(1);
        assertFalse(pit.out2());
        ticks(1);
        assertTrue(pit.out2());
    }

    @Test
    void theGateHoldsMode0() {
        port61.writeByte(0, SystemControl.TIMER2_GATE);
        program(CH2, 0, 1000);
        ticks(300);
        port61.writeByte(0, 0);
        ticks(5000);
        assertEquals(700, read(CH2));
        port61.writeByte(0, SystemControl.TIMER2_GATE);
        ticks(699);
        assertEquals(0, port61.readByte(0) & SystemControl.TIMER2_OUT);
        ticks(1);
        assertEquals(SystemControl.TIMER2_OUT, port61.readByte(0) & SystemControl.TIMER2_OUT);
    }

    @Test
    void theGateRestartsMode2() {
        port61.writeByte(0, SystemControl.TIMER2_GATE);
        program(CH2, 2, 1000);
        ticks(300);
        port61.writeByte(0, 0);
        assertTrue(pit.out2());
        port61.writeByte(0, SystemControl.TIMER2_GATE);
        assertEquals(1000, read(CH2));
    }

    @Test
    void aNewCountInMode2WaitsForTheEndOfThePeriod() {
        program(CH0, 2, 1000);
        ticks(2500);
        line.takeEdges();
        pit.writeByte(CH0, 100);
        pit.writeByte(CH0, 0);
        assertEquals(0x40, status(CH0) & 0x40);
        ticks(499);
        assertEquals(0, line.takeEdges());
        ticks(1);
        assertEquals(1, line.takeEdges());
        assertEquals(0, status(CH0) & 0x40);
        ticks(100);
        assertEquals(1, line.takeEdges());
    }

    @Test
    void bcdCountsInDecimal() {
        pit.writeByte(CONTROL, 0x31);
        pit.writeByte(CH0, 0x00);
        pit.writeByte(CH0, 0x10);
        ticks(1);
        assertEquals(0x0999, read(CH0));
        ticks(998);
        assertFalse(line.level());
        ticks(1);
        assertTrue(line.level());
        ticks(1);
        assertEquals(0x9999, read(CH0));
    }

    @Test
    void aLatchedCountStandsUntilItIsRead() {
        program(CH0, 2, 1000);
        pit.writeByte(CONTROL, 0);
        ticks(100);
        pit.writeByte(CONTROL, 0);
        assertEquals(1000 & 0xff, pit.readByte(CH0));
        assertEquals(1000 >> 8, pit.readByte(CH0));
        assertEquals(900, read(CH0));
    }

    @Test
    void readBackLatchesStatusBeforeCount() {
        program(CH0, 2, 1000);
        pit.writeByte(CONTROL, 0xc2);
        assertEquals(0x80 | 0x30 | 2 << 1, pit.readByte(CH0));
        assertEquals(1000, pit.readByte(CH0) | pit.readByte(CH0) << 8);
    }

    @Test
    void nullCountIsSetUntilACountIsWritten() {
        pit.writeByte(CONTROL, 0x34);
        assertEquals(0x40, status(CH0) & 0x40);
        pit.writeByte(CH0, 1);
        pit.writeByte(CH0, 1);
        assertEquals(0, status(CH0) & 0x40);
    }

    @Test
    void oneByteAccessUsesThatByte() {
        pit.writeByte(CONTROL, 0x24); // MSB, mode 2
        pit.writeByte(CH0, 2);
        assertEquals(2, pit.readByte(CH0));
        ticks(1);
        assertEquals(1, pit.readByte(CH0));
    }

    @Test
    void theRefreshBitToggles() {
        int first = port61.readByte(0) & SystemControl.REFRESH;
        ticks(18);
        assertEquals(first ^ SystemControl.REFRESH, port61.readByte(0) & SystemControl.REFRESH);
    }

    @Test
    void savedStateGoesOnWhereItWas() {
        program(CH0, 2, 1000);
        program(CH2, 0, 300);
        ticks(2300);
        pit.writeByte(CONTROL, 0);
        pit.readByte(CH0);
        RecordingLine wire = new RecordingLine();
        Pit8254 other = new Pit8254(clock, wire, new Counter());
        DeviceChecks.savesWhatItRestored(pit, other);
        wire.takeEdges();
        line.takeEdges();
        assertEquals(pit.readByte(CH0), other.readByte(CH0));
        ticks(5700);
        assertEquals(6, line.takeEdges());
        assertEquals(6, wire.takeEdges());
    }

    @Test
    void anEdgeThatWasDueAtTheSaveComesAfterTheRestore() {
        for (int mode : new int[] {0, 2, 3, 4}) {
            program(CH0, mode, 100);
            ManualClock later = new ManualClock();
            later.advance(clock.nanos() + GuestClock.nanosOf(150, Pit8254.HERTZ));
            RecordingLine wire = new RecordingLine();
            Pit8254 other = new Pit8254(later, wire, new Counter());
            DeviceChecks.savesWhatItRestored(pit, other);
            later.advance(0);
            assertEquals(1, wire.takeEdges(), "mode " + mode);
        }
    }

    @Test
    void anyGuestIsHarmless() {
        for (int seed = 0; seed < 5; seed++) {
            DeviceChecks.anyAccessIsHarmless(pit, Pit8254.PORTS, clock, seed);
            DeviceChecks.anyAccessIsHarmless(port61, 1, clock, seed);
            DeviceChecks.savesWhatItRestored(
                    pit, new Pit8254(clock, new RecordingLine(), new Counter()));
        }
    }
}
