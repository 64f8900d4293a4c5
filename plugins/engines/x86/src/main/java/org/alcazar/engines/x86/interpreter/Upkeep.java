package org.alcazar.engines.x86.interpreter;

import org.alcazar.machine.Requests;

/**
 * Keeps a core's decoded code true to what others write: their {@link Orders}, and obeying them.
 */
final class Upkeep {
    private final Core core;
    private final X86Engine engine;
    private final Orders orders = new Orders();
    private final long[] taken = new long[Orders.MAX + 1];

    /** The last of {@link X86Engine#protect} whose orders this core has obeyed. */
    private volatile long closed;

    Upkeep(Core core, X86Engine engine) {
        this.core = core;
        this.engine = engine;
    }

    /** From any thread. */
    void order(long page, int order) {
        orders.add(page, order);
        core.requests.post(Requests.ENGINE);
    }

    /** From any thread. */
    void orderForAll(int order) {
        orders.addForAll(order);
        core.requests.post(Requests.ENGINE);
    }

    long closed() {
        return closed;
    }

    /** At the end of a run, in which guest code may have written unseen. */
    void obeyIfWaiting() {
        if (orders.waiting()) {
            obey(true);
        }
    }

    /**
     * @param late guest code has run since the orders came, maybe: it may have written to pages
     *     that others decode from by ways that are closed only now
     */
    void obey(boolean late) {
        long protections = engine.protections();
        int count = orders.waiting() ? orders.take(taken) : -1;
        for (int i = 1; i <= count; i++) {
            obey(taken[i] & -4, (int) taken[i] & 3, late);
        }
        if (count >= 0 && taken[0] != 0) {
            obeyForAll((int) taken[0], late);
        }
        if (closed != protections) {
            closed = protections;
        }
    }

    private void obey(long page, int order, boolean late) {
        if ((order & Orders.DROP) != 0) {
            core.cache.drop(page, Loss.WRITTEN);
        }
        if ((order & Orders.PROTECT) != 0) {
            core.mmu.dropWritable(page);
            if (late) {
                engine.protectedLate(page, core);
            }
        }
    }

    private void obeyForAll(int order, boolean late) {
        if ((order & Orders.DROP) != 0) {
            core.cache.clear(Loss.WRITTEN);
        }
        if ((order & Orders.PROTECT) != 0) {
            core.mmu.keysChanged();
            if (late) {
                engine.anyWrittenUnseen(core);
            }
        }
    }
}
