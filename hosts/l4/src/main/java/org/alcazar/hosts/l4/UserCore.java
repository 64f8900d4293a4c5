package org.alcazar.hosts.l4;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;
import org.alcazar.machine.Requests;
import org.alcazar.machine.VirtualCore;

import java.util.Arrays;
import java.util.List;

/**
 * An x86-64 core that runs user code and nothing else: long mode, CPL 3, every exception leaves to
 * the micro-kernel (AMD64 APM volume 2). A host knows no engine's classes, so registers are found
 * by their names in the {@link Architecture}.
 */
final class UserCore implements AutoCloseable {
    /** What a thread's state is made of. The rest belongs to the core. */
    private static final List<String> SWITCHED =
            List.of("general", "segments", "control", "fpu", "vector", "events", "extended");

    private static final long CR0 = 0x8001_0033L; // PE, MP, ET, NE, WP, PG
    private static final long CR4 = 0x620; // PAE, OSFXSR, OSXMMEXCPT
    private static final long EFER = 0xd00; // LME, LMA, NXE; no SCE
    private static final long RFLAGS = 0x202;
    private static final int CODE_SELECTOR = 0x33;
    private static final int DATA_SELECTOR = 0x2b;
    private static final int CODE = 0xafb; // 64-bit, DPL 3
    private static final int DATA = 0xcf3; // DPL 3
    private static final int TASK = 0x8b;
    private static final long ALL_EXCEPTIONS = 0xffff_ffffL;
    private static final long WRITE_BACK_BY_DEFAULT = 0x806;

    private final Architecture architecture;
    private final Engine engine;
    private final ControlBlock block;
    private final VirtualCore core;
    private final int[] switched;
    private final long switchedMask;
    private final int general;
    private final int control;
    private final int segments;
    private final int rip;
    private final int cr2;
    private final int cr3;
    private final int gsBase;
    private final int argument0;
    private final int argument1;
    private final long[][] fresh;

    /**
     * A core in user mode, at no address yet.
     *
     * @throws HostRefusal if the engine is no x86 one
     */
    UserCore(Engine engine) throws HostRefusal {
        architecture = engine.architecture();
        if (!architecture.name().equals("x86")) {
            throw new HostRefusal(
                    "native programs are for x86-64, and the engine is for " + architecture.name());
        }
        this.engine = engine;
        general = group("general").id();
        control = group("control").id();
        segments = group("segments").id();
        rip = index("general", "rip");
        cr2 = index("control", "cr2");
        cr3 = index("control", "cr3");
        gsBase = index("segments", "gs.base");
        argument0 = index("general", "rdi");
        argument1 = index("general", "rsi");
        switched = SWITCHED.stream().mapToInt(name -> group(name).id()).toArray();
        long mask = 0;
        for (int id : switched) {
            mask |= 1L << id;
        }
        switchedMask = mask;
        block = new ControlBlock(architecture);
        block.exceptions = ALL_EXCEPTIONS;
        core = engine.newCore(0, block);
        core.fetch(block, architecture.allGroups());
        userMode();
        fresh = new long[block.architecture().groups().size()][];
        for (int id : switched) {
            fresh[id] = block.group(id).clone();
        }
    }

    private RegisterGroup group(String name) {
        return architecture.groups().stream()
                .filter(group -> group.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no register group " + name));
    }

    private int index(String group, String register) {
        RegisterField field = group(group).byName().get(register);
        if (field == null) {
            throw new IllegalStateException("no register " + register);
        }
        return field.index();
    }

    private void set(String group, String register, long value) {
        block.group(group(group).id())[index(group, register)] = value;
        block.dirty |= group(group).mask();
    }

    private void userMode() {
        set("control", "cr0", CR0);
        set("control", "cr4", CR4);
        set("control", "efer", EFER);
        set("control", "xcr0", 1);
        for (String name : List.of("es", "cs", "ss", "ds", "fs", "gs")) {
            boolean code = name.equals("cs");
            segment(name, code ? CODE_SELECTOR : DATA_SELECTOR, 0xffff_ffffL, code ? CODE : DATA);
        }
        segment("ldtr", 0, 0, 0);
        segment("tr", 0, 0, TASK);
        for (String table : List.of("gdtr", "idtr")) {
            set("segments", table + ".base", 0);
            set("segments", table + ".limit", 0);
        }
        RegisterGroup registers = group("general");
        for (RegisterField field : registers.fields()) {
            set("general", field.name(), 0);
        }
        set("general", "rflags", RFLAGS);
        set("msrs", "mtrr-def-type", WRITE_BACK_BY_DEFAULT);
        set("fpu", "fcw", 0x37f);
        set("fpu", "ftw", 0xffff);
        set("fpu", "mxcsr", 0x1f80);
        set("events", "activity", 0);
    }

    private void segment(String name, int selector, long limit, int attributes) {
        set("segments", name + ".selector", selector);
        set("segments", name + ".base", 0);
        set("segments", name + ".limit", limit);
        set("segments", name + ".attributes", attributes);
    }

    /** The state of a thread that does not run, by group. */
    record Context(long[][] groups) {}

    /** A new thread's state. */
    Context start(long entry, long stack, long first, long second, long root, long local) {
        long[][] groups = new long[fresh.length][];
        for (int id : switched) {
            groups[id] = fresh[id].clone();
        }
        groups[general][rip] = entry;
        groups[general][index("general", "rsp")] = stack;
        groups[general][argument0] = first;
        groups[general][argument1] = second;
        groups[control][cr3] = root;
        groups[segments][gsBase] = local;
        return new Context(groups);
    }

    /** Takes the core's state into a thread's. */
    void save(Context context) {
        core.fetch(block, switchedMask);
        for (int id : switched) {
            System.arraycopy(block.group(id), 0, context.groups[id], 0, context.groups[id].length);
        }
    }

    /**
     * Puts a thread's state into the core.
     *
     * @param saved whether another one's was saved just now: what is the same in both stays, for
     *     new control or segment registers cost the core its translations
     */
    void load(Context context, boolean saved) {
        block.group(control)[cr2] = context.groups[control][cr2]; // nobody's, the kernel has it
        for (int id : switched) {
            long[] to = block.group(id);
            long[] from = context.groups[id];
            if (!saved || !Arrays.equals(from, to)) {
                System.arraycopy(from, 0, to, 0, from.length);
                block.dirty |= 1L << id;
            }
        }
    }

    /** Has the core forget all translations before it runs on. */
    void forgetTranslations() {
        core.fetch(block, 1L << control);
        block.dirty |= 1L << control;
    }

    /**
     * Runs user code.
     *
     * @param instructions at most so many
     * @return one of {@link org.alcazar.machine.Exit}
     */
    int run(long instructions) {
        block.budget = instructions;
        int exit = core.run(block);
        block.frame().reply = ExitFrame.RETRY;
        return exit;
    }

    ExitFrame frame() {
        return block.frame();
    }

    /** The general registers of the thread that is in the core, for reading. */
    long[] registers() {
        core.fetch(block, 1L << general);
        return block.group(general);
    }

    /** The same, for writing too. */
    long[] changedRegisters() {
        long[] registers = registers();
        block.dirty |= 1L << general;
        return registers;
    }

    /** Those of a thread that is not in the core. */
    long[] registers(Context context) {
        return context.groups[general];
    }

    /** Where the program counter is among the general registers. */
    int programCounter() {
        return rip;
    }

    long retired() {
        return block.retired;
    }

    /** Ends the run of now or the next one. Any thread. */
    void kick() {
        block.requests().post(Requests.KICK);
    }

    @Override
    public void close() {
        core.close();
        engine.close();
    }
}
