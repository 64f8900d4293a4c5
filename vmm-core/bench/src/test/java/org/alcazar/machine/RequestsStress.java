package org.alcazar.machine;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** Posted requests under concurrent posts and takes. */
public final class RequestsStress {
    private RequestsStress() {}

    /** No request is lost or taken twice. */
    @JCStressTest
    @Outcome(
            id = {"0, 3", "1, 2", "3, 0"},
            expect = Expect.ACCEPTABLE,
            desc = "each once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "one is lost or taken twice")
    @State
    public static class PostAndTake {
        private final Requests requests = new Requests();

        @Actor
        public void post() {
            requests.post(Requests.KICK);
            requests.post(Requests.INTERRUPT);
        }

        @Actor
        public void take(II_Result result) {
            result.r1 = requests.take(Requests.KICK | Requests.INTERRUPT);
        }

        @Arbiter
        public void rest(II_Result result) {
            result.r2 = requests.take(Requests.KICK | Requests.INTERRUPT);
        }
    }

    /** Who sees the start-up request sees its vector. */
    @JCStressTest
    @Outcome(
            id = {"-1", "9"},
            expect = Expect.ACCEPTABLE)
    @Outcome(id = "0", expect = Expect.FORBIDDEN, desc = "the vector came after its request")
    @State
    public static class Startup {
        private final Requests requests = new Requests();

        @Actor
        public void post() {
            requests.postStartup(9);
        }

        @Actor
        public void take(I_Result result) {
            boolean start = requests.take(Requests.STARTUP) != 0;
            result.r1 = start ? requests.startupVector() : -1;
        }
    }

    /** A core that goes to sleep after a look at its requests is woken, or sees the request. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1", "1, 1"},
            expect = Expect.ACCEPTABLE)
    @Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "a lost wake-up")
    @State
    public static class SleepAndWake {
        private final Requests requests = new Requests();
        private volatile int asleep;

        @Actor
        public void sleeper(II_Result result) {
            asleep = 1;
            result.r1 = requests.pending() & Requests.KICK;
        }

        @Actor
        public void poster(II_Result result) {
            requests.post(Requests.KICK);
            result.r2 = asleep;
        }
    }
}
