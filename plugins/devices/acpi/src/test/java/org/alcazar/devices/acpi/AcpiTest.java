package org.alcazar.devices.acpi;

import static org.alcazar.devices.acpi.Acpi.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.Width;
import org.alcazar.testkit.device.DeviceChecks;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.testkit.device.RecordingLine;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class AcpiTest {
    private final ManualClock clock = new ManualClock();
    private final RecordingLine sci = new RecordingLine();
    private final List<String> done = new ArrayList<>();
    private final Acpi acpi = acpi(sci);

    private Acpi acpi(RecordingLine wire) {
        return new Acpi(clock, wire, () -> done.add("off"), () -> done.add("tables"));
    }

    private int read(int register) {
        return (int) acpi.read(register, Width.WORD);
    }

    private void write(int register, int value) {
        acpi.write(register, Width.WORD, value);
    }

    @Test
    void theTimerCountsAt3579545HertzIn24Bits() {
        assertEquals(0, acpi.read(PM_TMR, Width.DWORD));
        clock.advance(1_000_000_000L);
        assertEquals(3_579_545, acpi.read(PM_TMR, Width.DWORD));
        clock.advance(4_000_000_000L);
        assertEquals(5 * 3_579_545 & 0xff_ffff, acpi.read(PM_TMR, Width.DWORD));
        assertEquals(acpi.read(PM_TMR, Width.DWORD) & 0xff, acpi.read(PM_TMR, Width.BYTE));
    }

    @Test
    void sleepingInS5PowersOff() {
        assertEquals(SCI_EN, read(PM1_CNT));
        write(PM1_CNT, SLEEP_OFF << SLP_TYP_SHIFT);
        assertEquals(List.of(), done);
        write(PM1_CNT, SLP_EN | SLEEP_OFF << SLP_TYP_SHIFT);
        assertEquals(List.of("off"), done);
        assertEquals(SLEEP_OFF << SLP_TYP_SHIFT | SCI_EN, read(PM1_CNT));
    }

    @Test
    void otherSleepStatesAreIgnored() {
        write(PM1_CNT, SLP_EN | 3 << SLP_TYP_SHIFT);
        assertEquals(List.of(), done);
    }

    @Test
    void thePowerButtonInterruptsUntilItsStatusIsCleared() {
        acpi.press();
        assertFalse(sci.level());
        write(PM1_EN, PWRBTN_STS);
        assertTrue(sci.level());
        assertEquals(PWRBTN_STS, read(PM1_STS));
        write(PM1_STS, PWRBTN_STS);
        assertFalse(sci.level());
        assertEquals(0, read(PM1_STS));
    }

    @Test
    void theTimersHighestBitInterruptsWhenItChanges() {
        write(PM1_EN, TMR_STS);
        clock.advance(2_343_500_000L); // 2^23 ticks take 2.34349 s
        assertTrue(sci.level());
        write(PM1_STS, TMR_STS);
        assertFalse(sci.level());
        clock.advance(2_343_500_000L);
        assertTrue(sci.level());
    }

    @Test
    void nothingIsArmedWhileTheTimerInterruptIsOff() {
        assertEquals(0, clock.armedTimers());
    }

    @Test
    void aResetWritesTheTables() {
        acpi.press();
        write(PM1_EN, PWRBTN_STS);
        acpi.reset();
        assertEquals(List.of("tables"), done);
        assertFalse(sci.level());
        assertEquals(0, read(PM1_EN));
    }

    @Test
    void savedStateComesBackWithItsInterrupt() {
        write(PM1_EN, PWRBTN_STS | TMR_STS);
        write(PM1_CNT, 5 << SLP_TYP_SHIFT);
        acpi.press();
        RecordingLine wire = new RecordingLine();
        DeviceChecks.savesWhatItRestored(acpi, acpi(wire));
        assertTrue(wire.level());
    }

    @Test
    void anyGuestIsHarmless() {
        for (int seed = 0; seed < 5; seed++) {
            DeviceChecks.anyAccessIsHarmless(acpi, PORTS, clock, seed);
            DeviceChecks.savesWhatItRestored(acpi, acpi(new RecordingLine()));
        }
    }
}
