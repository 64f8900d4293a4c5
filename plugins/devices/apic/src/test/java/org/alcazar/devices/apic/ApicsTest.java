package org.alcazar.devices.apic;

import static org.alcazar.devices.apic.Registers.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.BusDevice;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Width;
import org.alcazar.platforms.pc.api.ApicBus;
import org.alcazar.testkit.device.DeviceChecks;
import org.alcazar.testkit.device.ManualClock;
import org.alcazar.testkit.device.StubVcore;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class ApicsTest {
    private static final int NONE = InterruptSource.NONE;
    private static final int WINDOW = 0x1000;

    private final ManualClock clock = new ManualClock();
    private final StubVcore[] cores = {new StubVcore(0), new StubVcore(1)};
    private final List<LocalApic> each = new ArrayList<>();
    private final List<Integer> ended = new ArrayList<>();

    /** What the PIC would acknowledge with, or NONE. */
    private int picVector = NONE;

    private final Apics apics = apics(each);

    private Apics apics(List<LocalApic> into) {
        Apics made = new Apics();
        for (StubVcore core : cores) {
            LocalApic apic =
                    new LocalApic(
                            core.index(), core, clock, () -> picVector, made, core.index() == 0);
            made.add(apic);
            into.add(apic);
        }
        return made;
    }

    @BeforeEach
    void enable() {
        apics.reset();
        apics.addEndOfInterrupt(ended::add);
        for (int i = 0; i < cores.length; i++) {
            write(i, SVR, SVR_ENABLE | 0xff);
            cores[i].take(-1);
        }
    }

    private int read(int core, int register) {
        return (int) apics.read(cores[core], register, Width.DWORD);
    }

    private void write(int core, int register, int value) {
        apics.write(cores[core], register, Width.DWORD, value & 0xffff_ffffL);
    }

    private void fixed(int destination, int vector) {
        apics.deliver(destination, false, ApicBus.FIXED, vector, false);
    }

    private boolean bit(int core, int register, int vector) {
        return (read(core, register + (vector >> 5) * 16) >> (vector & 31) & 1) != 0;
    }

    @Test
    void eachCoreSeesItsOwnId() {
        assertEquals(0, read(0, ID));
        assertEquals(1 << 24, read(1, ID));
        assertEquals(0x14, read(0, VERSION_REGISTER) & 0xff);
    }

    @Test
    void aFixedInterruptIsRequestedServedAndEnded() {
        fixed(1, 0x41);
        assertTrue(cores[1].take(Requests.INTERRUPT));
        assertFalse(cores[0].take(Requests.INTERRUPT));
        assertTrue(bit(1, IRR, 0x41));
        assertEquals(0x41, each.get(1).acknowledge());
        assertFalse(bit(1, IRR, 0x41));
        assertTrue(bit(1, ISR, 0x41));
        assertEquals(0x40, read(1, PPR));
        write(1, EOI, 0);
        assertFalse(bit(1, ISR, 0x41));
        assertEquals(0, read(1, PPR));
        assertEquals(NONE, each.get(1).acknowledge());
    }

    @Test
    void onlyAHigherPriorityClassInterruptsAService() {
        fixed(0, 0x41);
        each.get(0).acknowledge();
        cores[0].take(-1);
        fixed(0, 0x4f);
        assertFalse(cores[0].take(Requests.INTERRUPT));
        assertEquals(NONE, each.get(0).acknowledge());
        fixed(0, 0x51);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertEquals(0x51, each.get(0).acknowledge());
        write(0, EOI, 0);
        write(0, EOI, 0);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertEquals(0x4f, each.get(0).acknowledge());
    }

    @Test
    void theTaskPriorityHoldsItsClassAndBelow() {
        write(0, TPR, 0x45);
        assertEquals(0x45, read(0, PPR));
        assertEquals(4, each.get(0).taskPriority());
        fixed(0, 0x4f);
        assertFalse(cores[0].take(Requests.INTERRUPT));
        each.get(0).taskPriority(3);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertEquals(0x30, read(0, TPR));
        assertEquals(0x4f, each.get(0).acknowledge());
    }

    @Test
    void aLevelInterruptsEndIsBroadcast() {
        apics.deliver(0, false, ApicBus.FIXED, 0x61, true);
        assertTrue(bit(0, TMR, 0x61));
        each.get(0).acknowledge();
        write(0, EOI, 0);
        assertEquals(List.of(0x61), ended);
        fixed(0, 0x61);
        assertFalse(bit(0, TMR, 0x61));
        each.get(0).acknowledge();
        write(0, EOI, 0);
        assertEquals(1, ended.size());
    }

    @Test
    void vectorsBelow16AreErrorsThatShowAfterAWriteToEsr() {
        fixed(0, 3);
        assertEquals(0, read(0, ESR));
        write(0, ESR, 0);
        assertEquals(ESR_RECEIVED_ILLEGAL_VECTOR, read(0, ESR));
        write(0, ICR_LOW, 5);
        read(0, 0x3f0);
        write(0, LVT_ERROR, 0x77);
        write(0, ESR, 0);
        assertEquals(ESR_SENT_ILLEGAL_VECTOR | ESR_ILLEGAL_REGISTER, read(0, ESR));
        write(0, ICR_LOW, 5);
        assertEquals(0x77, each.get(0).acknowledge());
    }

    @Test
    void aDisabledApicTakesNoFixedInterruptAndMasksItsVectorTable() {
        write(1, LVT_TIMER, 0x40);
        write(1, SVR, 0xff);
        assertEquals(LVT_MASK | 0x40, read(1, LVT_TIMER));
        write(1, LVT_TIMER, 0x40);
        assertEquals(LVT_MASK | 0x40, read(1, LVT_TIMER));
        fixed(1, 0x41);
        assertFalse(cores[1].take(Requests.INTERRUPT));
        apics.deliver(1, false, ApicBus.NMI, 0, false);
        assertTrue(cores[1].take(Requests.NMI));
    }

    @Test
    void interprocessorInterruptsGoWhereTheCommandSays() {
        write(0, ICR_HIGH, 1 << 24);
        write(0, ICR_LOW, 0x41);
        assertEquals(0x41, each.get(1).acknowledge());
        assertEquals(NONE, each.get(0).acknowledge());
        write(0, ICR_LOW, TO_SELF << ICR_SHORTHAND_SHIFT | 0x52);
        assertEquals(0x52, each.get(0).acknowledge());
        write(1, ICR_LOW, TO_OTHERS << ICR_SHORTHAND_SHIFT | 0x63);
        assertEquals(0x63, each.get(0).acknowledge());
        assertEquals(NONE, each.get(1).acknowledge());
        write(1, ICR_LOW, TO_ALL << ICR_SHORTHAND_SHIFT | 0x74);
        assertEquals(0x74, each.get(0).acknowledge());
        assertEquals(0x74, each.get(1).acknowledge());
        assertEquals(0, read(1, ICR_LOW) & 1 << 12);
    }

    @Test
    void logicalDestinationsMatchInFlatAndClusterMode() {
        write(0, LDR, 0x01 << 24);
        write(1, LDR, 0x02 << 24);
        apics.deliver(0x02, true, ApicBus.FIXED, 0x41, false);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0x41, each.get(1).acknowledge());
        write(0, DFR, 0);
        write(1, DFR, 0);
        write(0, LDR, 0x11 << 24);
        write(1, LDR, 0x21 << 24);
        apics.deliver(0x21, true, ApicBus.FIXED, 0x52, false);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0x52, each.get(1).acknowledge());
        assertEquals(0x0fff_ffff, read(0, DFR));
    }

    @Test
    void theLowestPriorityTakesTheInterrupt() {
        write(0, LDR, 0x01 << 24);
        write(1, LDR, 0x02 << 24);
        write(0, TPR, 0x20);
        apics.deliver(0x03, true, ApicBus.LOWEST_PRIORITY, 0x41, false);
        assertTrue(cores[1].take(Requests.INTERRUPT));
        assertFalse(bit(0, IRR, 0x41));
    }

    @Test
    void initAndStartupWakeACore() {
        write(1, TPR, 0x50);
        fixed(1, 0x41);
        write(0, ICR_HIGH, 1 << 24);
        write(0, ICR_LOW, ICR_ASSERT | ICR_LEVEL | ApicBus.INIT << ICR_MODE_SHIFT);
        assertTrue(cores[1].take(Requests.INIT));
        assertEquals(0, read(1, TPR));
        assertEquals(1 << 24, read(1, ID));
        assertFalse(bit(1, IRR, 0x41));
        write(0, ICR_LOW, ICR_LEVEL | ApicBus.INIT << ICR_MODE_SHIFT);
        assertFalse(cores[1].take(Requests.INIT));
        write(0, ICR_LOW, ApicBus.STARTUP << ICR_MODE_SHIFT | 0x9a);
        assertTrue(cores[1].take(Requests.STARTUP));
        assertEquals(0x9a, cores[1].requests().startupVector());
    }

    @Test
    void afterAResetThePicsInterruptsComeThroughLint0OfTheBootCore() {
        apics.reset();
        assertEquals(SVR_ENABLE | 0xff, read(0, SVR));
        assertEquals(0xff, read(1, SVR));
        each.get(0).lint0().set(true);
        each.get(1).lint0().set(true);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertFalse(cores[1].take(Requests.INTERRUPT));
        picVector = 0x08;
        assertEquals(0x08, each.get(0).acknowledge());
        write(0, LVT_LINT0, LVT_MASK | 0x700);
        assertEquals(NONE, each.get(0).acknowledge());
    }

    @Test
    void unmaskingLint0ShowsWhatWaitsThere() {
        write(0, LVT_LINT0, LVT_MASK);
        each.get(0).lint0().set(true);
        cores[0].take(-1);
        write(0, LVT_LINT0, ApicBus.EXTERNAL << LVT_MODE_SHIFT);
        assertTrue(cores[0].take(Requests.INTERRUPT));
    }

    @Test
    void aPicWithoutRequestDoesNotHideOthers() {
        each.get(0).lint0().set(true);
        fixed(0, 0x41);
        picVector = NONE;
        assertEquals(0x41, each.get(0).acknowledge());
    }

    @Test
    void anOverflownCounterComesThroughItsLocalEntryUnlessThatIsMasked() {
        cores[0].take(-1);
        write(0, LVT_PERFORMANCE, LVT_MASK | ApicBus.NMI << LVT_MODE_SHIFT);
        each.get(0).counterOverflow();
        assertFalse(cores[0].take(Requests.NMI));
        write(0, LVT_PERFORMANCE, ApicBus.NMI << LVT_MODE_SHIFT);
        each.get(0).counterOverflow();
        assertTrue(cores[0].take(Requests.NMI));
        write(0, LVT_PERFORMANCE, 0x56);
        each.get(0).counterOverflow();
        assertEquals(0x56, each.get(0).acknowledge());
        assertEquals(0x56, read(0, LVT_PERFORMANCE));
    }

    @Test
    void lint1IsTheNmi() {
        each.get(0).lint1().set(true);
        assertTrue(cores[0].take(Requests.NMI));
    }

    @Test
    void aLevelAtLint0ComesAgainAfterItsEnd() {
        write(0, LVT_LINT0, LVT_LEVEL | 0x66);
        each.get(0).lint0().set(true);
        assertEquals(LVT_REMOTE_IRR, read(0, LVT_LINT0) & LVT_REMOTE_IRR);
        assertEquals(0x66, each.get(0).acknowledge());
        write(0, EOI, 0);
        assertEquals(0x66, each.get(0).acknowledge());
        each.get(0).lint0().set(false);
        write(0, EOI, 0);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0, read(0, LVT_LINT0) & LVT_REMOTE_IRR);
    }

    @Test
    void theOneShotTimerFiresOnceWhenItsCountIsDone() {
        write(0, TIMER_DIVIDE, 3); // by 16
        write(0, LVT_TIMER, 0x40);
        write(0, TIMER_INITIAL, 1000);
        clock.advance(8000);
        assertEquals(500, read(0, TIMER_CURRENT));
        clock.advance(7999);
        assertEquals(NONE, each.get(0).acknowledge());
        clock.advance(1);
        assertEquals(0x40, each.get(0).acknowledge());
        assertEquals(0, read(0, TIMER_CURRENT));
        write(0, EOI, 0);
        clock.advance(1_000_000);
        assertEquals(NONE, each.get(0).acknowledge());
    }

    @Test
    void thePeriodicTimerStartsOver() {
        write(0, TIMER_DIVIDE, 0xb); // by 1
        write(0, LVT_TIMER, LVT_PERIODIC | 0x40);
        write(0, TIMER_INITIAL, 100_000);
        for (int i = 0; i < 3; i++) {
            clock.advance(100_000);
            assertEquals(0x40, each.get(0).acknowledge());
            write(0, EOI, 0);
            assertEquals(100_000, read(0, TIMER_CURRENT));
        }
        write(0, TIMER_INITIAL, 0);
        clock.advance(1_000_000);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0, clock.armedTimers());
    }

    @Test
    void aCountThatIsDoneDoesNotStartOverWhenTheTimerBecomesPeriodic() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, LVT_MASK | 0x40);
        write(0, TIMER_INITIAL, 1000);
        clock.advance(2500);
        write(0, LVT_TIMER, LVT_PERIODIC | 0x40);
        clock.advance(1_000_000);
        assertEquals(NONE, each.get(0).acknowledge());
        assertEquals(0, read(0, TIMER_CURRENT));
    }

    @Test
    void aMaskedTimerCountsButIsNotArmed() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, LVT_MASK | 0x40);
        write(0, TIMER_INITIAL, 1000);
        assertEquals(0, clock.armedTimers());
        clock.advance(400);
        assertEquals(600, read(0, TIMER_CURRENT));
        write(0, LVT_TIMER, 0x40);
        clock.advance(600);
        assertEquals(0x40, each.get(0).acknowledge());
    }

    @Test
    void anotherDivisorGoesOnFromTheCount() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, 0x40);
        write(0, TIMER_INITIAL, 1000);
        clock.advance(400);
        write(0, TIMER_DIVIDE, 0); // by 2
        assertEquals(600, read(0, TIMER_CURRENT));
        clock.advance(200);
        assertEquals(500, read(0, TIMER_CURRENT));
    }

    @Test
    void aTimerOfANanosecondDoesNotKeepTheMachineBusy() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, LVT_PERIODIC | 0x40);
        write(0, TIMER_INITIAL, 1);
        clock.advance(ApicTimer.SHORTEST_PERIOD - 1);
        assertEquals(NONE, each.get(0).acknowledge());
        clock.advance(1);
        assertEquals(0x40, each.get(0).acknowledge());
    }

    @Test
    void savedStateGoesOnWhereItWas() {
        write(0, TIMER_DIVIDE, 0xb);
        write(0, LVT_TIMER, LVT_PERIODIC | 0x40);
        write(0, TIMER_INITIAL, 100_000);
        clock.advance(30_000);
        fixed(0, 0x55);
        each.get(0).acknowledge();
        fixed(0, 0x66);
        fixed(1, 0x77);
        List<LocalApic> others = new ArrayList<>();
        Apics other = apics(others);
        cores[0].take(-1);
        DeviceChecks.savesWhatItRestored(apics, other);
        assertTrue(cores[0].take(Requests.INTERRUPT));
        assertEquals(0x66, others.get(0).acknowledge());
        assertEquals(0x77, others.get(1).acknowledge());
        apics.close();
        clock.advance(70_000);
        assertEquals(NONE, others.get(0).acknowledge());
        other.write(cores[0], EOI, Width.DWORD, 0);
        other.write(cores[0], EOI, Width.DWORD, 0);
        assertEquals(0x40, others.get(0).acknowledge());
    }

    @Test
    void anyGuestIsHarmless() {
        for (int seed = 0; seed < 4; seed++) {
            StubVcore core = cores[seed & 1];
            BusDevice window =
                    new BusDevice() {
                        @Override
                        public long read(long offset, Width width) {
                            return apics.read(core, offset, width);
                        }

                        @Override
                        public void write(long offset, Width width, long value) {
                            apics.write(core, offset, width, value);
                        }
                    };
            DeviceChecks.anyAccessIsHarmless(window, WINDOW, clock, seed);
            each.get(0).acknowledge();
            DeviceChecks.savesWhatItRestored(apics, apics(new ArrayList<>()));
        }
    }
}
