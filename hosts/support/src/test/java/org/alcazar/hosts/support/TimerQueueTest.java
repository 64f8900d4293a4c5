package org.alcazar.hosts.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.host.HostTimer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** How the thread of timers ends. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TimerQueueTest {
    /** Fails at its first wait. */
    private static final class BrokenAlarm implements Alarm {
        private final CountDownLatch closed = new CountDownLatch(1);
        private final AtomicInteger rings = new AtomicInteger();

        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public void await(long deadline) {
            throw new IllegalStateException("as the test wants");
        }

        @Override
        public void ring() {
            rings.incrementAndGet();
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }

    @Test
    void nobodyRingsAnAlarmThatItsThreadHasGivenBack() throws Exception {
        BrokenAlarm alarm = new BrokenAlarm();
        try (TimerQueue queue = new TimerQueue(alarm);
                HostTimer timer = queue.timer("t", () -> {})) {
            alarm.closed.await();
            timer.arm(0);
        }
        assertEquals(0, alarm.rings.get());
    }
}
