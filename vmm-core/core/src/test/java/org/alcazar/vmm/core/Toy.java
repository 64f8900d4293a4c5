package org.alcazar.vmm.core;

import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRefusal;
import org.alcazar.host.PageExtent;
import org.alcazar.host.PageRequest;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.GuestPhysicalMap;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Space;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.Schema;
import org.alcazar.vmm.plugin.Settings;
import org.jspecify.annotations.Nullable;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A processor for tests: an accumulator, a program that is a list of Java records, and an engine
 * and a paging mode for it. Every operation is one instruction.
 */
final class Toy {
    static final int REGISTERS = 0;
    static final int PC = 0;
    static final int ACC = 1;
    static final int INTERRUPTS = 2;
    static final int LAST_VECTOR = 3;
    static final int HALTED = 4;

    static final Architecture ARCHITECTURE =
            new Architecture(
                    "toy",
                    ByteOrder.LITTLE_ENDIAN,
                    40,
                    List.of(
                            RegisterGroup.of(
                                    REGISTERS,
                                    "registers",
                                    "pc",
                                    "acc",
                                    "interrupts",
                                    "vector",
                                    "halted")));

    /** Instructions. */
    sealed interface Op {}

    /** acc += amount. */
    record Add(long amount) implements Op {}

    record Set(long value) implements Op {}

    record Jump(int target) implements Op {}

    /** Goes to the target while acc is not 0, counting down. */
    record Loop(int target) implements Op {}

    /** Writes acc. */
    record Write(int space, long address, int size) implements Op {}

    /** Reads into acc. */
    record Read(int space, long address, int size) implements Op {}

    record Call(long number) implements Op {}

    record Halt() implements Op {}

    record Die() implements Op {}

    /** acc = time-stamp counter. */
    record Time() implements Op {}

    /** Leaves with SPIN each time, and goes on with the next instruction. */
    record Spin() implements Op {}

    /** The engine itself breaks. */
    record Break() implements Op {}

    private Toy() {}

    static Op out(int port, int size) {
        return new Write(Space.PORT, port, size);
    }

    static Op in(int port, int size) {
        return new Read(Space.PORT, port, size);
    }

    /**
     * Makes engines for one program, the same for all cores; core 1 and up start at the given
     * places.
     */
    static class ToyEngineType implements EngineType {
        final List<Op> program;
        final List<Map<String, String>> optionsSeen = new ArrayList<>();

        ToyEngineType(Op... program) {
            this.program = List.of(program);
        }

        @Override
        public String name() {
            return "toy";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public Schema configuration() {
            return Schema.of(
                    Key.integer(
                            "seed", Long.MIN_VALUE, Long.MAX_VALUE, 7, "where randomness starts"));
        }

        @Override
        public Architecture architecture() {
            return ARCHITECTURE;
        }

        @Override
        public Engine create(PhysicalBus bus, Map<String, String> options) {
            optionsSeen.add(options);
            return new ToyEngine(program);
        }
    }

    static final class ToyEngine implements Engine {
        private final List<Op> program;
        final Map<Long, Long> pages = new HashMap<>();
        boolean closed;

        ToyEngine(List<Op> program) {
            this.program = program;
        }

        @Override
        public Architecture architecture() {
            return ARCHITECTURE;
        }

        @Override
        public boolean takes(Translation translation) {
            return true;
        }

        @Override
        public VirtualCore newCore(int index, ControlBlock block) {
            return new ToyCore(this, program, index, block);
        }

