package org.alcazar.devices.rtc;

import static org.alcazar.devices.rtc.Rtc.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.testkit.device.DeviceChecks;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.testkit.device.RecordingLine;
import org.alcazar.vmm.plugin.PlatformType.MemoryRange;
import org.alcazar.vmm.plugin.PlatformType.RangeKind;
import org.junit.jupiter.api.Test;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;

class RtcTest {
    private static final long SECOND = 1_000_000_000L;

    /** A Thursday. */
    private static final LocalDateTime START = LocalDateTime.of(2024, 2, 29, 23, 59, 58);

    private final ManualClock clock =
            new ManualClock().epoch(START.toEpochSecond(ZoneOffset.UTC) * SECOND);
    private final RecordingLine line = new RecordingLine();
    private final Rtc rtc = new Rtc(clock, line);

    private int read(int register) {
        rtc.writeByte(0, register);
        return rtc.readByte(1);
    }

    private void write(int register, int value) {
        rtc.writeByte(0, register);
        rtc.writeByte(1, value);
    }

    private String time() {
        return "%02x%02x-%02x-%02x %02x:%02x:%02x"
                .formatted(
                        read(CENTURY),
                        read(YEAR),
                        read(MONTH),
                        read(DAY),
                        read(HOURS),
                        read(MINUTES),
                        read(SECONDS));
    }

    @Test
    void theTimeIsTheWallClockInBcd() {
        assertEquals("2024-02-29 23:59:58", time());
        assertEquals(5, read(DAY_OF_WEEK));
        clock.advance(2 * SECOND);
        assertEquals("2024-03-01 00:00:00", time());
        assertEquals(6, read(DAY_OF_WEEK));
    }

    @Test
    void theCalendarAgreesWithJavasForFourCenturies() {
        for (long day = -1000; day < 146_097; day += 13) {
            LocalDate date = LocalDate.ofEpochDay(day);
            assertEquals(
                    date.getYear() << 16 | date.getMonthValue() << 8 | date.getDayOfMonth(),
                    Calendar.date(day));
            assertEquals(
                    day, Calendar.day(date.getYear(), date.getMonthValue(), date.getDayOfMonth()));
            assertEquals(date.getDayOfWeek().getValue() % 7 + 1, Calendar.dayOfWeek(day));
        }
    }

    @Test
    void binaryAndTwelveHourFormsShowTheSameTime() {
        write(B, B_24H | B_BINARY);
        assertEquals(59, read(MINUTES));
        write(B, B_BINARY);
        assertEquals(PM | 11, read(HOURS));
        clock.advance(2 * SECOND);
        assertEquals(12, read(HOURS));
        write(B, 0);
        assertEquals(0x12, read(HOURS));
    }

    @Test
    void aTimeThatIsSetWithSetGoesOnFromThere() {
        write(B, B_SET | B_24H);
        clock.advance(10 * SECOND);
        assertEquals("2024-02-29 23:59:58", time());
        write(CENTURY, 0x19);
        write(YEAR, 0x99);
        write(MONTH, 0x12);
        write(DAY, 0x31);
        write(HOURS, 0x12);
        write(MINUTES, 0x34);
        write(SECONDS, 0x56);
        write(B, B_24H);
        assertEquals("1999-12-31 12:34:56", time());
        clock.advance(10 * SECOND);
        assertEquals("1999-12-31 12:35:06", time());
    }

    @Test
    void theFirstUpdateComesHalfASecondAfterTheDividerIsLetGo() {
        write(A, 0x70);
        write(SECONDS, 0x10);
        write(A, 0x26);
        clock.advance(SECOND / 2 - 1);
        assertEquals(0x10, read(SECONDS));
        clock.advance(1);
        assertEquals(0x11, read(SECONDS));
    }

    @Test
    void aSingleFieldCanBeSetWhileTheClockRuns() {
        write(HOURS, 0x01);
        assertEquals("2024-02-29 01:59:58", time());
    }

    @Test
    void updateInProgressIsAnnouncedBeforeTheSecondEnds() {
        assertEquals(0, read(A) & A_UIP);
        clock.advance(SECOND - 244_001);
        assertEquals(0, read(A) & A_UIP);
        clock.advance(1);
        assertEquals(A_UIP, read(A) & A_UIP);
        clock.advance(244_000);
        assertEquals(0, read(A) & A_UIP);
    }

    @Test
    void theUpdateInterruptComesEachSecondUntilItsFlagIsRead() {
        write(B, B_24H | B_UIE);
        clock.advance(SECOND - 1);
        assertFalse(line.level());
        clock.advance(1);
        assertTrue(line.level());
        clock.advance(5 * SECOND);
        assertEquals(1, line.takeEdges());
        assertEquals(C_IRQF | C_UF, read(C) & (C_IRQF | C_UF));
        assertFalse(line.level());
        clock.advance(SECOND);
        assertEquals(1, line.takeEdges());
    }

