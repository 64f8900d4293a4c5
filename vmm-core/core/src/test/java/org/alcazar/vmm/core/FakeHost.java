package org.alcazar.vmm.core;

import org.alcazar.host.HostClock;
import org.alcazar.host.HostConsoles;
import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostFiles;
import org.alcazar.host.HostInterrupts;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostProcessors;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.HostThread;
import org.alcazar.host.HostTimer;
import org.alcazar.host.HostTopology;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * A host whose clock stands until a test moves it, whose files are in memory, and which refuses on
 * request.
 */
final class FakeHost implements HostKernel {
    static final long ARENA = 64L << 20;

    final Clock clock = new Clock();
    final Memory memory = new Memory();
    final Processors processors = new Processors();
    final Consoles consoles = new Consoles();
    final Files files = new Files();

    /** How it lies, if a test wants that. */
    @Nullable HostTopology topology;

    /** What keeps guest code and VMM apart, if a test wants that. */
    @Nullable FakePortal portal;

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public HostMemory memory() {
        return memory;
    }

    @Override
    public HostProcessors processors() {
        return processors;
    }

    @Override
    public HostInterrupts interrupts() {
        throw new UnsupportedOperationException("no interrupts");
    }

    @Override
    public HostClock clock() {
        return clock;
    }

    @Override
    public <T> Optional<T> find(Class<T> service) {
        if (service == HostFiles.class) {
            return Optional.of(service.cast(files));
        }
        if (service == HostTopology.class) {
            return Optional.ofNullable(topology).map(service::cast);
        }
        if (service == HostExitPortal.class) {
            return Optional.ofNullable(portal).map(service::cast);
        }
        return service == HostConsoles.class
                ? Optional.of(service.cast(consoles))
                : Optional.empty();
    }

    /** Time that moves when told to; timers fire within {@link #advance}. */
    static class Clock implements HostClock {
        private final List<Timer> timers = new ArrayList<>();
        private long now = 1_000_000;
        private long readings;

        /** Added at each reading. */
        long step;

        @Override
        public synchronized long nanoTime() {
            now += step;
            readings++;
            return now;
        }

        /** How often somebody has asked for the time. */
        synchronized long readings() {
            return readings;
        }

        @Override
        public long epochNanos() {
            return 1_700_000_000_000_000_000L;
        }

        @Override
        public synchronized HostTimer timer(String name, Runnable action) {
            Timer timer = new Timer(action);
            timers.add(timer);
            return timer;
        }

        synchronized int timersOpen() {
            return timers.size();
        }

        void advance(long nanos) {
            long end;
            synchronized (this) {
                end = now + nanos;
            }
            while (true) {
                Timer due = null;
                synchronized (this) {
                    for (Timer timer : timers) {
                        if (timer.deadline <= end
                                && (due == null || timer.deadline < due.deadline)) {
                            due = timer;
                        }
                    }
                    if (due == null) {
                        now = end;
                        return;
                    }
                    now = Math.max(now, due.deadline);
                    due.deadline = Long.MAX_VALUE;
                }
                due.action.run();
            }
        }

        private final class Timer implements HostTimer {
            private final Runnable action;
            private long deadline = Long.MAX_VALUE;

            Timer(Runnable action) {
                this.action = action;
            }

            @Override
            public void arm(long at) {
                boolean due;
                synchronized (Clock.this) {
                    due = at <= now;
                    deadline = due ? Long.MAX_VALUE : at;
                }
                if (due) {
                    action.run();
                }
            }

            @Override
            public void cancel() {
                synchronized (Clock.this) {
                    deadline = Long.MAX_VALUE;
                }
            }

            @Override
            public void close() {
                synchronized (Clock.this) {
                    timers.remove(this);
                }
            }
        }
    }

    /** First fit in one arena of the process's range; every test has the same one. */
    static final class Memory implements HostMemory {
        private static final long BASE = carve();

        private final TreeMap<Long, PageExtent> used = new TreeMap<>();

        /** Nodes that were asked for, with their owners. */
        final Set<String> nodes = new TreeSet<>();

        /** Allocations until a refusal. */
        private int allowed = Integer.MAX_VALUE;

        private static long carve() {
            HostRange.reserve(
                    () -> Arena.global().allocate(ARENA + (4 << 20), HostMemory.PAGE_SIZE));
            try {
                return HostRange.carve(ARENA, 1 << 21);
            } catch (HostRefusal e) {
                throw new IllegalStateException(e);
            }
        }

        synchronized void refuseAfter(int allocations) {
            allowed = allocations;
        }

        @Override
        public long totalBytes() {
            return ARENA;
        }

        @Override
        public synchronized long bytesInUse(String owner) {
            return used.values().stream()
                    .filter(e -> owner.isEmpty() || e.owner().equals(owner))
                    .mapToLong(PageExtent::bytes)
                    .sum();
        }

        @Override
        public synchronized PageExtent allocate(PageRequest request) throws HostRefusal {
            if (allowed-- <= 0) {
                throw new HostRefusal("no pages today");
            }
            nodes.add(request.owner() + " " + request.numaNode());
            long bytes = request.pages() * PAGE_SIZE;
            long at = BASE;
            for (PageExtent extent : used.values()) {
                at = at + request.alignment() - 1 & -request.alignment();
                if (extent.address() - at >= bytes) {
                    break;
                }
                at = Math.max(at, extent.address() + extent.bytes());
            }
            at = at + request.alignment() - 1 & -request.alignment();
            if (at + bytes > BASE + ARENA) {
                throw new HostRefusal("no gap of " + bytes + " bytes");
            }
            HostRam.fill(at, bytes, (byte) 0);
            PageExtent extent = new PageExtent(request.owner(), at, request.pages());
            used.put(at, extent);
            return extent;
        }