        @Override
        public void invalidate(Scope scope, long start, long bytes) {
            synchronized (pages) {
                pages.clear();
            }
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    /** Executes. */
    static final class ToyCore implements VirtualCore {
        private final ToyEngine engine;
        private final List<Op> program;
        private final int index;
        private final long[] r = new long[5];

        /** A reply waits for the instruction at the program counter. */
        private boolean pending;

        private boolean asAccess;

        ToyCore(ToyEngine engine, List<Op> program, int index, ControlBlock block) {
            this.engine = engine;
            this.program = program;
            this.index = index;
            reset(block);
        }

        @Override
        public int run(ControlBlock block) {
            if (engine.closed) {
                throw new IllegalStateException("a core runs after its engine was closed");
            }
            if ((block.dirty & 1) != 0) {
                System.arraycopy(block.group(REGISTERS), 0, r, 0, r.length);
                block.dirty = 0;
            }
            block.valid = 0;
            while (true) {
                block.requests().take(Requests.ENGINE);
                if ((block.requests().pending() & Requests.KICK) != 0) {
                    return exit(block, Exit.KICK);
                }
                if (block.requests().take(Requests.INTERRUPT) != 0) {
                    int vector = block.interrupts.acknowledge();
                    if (vector != InterruptSource.NONE) {
                        r[INTERRUPTS]++;
                        r[LAST_VECTOR] = vector;
                        r[HALTED] = 0;
                    }
                }
                if (r[HALTED] != 0) {
                    return exit(block, Exit.IDLE);
                }
                if (block.budget == 0) {
                    return exit(block, Exit.BUDGET);
                }
                int reason = step(block, program.get((int) r[PC]));
                if (reason >= 0) {
                    return exit(block, reason);
                }
                block.retired++;
                if (block.budget != ControlBlock.UNLIMITED) {
                    block.budget--;
                }
            }
        }

        private int exit(ControlBlock block, int reason) {
            block.frame().reason = reason;
            block.frame().pc = r[PC];
            return reason;
        }

        private int step(ControlBlock block, Op op) {
            switch (op) {
                case Add add -> r[ACC] += add.amount;
                case Set set -> r[ACC] = set.value;
                case Time time -> r[ACC] = block.time.ticks(block.retired);
                case Jump jump -> {
                    r[PC] = jump.target;
                    return -1;
                }
                case Loop loop -> {
                    if (r[ACC]-- > 0) {
                        r[PC] = loop.target;
                        return -1;
                    }
                }
                case Halt halt -> r[HALTED] = 1;
                case Spin spin -> {
                    r[PC]++;
                    block.retired++;
                    if (block.budget != ControlBlock.UNLIMITED) {
                        block.budget--;
                    }
                    return Exit.SPIN;
                }
                case Die die -> {
                    return Exit.SHUTDOWN;
                }
                case Break broken -> throw new IllegalStateException("the engine is broken");
                case Call call -> {
                    if (!pending) {
                        pending = true;
                        block.frame().value = call.number;
                        return Exit.CALL;
                    }
                    pending = false;
                    r[ACC] = block.frame().reply == ExitFrame.DONE ? block.frame().value : -1;
                }
                case Write write -> {
                    return access(block, write.space, write.address, write.size, true);
                }
                case Read read -> {
                    return access(block, read.space, read.address, read.size, false);
                }
            }
            r[PC]++;
            return -1;
        }

        private int access(ControlBlock block, int space, long address, int size, boolean write) {
            ExitFrame frame = block.frame();
            if (pending && frame.reply == ExitFrame.ONCE) {
                pending = false;
                ram(frame.value | address & HostMemory.PAGE_SIZE - 1, write);
                r[PC]++;
                return -1;
            }
            if (pending && !asAccess && space == Space.MEMORY && frame.reply != ExitFrame.DONE) {
                asAccess = frame.reply == ExitFrame.AS_ACCESS;
                pending = false;
            } else if (pending) {
                pending = false;
                asAccess = false;
                if (!write) {
                    r[ACC] = frame.reply == ExitFrame.DONE ? frame.value : -2;
                }
                r[PC]++;
                return -1;
            }
            if (space == Space.MEMORY && !asAccess) {
                Long host;
                synchronized (engine.pages) {
                    // No boxed key where there is nothing to find: a test counts bytes.
                    host =
                            engine.pages.isEmpty()
                                    ? null
                                    : engine.pages.get(address & -HostMemory.PAGE_SIZE);
                }
                int wanted = write ? Rights.WRITE : Rights.READ;
                if (host == null || (host & wanted) == 0) {
                    frame.code = wanted;
                    frame.address = address;
                    frame.size = size;
                    frame.write = write;
                    frame.reply = ExitFrame.DONE;
                    pending = true;
                    return Exit.TRANSLATION;
                }
                ram(host & -HostMemory.PAGE_SIZE | address & HostMemory.PAGE_SIZE - 1, write);
                r[PC]++;
                return -1;
            }
            if (space == Space.REGISTER && !block.registers.contains(address)) {
                r[ACC] = -3;
                r[PC]++;
                return -1;
            }
            frame.space = space;
            frame.address = address;
            frame.size = size;
            frame.write = write;
            frame.value = write ? r[ACC] & mask(size) : 0;
            pending = true;
            return Exit.ACCESS;
        }

        private void ram(long host, boolean write) {
            if (write) {
                RamPages.setLong(host, r[ACC]);
            } else {
                r[ACC] = HostRam.getLong(host);
            }
        }

        private static long mask(int size) {
            return size == 8 ? -1 : (1L << 8 * size) - 1;
        }

        @Override
        public void fetch(ControlBlock block, long mask) {
            if (mask == 0) {
                return;
            }
            if (pending && block.frame().reason != Exit.CALL) {
                throw new IllegalStateException("registers asked for in the middle of an access");
            }
            if ((block.valid & 1) == 0) {
                System.arraycopy(r, 0, block.group(REGISTERS), 0, r.length);
                block.valid |= 1;
            }
        }

        @Override
        public void reset(ControlBlock block) {
            java.util.Arrays.fill(r, 0);
            block.retired = 0;
            r[HALTED] = index == 0 ? 0 : 1;
            pending = false;
            asAccess = false;
            block.valid = 0;
            block.dirty = 0;
        }

        @Override
        public long translate(ControlBlock block, long address, int rights) {
            return address;
        }

        @Override
        public String describe(ControlBlock block, long address) {
            return "toy core at " + r[PC] + ", acc " + r[ACC];
        }

        @Override
        public String summary(ControlBlock block) {
            return "at " + r[PC];
        }

        @Override
        public Map<String, Long> counters() {
            return Map.of("toys", 1L);
        }

        @Override
        public void close() {}
    }

    /**
     * Tells the engine where pages lie; takes one host page, so that there is something to give
     * back.
     */
    static class ToyPagingType implements PagingModeType {
        @Override
        public String name() {
            return "flat";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public PagingMode create(PagingContext context, Settings settings) throws HostRefusal {
            GuestPhysicalMap map = context.map();
            HostMemory memory = context.memory();
            Engine engine = context.engine();
            PageExtent table = memory.allocate(PageRequest.of(context.owner(), 1));
            return new PagingMode() {
                private @Nullable PageExtent held = table;

                @Override
                public void enter(int core, ControlBlock block) {
                    block.translationRoot = table.address();
                }

                @Override
                public void translation(PagedCore core) throws HostRefusal {
                    ExitFrame frame = core.block().frame();
                    long page = frame.address & -HostMemory.PAGE_SIZE;
                    int at = map.find(page);
                    boolean ram = at >= 0 && map.range(at).ram();
                    frame.reply = ram ? ExitFrame.RETRY : ExitFrame.AS_ACCESS;
                    if (!ram || !(engine instanceof ToyEngine toy)) {
                        return;
                    }
                    map.provide(page, frame.code);
                    synchronized (toy.pages) {
                        long host = map.page(page);
                        if (host >= 0) {
                            toy.pages.put(page, host);
                            if ((host & frame.code) != frame.code) {
                                frame.reply = ExitFrame.AS_ACCESS;
                            }
                        }
                    }
                }

                @Override
                public void changed(long start, long bytes) {
                    engine.invalidate(Scope.GUEST_PHYSICAL, start, bytes);
                }

                @Override
                public long tablePages() {
                    return 1;
                }

                @Override
                public void close() {
                    PageExtent gone = held;
                    if (gone != null) {
                        held = null;
                        memory.free(gone);
                    }
                }
            };
        }
    }
}
