package org.alcazar.vmm.core;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** A timer that is armed while another is taken: each comes once, and the earliest is known. */
@JCStressTest
@Outcome(
        id = {"1, 1, 0", "0, 2, 0"},
        expect = Expect.ACCEPTABLE)
@Outcome(expect = Expect.FORBIDDEN, desc = "a timer is lost, or comes twice")
@State
public class TimerQueueStress {
    private final TimerQueue queue = new TimerQueue(deadline -> {});
    private final TimerQueue.Timer first = queue.add("first", queue, () -> {});
    private final TimerQueue.Timer second = queue.add("second", queue, () -> {});

    @Actor
    public void armBoth() {
        first.arm(10);
        second.arm(20);
    }

    @Actor
    public void poll(III_Result result) {
        result.r1 = queue.poll(100) == null ? 0 : 1;
    }

    @Arbiter
    public void rest(III_Result result) {
        while (queue.earliest() <= 100 && queue.poll(100) != null) {
            result.r2++;
        }
        result.r3 = queue.earliest() == Long.MAX_VALUE ? 0 : 1;
    }
}
