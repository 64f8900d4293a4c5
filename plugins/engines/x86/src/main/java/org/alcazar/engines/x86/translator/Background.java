package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Standstill;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/**
 * Has a translator work on a thread of its own, the hottest code first, and gives regions out when
 * they are machine code: a region that the JVM still interprets is slower than the interpreter of
 * guest code is.
 */
public final class Background implements Translator {
    /** Candidates that may wait; more are refused. */
    private static final int WAITING = 4096;

    /** After so many calls HotSpot compiles a method, even if many others wait for that too. */
    private static final int WARM = 600;

    /** The same for quick translations, by the JVM option that scales thresholds for these. */
    private static final int QUICKLY_WARM = 200;

    private record Task(
            Candidate candidate, IntSupplier heat, Consumer<@Nullable Translation> done) {}

    private final RegionTranslator translator;

    /** Refuses every region at its entry: its budget is 0. */
    private final Cpu cold;

    private final List<Task> waiting = new ArrayList<>();

    /** So many were waiting at a time. */
    private int most;

    private @Nullable Thread worker;
    private boolean closed;

    /** Makes one, whose thread has the JVM told soon how to compile what comes of it. */
    public static Background start(RegionTranslator translator, CpuModel model) {
        Background made = new Background(translator, model);
        synchronized (made.waiting) {
            made.begin();
        }
        return made;
    }

    Background(RegionTranslator translator, CpuModel model) {
        this.translator = translator;
        cold =
                new Cpu(
                        0,
                        new ControlBlock(X86.ARCHITECTURE),
                        new PhysicalBus(),
                        model,
                        new Standstill());
    }

    @Override
    public int threshold() {
        return translator.threshold();
    }

    @Override
    public void translate(
            Candidate candidate, IntSupplier heat, Consumer<@Nullable Translation> done) {
        synchronized (waiting) {
            if (closed || waiting.size() == WAITING) {
                done.accept(null);
                return;
            }
            waiting.add(new Task(candidate, heat, done));
            most = Math.max(most, waiting.size());
            if (worker == null) {
                begin();
            }
        }
    }

    @Override
    public int waiting() {
        synchronized (waiting) {
            return waiting.size();
        }
    }

    @Override
    public void count(Map<String, Long> all) {
        translator.count(all);
        synchronized (waiting) {
            all.put("translation-queue", (long) waiting.size());
            all.put("translation-queue-most", (long) most);
        }
    }

    private void begin() {
        Thread thread = new Thread(this::work, "translator");
        thread.setDaemon(true);
        thread.start();
        worker = thread;
    }

    /** The thread must not outlive its bundle, whose classes are gone then. */
    @Override
    public void close() {
        Thread last;
        synchronized (waiting) {
            closed = true;
            waiting.clear();
            last = worker;
        }
        try {
            if (last != null) {
                last.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void work() {
        CompilerDirectives.give();
        for (Task task = next(); task != null; task = next()) {
            Translation made = translator.translate(task.candidate);
            if (made != null) {
                Region region = made.instance();
                int calls = task.candidate.quick() ? QUICKLY_WARM : WARM;
                for (int i = 0; i < calls; i++) {
                    region.run(cold);
                }
            }
            task.done.accept(made);
        }
    }

    /** The hottest; null if there is nothing to do, and the thread ends. */
    private @Nullable Task next() {
        synchronized (waiting) {
            int best = -1;
            int most = Integer.MIN_VALUE;
            for (int i = 0; i < waiting.size(); i++) {
                int heat = waiting.get(i).heat.getAsInt();
                if (heat > most) {
                    most = heat;
                    best = i;
                }
            }
            if (best < 0) {
                worker = null;
                return null;
            }
            Task last = waiting.removeLast();
            return best == waiting.size() ? last : waiting.set(best, last);
        }
    }
}
