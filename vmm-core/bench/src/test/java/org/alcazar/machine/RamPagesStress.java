package org.alcazar.machine;

import org.alcazar.bench.StressMemory;
import org.alcazar.host.HostRam;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Who writes to a page sees that it is watched, or who watches it sees the bytes. */
@JCStressTest
@Outcome(
        id = {"0, 1", "1, 0", "1, 1"},
        expect = Expect.ACCEPTABLE)
@Outcome(
        id = "0, 0",
        expect = Expect.FORBIDDEN,
        desc = "old bytes, and nobody tells of the new ones")
@State
public class RamPagesStress {
    private static final StressMemory PAGES = new StressMemory(4096, 1 << 15);
    private static final ThreadLocal<long[]> TOLD = ThreadLocal.withInitial(() -> new long[1]);

    static {
        RamPages.addListener((page, flags) -> TOLD.get()[0] = page);
    }

    private final long page;

    /** Takes another page, as it was at first. */
    public RamPagesStress() {
        page = PAGES.take();
        RamPages.unmark(page, RamPages.CODE);
        HostRam.setByte(page, (byte) 0);
    }

    @Actor
    public void writer(II_Result result) {
        long[] told = TOLD.get();
        told[0] = 0;
        RamPages.setByte(page, (byte) 1);
        result.r1 = told[0] == page ? 1 : 0;
    }

    @Actor
    public void decoder(II_Result result) {
        RamPages.mark(page, RamPages.CODE);
        result.r2 = HostRam.getByte(page);
    }
}