    @Test
    void thePeriodicInterruptHasItsRate() {
        write(A, 0x2f); // 2 Hz
        write(B, B_24H | B_PIE);
        read(C);
        int count = 0;
        for (int i = 0; i < 40; i++) {
            clock.advance(SECOND / 10);
            count += line.takeEdges();
            read(C);
        }
        assertEquals(8, count);
        write(A, 0x20);
        clock.advance(SECOND);
        assertFalse(line.level());
    }

    @Test
    void rates1And2AreThoseOf8And9() {
        write(A, 0x21);
        write(B, B_24H | B_PIE);
        read(C);
        clock.advance(SECOND / 256 + 1);
        assertEquals(1, line.takeEdges());
        write(A, 0x22);
        read(C);
        clock.advance(SECOND / 256 - 2);
        assertEquals(0, line.takeEdges());
        clock.advance(2);
        assertEquals(1, line.takeEdges());
    }

    @Test
    void theAlarmComesAtItsTime() {
        write(HOURS_ALARM, 0x00);
        write(MINUTES_ALARM, 0x00);
        write(SECONDS_ALARM, 0x03);
        write(B, B_24H | B_AIE);
        clock.advance(5 * SECOND - 1);
        assertFalse(line.level());
        clock.advance(1);
        assertTrue(line.level());
        assertEquals(C_AF, read(C) & C_AF);
        clock.advance(86_400 * SECOND - SECOND);
        assertFalse(line.level());
        clock.advance(SECOND);
        assertTrue(line.level());
    }

    @Test
    void alarmFieldsMayMatchAnything() {
        write(HOURS_ALARM, 0xff);
        write(MINUTES_ALARM, 0xc0);
        write(SECONDS_ALARM, 0x30);
        write(B, B_24H | B_AIE);
        clock.advance(32 * SECOND);
        assertTrue(line.level());
        read(C);
        clock.advance(60 * SECOND);
        assertTrue(line.level());
    }

    @Test
    void anImpossibleAlarmNeverComes() {
        write(HOURS_ALARM, 0x25);
        write(B, B_24H | B_AIE);
        clock.advance(3 * 86_400 * SECOND);
        assertFalse(line.level());
        assertEquals(0, clock.armedTimers());
    }

    @Test
    void nothingIsArmedWithoutAnEnabledInterrupt() {
        assertEquals(0, clock.armedTimers());
    }

    @Test
    void settingTheTimeDisablesTheUpdateInterrupt() {
        write(B, B_24H | B_UIE | B_SET);
        assertEquals(B_24H | B_SET, read(B));
    }

    @Test
    void aResetKeepsMemoryAndTimeAndDisablesInterrupts() {
        write(0x50, 0xa5);
        write(B, B_24H | B_UIE | B_BINARY);
        rtc.reset();
        assertEquals(0xa5, read(0x50));
        assertEquals(B_24H | B_BINARY, read(B));
        assertEquals(D_VRT, read(D));
    }

    @Test
    void theBiosLeavesTheSizesOfMemory() {
        long gib = 1L << 30;
        BiosData.write(
                rtc,
                List.of(
                        new MemoryRange(0, 0x9fc00, RangeKind.RAM),
                        new MemoryRange(1 << 20, 3 * gib - (1 << 20), RangeKind.RAM),
                        new MemoryRange(4 * gib, gib, RangeKind.RAM)));
        assertEquals(639, rtc.get(0x15) | rtc.get(0x16) << 8);
        assertEquals(0xffff, rtc.get(0x30) | rtc.get(0x31) << 8);
        assertEquals((3 * gib >> 16) - 256, rtc.get(0x34) | rtc.get(0x35) << 8);
        assertEquals(gib >> 16, rtc.get(0x5b) | rtc.get(0x5c) << 8 | rtc.get(0x5d) << 16);
    }

    @Test
    void savedStateGoesOnWhereItWas() {
        write(HOURS, 0x05);
        write(A, 0x2f);
        write(B, B_24H | B_PIE | B_UIE);
        clock.advance(SECOND / 3);
        RecordingLine wire = new RecordingLine();
        Rtc other = new Rtc(clock, wire);
        DeviceChecks.savesWhatItRestored(rtc, other);
        clock.advance(SECOND);
        assertTrue(wire.level());
        other.writeByte(0, HOURS);
        assertEquals(5, other.readByte(1));
        other.writeByte(0, C);
        assertEquals(read(C), other.readByte(1));
    }

    @Test
    void anyGuestIsHarmless() {
        for (int seed = 0; seed < 5; seed++) {
            DeviceChecks.anyAccessIsHarmless(rtc, PORTS, clock, seed);
            DeviceChecks.savesWhatItRestored(rtc, new Rtc(clock, new RecordingLine()));
        }
    }
}
