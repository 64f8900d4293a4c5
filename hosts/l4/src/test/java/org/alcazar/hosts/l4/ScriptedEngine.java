package org.alcazar.hosts.l4;

import org.alcazar.host.HostRam;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.Exit;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Scope;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;

import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * An engine whose code is Java: each run does one step of the thread that is in the core, found by
 * its program counter, and leaves with what that says. It walks the tables that CR3 names.
 */
final class ScriptedEngine implements EngineProvider {
    private static final int RIP = 16;

    /** One step of a program: looks at registers and memory, sets registers, leaves. */
    @FunctionalInterface
    interface Step {
        /** Returns one of {@link Exit}. */
        int run(Machine machine);
    }

    /** What a step sees. */
    static final class Machine {
        final ControlBlock block;

        Machine(ControlBlock block) {
            this.block = block;
        }

        long[] registers() {
            return block.group(0);
        }

        /** Leaves by a system call. */
        int call(int number, long... arguments) {
            int[] places = {7, 6, 2, 10, 8};
            registers()[0] = number;
            for (int i = 0; i < arguments.length; i++) {
                registers()[places[i]] = arguments[i];
            }
            return fault(X86Exceptions.GENERAL_PROTECTION, SystemCalls.GATE, 0);
        }

        int fault(int vector, long error, long address) {
            block.frame().code = vector;
            block.frame().value = error;
            block.frame().address = address;
            return Exit.FAULT;
        }

        /** Host-physical address, or -1 if a user's access of the kind would fault. */
        long translate(long address, int error) {
            long table = block.group(2)[1];
            for (int level = 4; level > 0; level--) {
                long entry = HostRam.getLong(table + (address >>> 12 + 9 * (level - 1) & 511) * 8);
                boolean forbidden =
                        (entry & 5) != 5
                                || level == 1 && (error & 2) != 0 && (entry & 2) == 0
                                || level == 1 && (error & 16) != 0 && entry < 0;
                if (forbidden) {
                    return -1;
                }
                table = entry & 0x000f_ffff_ffff_f000L;
            }
            return table + (address & 4095);
        }

        /** This thread's message registers. */
        long utcb() {
            long at = translate(block.group(1)[0], 0);
            return translate(HostRam.getLong(at), 2);
        }
    }

    private final List<Step> steps;

    /** Engines that were created and not closed. */
    final AtomicInteger open = new AtomicInteger();

    /** Step n is at the program's entry plus n times two, as long as a system call. */
    ScriptedEngine(Step... steps) {
        this.steps = List.of(steps);
    }

    static long at(int step) {
        return 0x401000L + 2 * step;
    }

    @Override
    public String name() {
        return "interpreter";
    }

    @Override
    public Architecture architecture() {
        String[] general =
                ("rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip rflags")
                        .split(" ");
        String[] segments =
                Stream.concat(
                                Stream.of("gs.base"),
                                Stream.concat(
                                        Stream.of("es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr")
                                                .flatMap(s ->
                                                        Stream.of(
                                                                        ".selector",
                                                                        ".base",
                                                                        ".limit",
                                                                        ".attributes")
                                                                .map(part -> s + part))
                                                .filter(name -> !name.equals("gs.base")),
                                        Stream.of(
                                                "gdtr.base",
                                                "gdtr.limit",
                                                "idtr.base",
                                                "idtr.limit")))
                        .toArray(String[]::new);
        return new Architecture(
                "x86",
                ByteOrder.LITTLE_ENDIAN,
                48,
                List.of(
                        RegisterGroup.of(0, "general", general),
                        RegisterGroup.of(1, "segments", segments),
                        RegisterGroup.of(2, "control", "cr2", "cr3", "cr0", "cr4", "efer", "xcr0"),
                        RegisterGroup.of(3, "msrs", "mtrr-def-type"),
                        RegisterGroup.of(4, "fpu", "fcw", "ftw", "mxcsr"),
                        new RegisterGroup(5, "vector", List.of(new RegisterField("xmm0", 0, 128))),
                        RegisterGroup.of(6, "events", "activity"),
                        RegisterGroup.of(7, "extended", "pkru")));
    }

    @Override
    public Engine create(PhysicalBus bus, Map<String, String> options) {
        open.incrementAndGet();
        return new Engine() {
            @Override
            public Architecture architecture() {
                return ScriptedEngine.this.architecture();
            }

            @Override
            public boolean takes(Translation translation) {
                return translation == Translation.NONE;
            }

            @Override
            public VirtualCore newCore(int index, ControlBlock block) {
                if (steps.isEmpty()) {
                    throw new IllegalStateException("no core without steps");
                }
                return new Core();
            }

            @Override
            public void invalidate(Scope scope, long start, long bytes) {}

            @Override
            public void close() {
                open.decrementAndGet();
            }
        };
    }

    /** The block's arrays are the core's registers. */
    private final class Core implements VirtualCore {
        @Override
        public int run(ControlBlock block) {
            block.dirty = 0;
            block.valid = 0;
            if (block.requests().take(Requests.KICK) != 0) {
                return Exit.KICK;
            }
            block.retired++;
            long step = (block.group(0)[RIP] - at(0)) / 2;
            return steps.get((int) step).run(new Machine(block));
        }

        @Override
        public void fetch(ControlBlock block, long mask) {
            block.valid |= mask;
        }

        @Override
        public void reset(ControlBlock block) {}

        @Override
        public long translate(ControlBlock block, long address, int rights) {
            return -1;
        }

        @Override
        public String describe(ControlBlock block, long address) {
            return "";
        }

        @Override
        public String summary(ControlBlock block) {
            return "";
        }

        @Override
        public Map<String, Long> counters() {
            return Map.of();
        }

        @Override
        public void close() {}
    }
}
