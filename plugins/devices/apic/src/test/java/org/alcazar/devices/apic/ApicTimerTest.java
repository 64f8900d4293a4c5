package org.alcazar.devices.apic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.vmm.GuestClock;
import org.alcazar.vmm.GuestTimer;
import org.junit.jupiter.api.Test;

/** Counts so short that they are over before the register write that starts them is. */
class ApicTimerTest {
    private static final int DIVIDE_BY_16 = 3;

    private final RunningClock clock = new RunningClock();
    private int interrupts;
    private final ApicTimer timer = new ApicTimer(clock, "apic", this::expired);

    private void expired() {
        if (timer.expired()) {
            interrupts++;
        }
    }

    private void started() {
        timer.reset();
        timer.divide(DIVIDE_BY_16);
        timer.program(ApicTimer.ONE_SHOT, false);
        timer.start(62);
    }

    @Test
    void aShortCountFiresThoughTimeRunsOn() {
        started();
        assertTrue(clock.armed);
        clock.fire();
        assertEquals(1, interrupts);
    }

    @Test
    void aCountThatIsOverIsNotLostWhenItsEntryChanges() {
        started();
        timer.program(ApicTimer.ONE_SHOT, true);
        assertEquals(1, interrupts);
        started();
        timer.program(ApicTimer.PERIODIC, false);
        assertEquals(2, interrupts);
        timer.program(ApicTimer.ONE_SHOT, false);
        started();
        timer.divide(0);
        assertEquals(3, interrupts);
    }

    @Test
    void aCountThatEndsWhileMaskedGivesNoInterruptLater() {
        timer.reset();
        timer.start(62);
        timer.program(ApicTimer.ONE_SHOT, false);
        clock.fire();
        assertEquals(0, interrupts);
    }

    /** Two microseconds pass at each look. Knows one timer. */
    private static final class RunningClock implements GuestClock, GuestTimer {
        private long now;
        private boolean armed;
        private Runnable action = () -> {};

        void fire() {
            if (armed) {
                armed = false;
                action.run();
            }
        }

        @Override
        public long nanos() {
            now += 2000;
            return now;
        }

        @Override
        public long epochNanos() {
            return now;
        }

        @Override
        public long counterFrequency() {
            return NANOS_PER_SECOND;
        }

        @Override
        public GuestTimer timer(String name, Runnable fired) {
            action = fired;
            return this;
        }

        @Override
        public void arm(long deadline) {
            armed = true;
        }

        @Override
        public void cancel() {
            armed = false;
        }

        @Override
        public boolean armed() {
            return armed;
        }

        @Override
        public void close() {
            armed = false;
        }
    }
}