        @Override
        public synchronized void free(PageExtent extent) {
            if (!used.remove(extent.address(), extent)) {
                throw new IllegalArgumentException("not in use: " + extent);
            }
        }
    }

    /** Threads of the JVM that sleep until somebody wakes them. */
    static final class Processors implements HostProcessors {
        private final Map<Thread, AtomicBoolean> woken = new ConcurrentHashMap<>();
        private final java.util.concurrent.atomic.AtomicInteger sleeping =
                new java.util.concurrent.atomic.AtomicInteger();
        private int allowed = Integer.MAX_VALUE;

        /** Where threads were put, by their names. */
        final Map<String, Integer> places = new ConcurrentHashMap<>();

        private void check(int cpu) throws HostRefusal {
            if (cpu < HostThread.ANY_CPU || cpu >= count()) {
                throw new HostRefusal("host fake: no processor " + cpu);
            }
        }

        synchronized void refuseAfter(int threads) {
            allowed = threads;
        }

        long threadsAlive() {
            return woken.keySet().stream().filter(Thread::isAlive).count();
        }

        @Override
        public int count() {
            return 2;
        }

        @Override
        public long frequency(int cpu) {
            return 0;
        }

        @Override
        public synchronized HostThread start(String name, int cpu, Runnable body)
                throws HostRefusal {
            check(cpu);
            places.put(name, cpu);
            if (allowed-- <= 0) {
                throw new HostRefusal("no threads today");
            }
            Thread thread = Thread.ofPlatform().daemon().name(name).unstarted(body);
            woken.put(thread, new AtomicBoolean());
            thread.start();
            return new Handle(thread);
        }

        @Override
        public void callOn(int cpu, Runnable action) {
            action.run();
        }

        @Override
        public void yield() {
            Thread.yield();
        }

        @Override
        public void sleep(long nanos) {
            AtomicBoolean flag = woken.get(Thread.currentThread());
            if (flag == null) {
                throw new IllegalStateException("not a thread of this host");
            }
            sleeping.incrementAndGet();
            while (!flag.getAndSet(false)) {
                LockSupport.park(this);
            }
            sleeping.decrementAndGet();
        }

        int sleeping() {
            return sleeping.get();
        }

        private final class Handle implements HostThread {
            private final Thread thread;

            Handle(Thread thread) {
                this.thread = thread;
            }

            @Override
            public void move(int cpu) throws HostRefusal {
                check(cpu);
                places.put(thread.getName(), cpu);
            }

            @Override
            public void kick() {
                wake();
            }

            @Override
            public void wake() {
                AtomicBoolean flag = woken.get(thread);
                if (flag != null) {
                    flag.set(true);
                    LockSupport.unpark(thread);
                }
            }

            @Override
            public boolean join(long nanos) {
                try {
                    return thread.join(java.time.Duration.ofNanos(nanos));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return false;
                }
            }
        }
    }

    /** One console that remembers what was written. */
    static final class Consoles implements HostConsoles {
        final StringBuffer output = new StringBuffer();
        private volatile @Nullable IntConsumer sink;
        volatile int open;

        @Override
        public Console open(String name) throws HostRefusal {
            if (name.equals("file:/refused")) {
                throw new HostRefusal("console file:/refused can't be opened");
            }
            open++;
            return new Console() {
                @Override
                public void write(int octet) {
                    output.append((char) octet);
                }

                @Override
                public void flush() {}

                @Override
                public void onInput(IntConsumer to) {
                    sink = to;
                }

                @Override
                public void close() {
                    open--;
                }
            };
        }

        void type(String text) {
            IntConsumer to = sink;
            if (to != null) {
                text.chars().forEach(to);
            }
        }
    }

    /** Files in memory. */
    static final class Files implements HostFiles {
        final Map<String, byte[]> contents = new HashMap<>(Map.of("kernel", new byte[] {'T'}));

        /** Makes a write fail in the middle. */
        boolean full;

        @Override
        public long size(String path) throws IOException {
            return get(path).length;
        }

        @Override
        public InputStream read(String path) throws IOException {
            return new ByteArrayInputStream(get(path));
        }

        @Override
        public void write(String path, Writer writer) throws IOException {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            writer.writeTo(out);
            if (full) {
                throw new IOException("no space left");
            }
            contents.put(path, out.toByteArray());
        }

        @Override
        public Scratch scratch(String path) throws IOException {
            if (contents.containsKey(path)) {
                throw new java.nio.file.FileAlreadyExistsException(path);
            }
            contents.put(path, new byte[0]);
            ByteBuffer file = ByteBuffer.allocate(16 << 20);
            return new Scratch() {
                @Override
                public void read(long at, ByteBuffer into) throws IOException {
                    if (full) {
                        throw new IOException("the disk is broken");
                    }
                    into.put(file.slice((int) at, into.remaining()));
                }

                @Override
                public void write(long at, ByteBuffer from) throws IOException {
                    if (full) {
                        throw new IOException("no space left");
                    }
                    file.slice((int) at, from.remaining()).put(from);
                }

                @Override
                public void close() {
                    contents.remove(path);
                }
            };
        }

        private byte[] get(String path) throws IOException {
            byte[] bytes = contents.get(path);
            if (bytes == null) {
                throw new java.nio.file.NoSuchFileException(path);
            }
            return bytes;
        }
    }
}
