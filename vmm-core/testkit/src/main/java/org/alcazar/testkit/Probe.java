package org.alcazar.testkit;

import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Exit;
import org.alcazar.machine.InterruptLine;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.VirtualMachine;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.ExtensionType.Extension;
import org.alcazar.vmm.plugin.Settings;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A test's eyes in its VM: an extension that stops it at breakpoints and behind single steps, keeps
 * the last exits and interrupts, and listens to the platform's interrupt lines.
 */
final class Probe implements Extension {
    static final String NAME = "probe";

    /** Interrupt lines that it listens to: 0 to 63. */
    static final int LINES = 64;

    private static final int NOBODY = -1;
    private static final long NEVER = -1;

    private final VirtualMachine vm;
    private final ExitRing[] exits;

    /** For each vcore what it has retired when its steps are done. Written while it stands. */
    private final long[] stepsEnd;

    /** The vcore that has stopped the VM. */
    private final AtomicInteger stopped = new AtomicInteger(NOBODY);

    /** Nothing would have ended the step. */
    private volatile boolean halted;

    private final Interrupts interrupts;
    private final boolean[] levels = new boolean[LINES];
    private final long[] edges = new long[LINES];

    private Probe(VirtualMachine vm, int vcores) {
        this.vm = vm;
        exits = new ExitRing[vcores];
        Arrays.setAll(exits, i -> new ExitRing());
        stepsEnd = new long[vcores];
        interrupts = new Interrupts(vcores);
        Arrays.fill(stepsEnd, NEVER);
    }

    /** The type {@code probe}. */
    static final class Type implements ExtensionType {
        @Override
        public String name() {
            return NAME;
        }

        @Override
        public String description() {
            return "breakpoints, steps, exits and interrupt lines for a test";
        }

        @Override
        public Extension create(ExtensionContext context, Settings settings)
                throws ConfigurationException {
            Probe probe = new Probe(context.vm(), context.vcores().size());
            for (int line = 0; line < LINES; line++) {
                context.interruptInput(line, probe.listener(line));
            }
            context.provide(Probe.class, probe);
            return probe;
        }
    }

    // ---- around each run of guest code

    @Override
    public void onEntry(Vcore vcore) {
        ControlBlock block = vcore.block();
        VectorRecord record = interrupts.record(vcore.index());
        if (block.interrupts != record) { // the controller has come, or is another one now
            record.before(block.interrupts);
            block.interrupts = record;
        }
        long end = stepsEnd[vcore.index()];
        if (end != NEVER) {
            block.budget = Math.min(block.budget, Math.max(0, end - block.retired));
        }
    }

    @Override
    public void onExit(Vcore vcore, int reason) {
        int index = vcore.index();
        ControlBlock block = vcore.block();
        exits[index].add(reason, block.frame(), block.retired);
        long end = stepsEnd[index];
        if (reason == Exit.DEBUG || end != NEVER && block.retired >= end) {
            stop(index, reason == Exit.DEBUG ? "breakpoint" : "step");
        }
    }

    @Override
    public void onIdle(Vcore vcore) {
        if (stepsEnd[vcore.index()] != NEVER) {
            halted = true;
            stop(vcore.index(), "halt in a step");
        }
    }

    /** Of several vcores the first one counts; the others stop at their breakpoints again. */
    private void stop(int vcore, String why) {
        stopped.compareAndSet(NOBODY, vcore);
        stepsEnd[vcore] = NEVER;
        vm.pause(why + " of vcore " + vcore);
    }

    // ---- for the test, while the VM stands

    /** The vcore that has stopped the VM, or -1. Any time. */
    int stopped() {
        return stopped.get();
    }

    /** The VM is about to go on: a vcore that stands at a breakpoint passes it. */
    void go() {
        int vcore = stopped.getAndSet(NOBODY);
        if (vcore != NOBODY) {
            vm.vcores().get(vcore).block().passBreakpoint = true;
        }
    }

    /**
     * A vcore is to stop behind so many instructions, the first whether it has a breakpoint or not.
     */
    void step(int vcore, long count) {
        ControlBlock block = vm.vcores().get(vcore).block();
        halted = false;
        stepsEnd[vcore] = block.retired + count;
        block.passBreakpoint = true;
    }

    /** Whether the last step ended because the vcore sleeps for ever. */
    boolean halted() {
        return halted;
    }

    Interrupts interrupts() {
        return interrupts;
    }

    /** At most so many exits of a vcore in words, the last one last. */
    List<String> exits(int vcore, int most) {
        return exits[vcore].describe(most);
    }

    // ---- interrupt lines

    private InterruptLine listener(int line) {
        return level -> {
            synchronized (edges) {
                if (level && !levels[line]) {
                    edges[line]++;
                }
                levels[line] = level;
            }
        };
    }

    boolean level(int line) {
        synchronized (edges) {
            return levels[line];
        }
    }

    /** How often a line rose. */
    long edges(int line) {
        synchronized (edges) {
            return edges[line];
        }
    }

    @Override
    public SavedState save() {
        synchronized (edges) {
            long high = 0;
            for (int i = 0; i < LINES; i++) {
                high |= levels[i] ? 1L << i : 0;
            }
            return new SavedState(NAME, 1).put("levels", high).put("edges", edges);
        }
    }

    @Override
    public void restore(SavedState state) {
        long high = state.require(NAME, 1).getLong("levels");
        long[] counts = state.getLongs("edges");
        synchronized (edges) {
            for (int i = 0; i < LINES; i++) {
                levels[i] = (high >> i & 1) != 0;
            }
            System.arraycopy(counts, 0, edges, 0, LINES);
        }
    }
}
