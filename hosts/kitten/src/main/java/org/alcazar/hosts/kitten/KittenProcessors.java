package org.alcazar.hosts.kitten;

import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.hosts.support.Notes;
import org.alcazar.hosts.support.Primitives;
import org.alcazar.hosts.support.Sleeper;
import org.alcazar.hosts.support.ThreadProcessors;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Tasks that stay on their processor. Who names none gets the one with the fewest tasks when the
 * task starts; after that only {@link HostThread#move} changes it.
 */
final class KittenProcessors extends ThreadProcessors {
    private final Primitives<KittenPrimitive> primitives;

    /** How many tasks each processor has. Guarded by this. */
    private final int[] tasks = new int[count()];

    private final boolean placeable = systemNumber(0) >= 0;

    KittenProcessors(Primitives<KittenPrimitive> primitives, Notes notes) {
        super("kitten");
        this.primitives = primitives;
        notes.state(this::describe);
        if (!placeable) {
            notes.shortOf(
                    "pinning",
                    "this system gives no way to place threads: tasks run where it puts them");
        }
    }

    private synchronized String describe() {
        return "processors: %d, tasks on them: %s".formatted(count(), Arrays.toString(tasks));
    }

    @Override
    public HostThread start(String name, int cpu, Runnable body) throws HostRefusal {
        Task task = new Task();
        Runnable accounted =
                () -> {
                    try {
                        body.run();
                    } finally {
                        task.end();
                    }
                };
        boolean somewhere = cpu == HostThread.ANY_CPU || (cpu >= 0 && cpu < count());
        int at = task.enter(cpu);
        try {
            HostThread thread = super.start(name, placeable && somewhere ? at : cpu, accounted);
            primitives.count(KittenPrimitive.TASK_START);
            return new Handle(this, thread, task);
        } catch (HostRefusal e) {
            task.end();
            throw e;
        }
    }

    /** A thread that takes a processor now and then, but is no task of anybody's. */
    HostThread startTick(int cpu, Runnable body) throws HostRefusal {
        return super.start("kitten-tick-" + cpu, placeable ? cpu : HostThread.ANY_CPU, body);
    }

    @Override
    public void callOn(int cpu, Runnable action) {
        super.callOn(cpu, action);
        primitives.count(KittenPrimitive.IPI);
    }

    @Override
    protected Sleeper sleeper(Thread thread) {
        return new CountingSleeper(Sleeper.ofJvm(thread), new AtomicBoolean(), primitives);
    }

    /** On which processor a task is accounted. Its field is guarded by the processors. */
    private final class Task {
        private static final int NOWHERE = -1;
        private int cpu = NOWHERE;
        private boolean ended;

        /** Accounts the task where it was asked for, or where the fewest are; elsewhere no more. */
        int enter(int wanted) {
            synchronized (KittenProcessors.this) {
                if (cpu != NOWHERE) {
                    tasks[cpu]--;
                }
                int chosen = wanted == HostThread.ANY_CPU ? leastLoaded() : wanted;
                boolean real = !ended && chosen >= 0 && chosen < tasks.length;
                cpu = real ? chosen : NOWHERE;
                if (real) {
                    tasks[chosen]++;
                }
                return chosen;
            }
        }

        /** Where the task is already, if no other has fewer. */
        private int leastLoaded() {
            int best = Math.max(cpu, 0);
            for (int i = 0; i < tasks.length; i++) {
                if (tasks[i] < tasks[best]) {
                    best = i;
                }
            }
            return best;
        }

        void end() {
            synchronized (KittenProcessors.this) {
                ended = true;
                if (cpu != NOWHERE) {
                    tasks[cpu]--;
                    cpu = NOWHERE;
                }
            }
        }

        int cpu() {
            synchronized (KittenProcessors.this) {
                return cpu;
            }
        }
    }

    /** What callers hold. */
    private record Handle(KittenProcessors processors, HostThread thread, Task task)
            implements HostThread {
        @Override
        public void move(int cpu) throws HostRefusal {
            if (!processors.placeable || cpu < ANY_CPU || cpu >= processors.count()) {
                thread.move(cpu); // refuses, or lets it run anywhere where there is no other way
                return;
            }
            int before = task.cpu();
            if (before == cpu) {
                return;
            }
            try {
                thread.move(task.enter(cpu));
            } catch (HostRefusal e) {
                task.enter(before);
                throw e;
            }
            processors.primitives.count(KittenPrimitive.TASK_MIGRATION);
        }

        @Override
        public void kick() {
            thread.kick();
        }

        @Override
        public void wake() {
            thread.wake();
        }

        @Override
        public boolean join(long nanos) {
            return thread.join(nanos);
        }
    }

    /**
     * A sleep gives the processor up; a wake is an interrupt to it.
     *
     * @param asleep between the two
     */
    private record CountingSleeper(
            Sleeper sleeper, AtomicBoolean asleep, Primitives<KittenPrimitive> primitives)
            implements Sleeper {
        @Override
        public void sleep(long nanos) {
            asleep.set(true);
            primitives.count(KittenPrimitive.CONTEXT_SWITCH);
            sleeper.sleep(nanos);
            asleep.set(false);
        }

        @Override
        public void wake() {
            if (asleep.getAndSet(false)) {
                primitives.count(KittenPrimitive.IPI);
            }
            sleeper.wake();
        }
    }
}
