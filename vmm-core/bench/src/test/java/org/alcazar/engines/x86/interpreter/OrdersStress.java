package org.alcazar.engines.x86.interpreter;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Orders that come while a core takes those that are there. */
@JCStressTest
@Outcome(
        id = {"0, 3", "1, 2", "3, 0"},
        expect = Expect.ACCEPTABLE,
        desc = "each once")
@Outcome(expect = Expect.FORBIDDEN, desc = "one is lost or taken twice")
@State
public class OrdersStress {
    private final Orders orders = new Orders();
    private final long[] taken = new long[Orders.MAX + 1];

    @Actor
    public void writer() {
        orders.add(0x1000, Orders.DROP);
        orders.add(0x2000, Orders.PROTECT);
    }

    @Actor
    public void core(II_Result result) {
        result.r1 = take();
    }

    @Arbiter
    public void rest(II_Result result) {
        result.r2 = take();
    }

    private int take() {
        int found = 0;
        if (orders.waiting()) {
            int count = orders.take(taken);
            for (int i = 1; i <= count; i++) {
                found |= (int) taken[i] & 3;
            }
        }
        return found;
    }
}
