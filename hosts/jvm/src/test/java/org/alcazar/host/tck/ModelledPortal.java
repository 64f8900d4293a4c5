package org.alcazar.host.tck;

import org.alcazar.host.HostExitPortal;
import org.alcazar.host.HostKernel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.SynchronousQueue;

/** Exits as messages between threads of the JVM. Faults may be switched on. */
class ModelledPortal implements HostExitPortal {
    /** What may be wrong with it. */
    enum Fault {
        NONE,
        ALL_WORDS,
        TOO_FEW_WORDS,
        UNCHECKED,
        MAPS_ANYTHING,
        DEAF,
        IMMORTAL
    }

    Fault fault = Fault.NONE;

    private final HostKernel host;
    private final Set<PageExtent> held;

    /**
     * @param held what the VMM holds now, from any thread
     */
    ModelledPortal(HostKernel host, Set<PageExtent> held) {
        this.host = host;
        this.held = held;
    }

    @Override
    public Gate open(String space, String name, int cpu, Guest guest) throws HostRefusal {
        check(cpu);
        return new ThreadGate(name, guest);
    }

    private void check(int cpu) throws HostRefusal {
        int count = host.processors().count();
        if (cpu < -1 || cpu >= count) {
            throw new HostRefusal("no processor " + cpu + "; there are 0 to " + (count - 1));
        }
    }

    private void check(long[] message) {
        require(message.length == WORDS, "it has " + message.length + " words");
        int at = 1 + HostExitPortal.untyped(message[0]);
        int end = at + HostExitPortal.typed(message[0]);
        require(end <= WORDS, "its tag tells of too many words");
        while (at < end) {
            int words = (int) (message[at] & 0xf) == MAP ? 2 : registers(message[at]);
            require(at + words <= end, "an item is cut");
            if (words == 2 && (message[at] & 0xf) == MAP) {
                checkMap(message[at], message[at + 1]);
            }
            at += words;
        }
    }

    private static int registers(long word) {
        require((word & 0xf) == REGISTERS, "an item is of no known kind");
        return 1 + (int) (word >>> 16 & 0xffff);
    }

    private void checkMap(long target, long page) {
        int shift = (int) (page >>> 4 & 0x3f);
        long size = 1L << shift;
        long from = page & -1L << 10;
        require(shift >= HostMemory.PAGE_SHIFT && shift < 48, "it maps no page");
        require((from & size - 1) == 0, "pages are not aligned");
        require((target & -16L & size - 1) == 0, "the target is not aligned");
        for (long at = 0; at < size; at += HostMemory.PAGE_SIZE) {
            long one = from + at;
            boolean there =
                    held.stream()
                            .anyMatch(e -> one >= e.address() && one < e.address() + e.bytes());
            require(fault == Fault.MAPS_ANYTHING || there, "it maps what is not held");
        }
    }

    private static void require(boolean condition, String why) {
        if (!condition) {
            throw new IllegalStateException("a message is malformed: " + why);
        }
    }

    private final class ThreadGate implements Gate {
        private static final long[] END = {};

        private final SynchronousQueue<long[]> down = new SynchronousQueue<>();
        private final SynchronousQueue<long[]> up = new SynchronousQueue<>();
        private final Thread thread;
        private boolean closed;

        ThreadGate(String name, Guest guest) {
            thread = Thread.ofPlatform().daemon().name(name).start(() -> run(guest));
        }

        private void run(Guest guest) {
            long[] own = new long[WORDS];
            for (long[] in = take(down); in != END; in = take(down)) {
                System.arraycopy(in, 0, own, 0, in.length);
                guest.run(own);
                Thread.interrupted(); // meant for the guest
                put(up, travelling(own));
            }
        }

        private long[] travelling(long[] message) {
            int words = 1 + HostExitPortal.untyped(message[0]) + HostExitPortal.typed(message[0]);
            return switch (fault) {
                case ALL_WORDS -> message.clone();
                case UNCHECKED -> Arrays.copyOf(message, Math.min(words, message.length));
                case TOO_FEW_WORDS -> Arrays.copyOf(message, Math.max(1, words - 1));
                default -> Arrays.copyOf(message, words);
            };
        }

        @Override
        public void exchange(long[] message) {
            if (fault != Fault.UNCHECKED) {
                check(message);
            }
            put(down, travelling(message));
            long[] back = take(up);
            System.arraycopy(back, 0, message, 0, back.length);
        }

        @Override
        public void move(int cpu) throws HostRefusal {
            check(cpu);
        }

        @Override
        public void interrupt() {
            if (fault != Fault.DEAF) {
                thread.interrupt();
            }
        }

        @Override
        public StackTraceElement[] trace() {
            return thread.getStackTrace();
        }

        @Override
        public void close() {
            if (!closed && fault != Fault.IMMORTAL) {
                closed = true;
                Thread.ofVirtual().start(() -> put(down, END));
            }
        }

        private static void put(SynchronousQueue<long[]> queue, long[] message) {
            while (true) {
                try {
                    queue.put(message);
                    return;
                } catch (InterruptedException e) {
                    // For the guest; a message is on its way here.
                }
            }
        }

        private static long[] take(SynchronousQueue<long[]> queue) {
            while (true) {
                try {
                    return queue.take();
                } catch (InterruptedException e) {
                    // For the guest; none runs here.
                }
            }
        }
    }
}
