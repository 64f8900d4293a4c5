package org.alcazar.machine;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** What is done while all cores stand. */
public final class StandstillStress {
    private StandstillStress() {}

    /** A core that moves sees all of it or nothing, by plain reads. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "1, 1"},
            expect = Expect.ACCEPTABLE)
    @Outcome(expect = Expect.FORBIDDEN, desc = "the middle of it")
    @State
    public static class Whole {
        private final Standstill standstill = new Standstill();
        private final Standstill.Party party = standstill.join(new Requests());
        private int a;
        private int b;

        @Actor
        public void core(II_Result result) {
            party.go();
            result.r1 = a;
            result.r2 = b;
            party.stand();
        }

        @Actor
        public void other() {
            standstill.begin();
            a = 1;
            b = 1;
            standstill.end();
        }
    }

    /** Two cores that want it at once, each from its midst, have it one after the other. */
    @JCStressTest
    @Outcome(id = "2", expect = Expect.ACCEPTABLE)
    @Outcome(expect = Expect.FORBIDDEN, desc = "both at once")
    @State
    public static class OneAfterTheOther {
        private final Standstill standstill = new Standstill();
        private final Standstill.Party first = standstill.join(new Requests());
        private final Standstill.Party second = standstill.join(new Requests());
        private int count;

        private void add(Standstill.Party mine) {
            mine.go();
            standstill.begin();
            count++;
            standstill.end();
            mine.stand();
        }

        @Actor
        public void first() {
            add(first);
        }

        @Actor
        public void second() {
            add(second);
        }

        @Arbiter
        public void sum(I_Result result) {
            result.r1 = count;
        }
    }
}
