package org.alcazar.engines.x86.region;

import org.alcazar.engines.x86.state.Cpu;
import org.jspecify.annotations.Nullable;

/**
 * Translated code of a stretch of a guest's program, as one core runs it: the class is shared by
 * all cores and machines, the object with its links belongs to one core.
 *
 * <p>A region does nothing but the ordinary course of its instructions. Whatever else comes (a page
 * that no view has, a device, an exception, an instruction that it does not know), it leaves with
 * the state exactly before that instruction, which the interpreter then executes. So regions raise
 * no exceptions and make no exits of their own.
 */
public abstract class Region {
    /**
     * Results of {@link #run} besides the number of an exit: {@code rip} says where to go on, by
     * any means.
     */
    public static final int INDIRECT = -1;

    /** The instruction at {@code rip} is one for the interpreter. */
    public static final int PLAIN = -2;

    /** Not entered: the budget is too short for it, or the mode is not right. */
    public static final int REFUSED = -3;

    /** Goes on at {@code rip}, in a mode that may be another. */
    public static final int ELSEWHERE = -4;

    /** Regions that call one another directly, at most; bounds the host's stack. */
    public static final int MAX_DEPTH = 60;

    /** No address. */
    private static final long NOWHERE = 1L << 63;

    /** What a core's regions tell of themselves to who runs them. */
    public static final class Path {
        /** The one that was left by a numbered exit last, or refused to run. */
        private Region left;

        /** Makes one. */
        public Path() {
            left = new None();
        }

        /** The links of the region that was left by a numbered exit last, or refused to run. */
        public Links left() {
            return left.links;
        }
    }

    /** For where there is none. */
    private static final class None extends Region {
        @Override
        public int run(Cpu cpu) {
            return REFUSED;
        }
    }

    private static final Path UNUSED = new Path();

    private Links links = Links.NONE;
    private Path path = UNUSED;

    /**
     * Where its entry's address leads to it, and all of its code is where it was; for {@link
     * Cpu#knows}.
     */
    public long known;

    /** What calls by exits led to. */
    private @Nullable Region[] direct = {};

    private Targets targets = new Targets();

    /** Entries and loops until it is worth a better translation. */
    private int left;

    /**
     * Makes it a core's.
     *
     * @param to where the core's links of this region are
     * @param exits how many it has
     * @param indirect what the core's regions in this mode share
     * @param shared what all of the core's regions share
     * @param patience entries and loops until {@link Links#warm} is told first, if it counts them
     */
    public final void link(Links to, int exits, Targets indirect, Path shared, int patience) {
        links = to;
        direct = new @Nullable Region[exits];
        targets = indirect;
        path = shared;
        left = patience;
    }

    /**
     * Runs it from its entry.
     *
     * @return the number of an exit, whose address {@code rip} is then too, or one of the constants
     */
    public abstract int run(Cpu cpu);

    /** Tells which region was left by a numbered exit, or refused. */
    protected final int leave(int exit) {
        path.left = this;
        return exit;
    }

    /** Counts an entry or a loop. */
    protected final void count() {
        if (--left == 0) {
            left = links.warm();
        }
    }

    /**
     * What a call by an exit leads to.
     *
     * @return null if that is not known to be translated, or should not be run now
     */
    protected final @Nullable Region callee(Cpu cpu, int exit) {
        if (!mayCall(cpu)) {
            return null;
        }
        Region last = direct[exit];
        return last != null && cpu.knows(last.known) ? last : find(exit);
    }

    private static boolean mayCall(Cpu cpu) {
        return cpu.depth < MAX_DEPTH && cpu.requests.pending() == 0;
    }

    private @Nullable Region find(int exit) {
        Region found = links.callee(exit);
        direct[exit] = found;
        return found;
    }

    /** The same for an address. */
    protected final @Nullable Region calleeAt(Cpu cpu, long rip) {
        if (!mayCall(cpu)) {
            return null;
        }
        Region known = targets.find(cpu, rip);
        return known != null ? known : findAt(cpu, rip);
    }

    private @Nullable Region findAt(Cpu cpu, long rip) {
        Region found = links.calleeAt(rip);
        if (found != null) {
            targets.put(rip, found);
        }
        return found;
    }

    /**
     * Goes on behind a callee that was left for other regions, until the call returns.
     *
     * @param outcome of the callee
     * @param back where the call returns to
     * @return {@link #INDIRECT} with {@code back} as {@code rip}, or the last region's result if
     *     something else is wanted first
     */
    protected final int follow(Cpu cpu, int outcome, long back) {
        int result = outcome;
        while (true) {
            Region next = null;
            if (result >= 0) {
                next = path.left.callee(cpu, result);
            } else if (result == INDIRECT && cpu.rip != back) {
                next = calleeAt(cpu, cpu.rip);
            }
            if (next == null) {
                return result;
            }
            result = next.run(cpu);
        }
    }

    /**
     * Runs it and the regions that it leads to, one after the other.
     *
     * @return the last one's result, which is {@link Path#left} if it has a number or refused
     */
    public final int runOn(Cpu cpu) {
        return follow(cpu, run(cpu), NOWHERE);
    }
}
