package org.alcazar.engines.x86.mmu;

import org.alcazar.bench.StressMemory;
import org.alcazar.host.HostRam;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

import java.lang.foreign.MemorySegment;

/** Exchanges of parts of an int beside each other, beside plain stores, and as fences. */
public final class AtomicStress {
    private static final StressMemory CELLS = new StressMemory(128, 1 << 18);

    private AtomicStress() {}

    /** An address of four quadwords that hold 0, at 0, 8, 64 and 72. */
    private static long cell() {
        long address = CELLS.take();
        HostRam.setLong(address, 0);
        HostRam.setLong(address + 8, 0);
        HostRam.setLong(address + 64, 0);
        HostRam.setLong(address + 72, 0);
        return address;
    }

    private static long exchange(long address, int bytes, long expected, long value) {
        return Atomic.exchange(address, bytes, expected, value, MemorySegment.NULL);
    }

    /** A byte is exchanged while its neighbours are stored to and exchanged. */
    @JCStressTest
    @Outcome(id = "1, 2, 50397441", expect = Expect.ACCEPTABLE)
    @Outcome(expect = Expect.FORBIDDEN, desc = "a store is lost")
    @State
    public static class Neighbours {
        private final long cell = cell();

        @Actor
        public void exchangeByte(III_Result result) {
            result.r1 = exchange(cell, 1, 0, 1) == 0 ? 1 : 0;
        }

        @Actor
        public void storeAndExchangeWord(III_Result result) {
            HostRam.setByte(cell + 1, (byte) 1);
            result.r2 = exchange(cell + 2, 2, 0, 0x301) == 0 ? 2 : 0;
        }

        @Arbiter
        public void all(III_Result result) {
            result.r3 = HostRam.getInt(cell);
        }
    }

    /** Of two exchanges of the same byte one succeeds. */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "2, 0"},
            expect = Expect.ACCEPTABLE)
    @Outcome(expect = Expect.FORBIDDEN)
    @State
    public static class OneWins {
        private final long cell = cell();

        @Actor
        public void one(II_Result result) {
            result.r1 = (int) exchange(cell + 3, 1, 0, 1);
        }

        @Actor
        public void two(II_Result result) {
            result.r2 = (int) exchange(cell + 3, 1, 0, 2);
        }
    }

    /** An exchange, here one that succeeds, keeps a store before it from a load after it. */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "1, 0", "1, 1"},
            expect = Expect.ACCEPTABLE)
    @Outcome(id = "0, 0", expect = Expect.FORBIDDEN)
    @State
    public static class Fence {
        private final long cell = cell();

        @Actor
        public void one(II_Result result) {
            exchange(cell, 4, 0, 1);
            result.r1 = HostRam.getInt(cell + 64);
        }

        @Actor
        public void two(II_Result result) {
            exchange(cell + 64, 2, 0, 1);
            result.r2 = HostRam.getInt(cell);
        }
    }

    /** So does one that fails. */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "1, 0", "1, 1"},
            expect = Expect.ACCEPTABLE)
    @Outcome(id = "0, 0", expect = Expect.FORBIDDEN)
    @State
    public static class FailingFence {
        private final long cell = cell();

        @Actor
        public void one(II_Result result) {
            HostRam.setInt(cell, 1);
            exchange(cell + 8, 8, 7, 1);
            result.r1 = HostRam.getInt(cell + 64);
        }

        @Actor
        public void two(II_Result result) {
            HostRam.setInt(cell + 64, 1);
            exchange(cell + 75, 1, 7, 1);
            result.r2 = HostRam.getInt(cell);
        }
    }
}
