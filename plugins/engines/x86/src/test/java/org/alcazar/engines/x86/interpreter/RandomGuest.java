package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.host.HostRam;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.InterruptSource;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.Requests;
import org.alcazar.machine.Space;
import org.alcazar.machine.Translation;
import org.alcazar.machine.VirtualCore;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;
import java.util.Random;

/** One machine full of random, half plausible state, and a VMM that answers at random. */
final class RandomGuest implements AutoCloseable {
    /** In what mode a round begins; random code may leave it. */
    enum Mode {
        REAL,
        BIG_REAL,
        VIRTUAL_8086,
        PROTECTED_16,
        PROTECTED_32,
        TWO_LEVELS,
        PAE,
        COMPATIBILITY,
        LONG_SUPERVISOR,
        LONG_USER,
        FIVE_LEVELS
    }

    /** The guest's RAM: host-physical start and bytes. */
    static final long HOST = 32L << 20;

    static final long BYTES = 2L << 20;

    /** Behind it shadow tables, if any. */
    private static final long SHADOW = HOST + BYTES;

    private static final long SHADOW_BYTES = 128 << 12;

    /** Host-physical end of what rounds may change. */
    static final long END = SHADOW + SHADOW_BYTES;

    /** Host-physical tables of the second level. */
    private static final long NESTED = 1L << 20;

    /** Guest-physical places. */
    private static final int GDT = 0x2000, IDT = 0x3000, LDT = 0x4000, TSS = 0x5000;

    private static final int TABLES = 0x8000, CODE = 0x10000, DATA = 0x20000, STACK = 0x30000;
    private static final int CODE_BYTES = 0x4000;

    private static final int DESCRIPTORS = 48;
    private static final int SLICES = 30;
    private static final int ODD = 24;
    private static final long RANDOM_FLAGS = 0x7fd5 | Bits.RF | Bits.AC | Bits.ID;

    final ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
    long exits;
    int kicks;
    boolean died;

    private final Random random;
    private final Mode mode;
    private final Engine engine;
    private final VirtualCore core;

    /** Where the guest has shadow tables. */
    private final @Nullable SmallPager pager;

    RandomGuest(Random random, Mode mode, boolean shadowed) {
        this(random, mode, shadowed, TestEngines.provider());
    }

    RandomGuest(Random random, Mode mode, boolean shadowed, EngineProvider engines) {
        this.random = random;
        this.mode = mode;
        engine = engines.create(new PhysicalBus(), Map.of());
        core = engine.newCore(0, block);
        block.translation = Translation.NESTED;
        block.translationRoot = NESTED;
        block.interrupts = new RandomInterrupts();
        memory();
        control();
        segments();
        general();
        intercepts();
        int tables = (int) (SHADOW_BYTES / 4096);
        pager = shadowed ? new SmallPager(block, core, HOST, BYTES, SHADOW, tables) : null;
    }

    /** The second level: the guest's RAM at guest-physical 0, and nothing else. */
    static void mapSecondLevel() {
        long bits = Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US | Bits.PTE_A;
        HostRam.fill(NESTED, 3 * 4096, (byte) 0);
        HostRam.setLong(NESTED, NESTED + 4096 | bits);
        HostRam.setLong(NESTED + 4096, NESTED + 2 * 4096 | bits);
        HostRam.setLong(NESTED + 2 * 4096, HOST | bits | Bits.PTE_D | Bits.PTE_PS);
    }

    private final class RandomInterrupts implements InterruptSource {
        private int priority;

        @Override
        public int acknowledge() {
            return random.nextInt(5) == 0 ? -1 : random.nextInt(256);
        }

        @Override
        public int taskPriority() {
            return priority;
        }

        @Override
        public void taskPriority(int value) {
            priority = value;
        }
    }

    // ---- memory

    private void memory() {
        HostRam.fill(HOST, BYTES, (byte) 0);
        byte[] page = new byte[4096];
        for (int at = 0; at < 0x34000; at += page.length) {
            random.nextBytes(page);
            RamPages.write(HOST + at, page, 0, page.length);
        }
        for (int i = 1; i < DESCRIPTORS; i++) {
            put(GDT + 8 * i, descriptor());
            put(LDT + 8 * i, descriptor());
        }
        // Code and data that always work, so that things go on for a while.
        put(GDT + 8, 0x00cf9b000000ffffL);
        put(GDT + 16, 0x00cf93000000ffffL);
        put(GDT + 24, 0x00affb000000ffffL);
        put(GDT + 32, 0x00cff3000000ffffL);
        put(GDT + 40, 0x00cffb000000ffffL);
        for (int i = 0; i < 256; i++) {
            gate(i);
        }
        byte[] code = new byte[CODE_BYTES];
        if (random.nextInt(4) == 0) {
            random.nextBytes(code);
        } else {
            for (int at = 0; at < CODE_BYTES; ) {
                at = instruction(code, at);
            }
        }
        RamPages.write(HOST + CODE, code, 0, code.length);
        tables();
    }

    private void put(long at, long value) {
        RamPages.setLong(HOST + at, value);
    }

    private long descriptor() {
        if (random.nextInt(6) == 0) {
            return random.nextLong();
        }
        int type = random.nextInt(32);
        long limit = random.nextBoolean() ? 0xfffff : random.nextInt(1 << 20);
        long base = random.nextInt(4) == 0 ? random.nextInt() & 0xffffffffL : spot();
        long access = type | random.nextInt(4) << 5 | (random.nextInt(8) == 0 ? 0 : 0x80);
        long flags = random.nextInt(16);
        return limit & 0xffff
                | (base & 0xffffff) << 16
                | access << 40
                | (limit >>> 16) << 48
                | flags << 52
                | (base >>> 24) << 56;
    }

    private void gate(int vector) {
        boolean wide = mode.compareTo(Mode.COMPATIBILITY) >= 0;
        boolean real = mode == Mode.REAL || mode == Mode.BIG_REAL;
        int at = IDT + vector * (wide ? 16 : real ? 4 : 8);
        if (random.nextInt(ODD) == 0) {
            put(at, random.nextLong());
            return;
        }
        long target = CODE + random.nextInt(CODE_BYTES);
        if (real) {
            RamPages.setInt(HOST + at, (int) (target & 15 | (target >> 4) << 16));
            return;
        }
        int[] types = {0xe, 0xf, 0xe, 0xf, 6, 7, 5, 0xc};
        long type = wide ? types[random.nextInt(4)] : types[random.nextInt(types.length)];
        int selector = wide ? 24 : random.nextInt(8) == 0 ? selector() : 8;
        long access = type | random.nextInt(4) << 5 | 0x80;
        put(
                at,
                target & 0xffff
                        | (long) selector << 16
                        | (wide ? (long) random.nextInt(8) << 32 : 0)
                        | access << 40
                        | (target >>> 16) << 48);
        if (wide) {
            put(at + 8, 0);
        }
    }

    private int selector() {
        return random.nextInt(DESCRIPTORS) << 3 | random.nextInt(8);
    }

    private long spot() {
        return switch (random.nextInt(6)) {
            case 0 -> CODE + random.nextInt(CODE_BYTES);
            case 1 -> STACK + random.nextInt(0x1000);
            case 2 -> GDT + random.nextInt(0x6000);
            default -> DATA + random.nextInt(0x1000);
        };
    }

    /** One instruction as the table has it, with random prefixes and operands. */
    private int instruction(byte[] code, int start) {
        int at = start;
        List<Row> rows = OpcodeTable.rows();
        Encoding e = rows.get(random.nextInt(rows.size())).encoding();
        byte[] bytes = new byte[15];
        random.nextBytes(bytes);
        int[] prefixes = {0x66, 0xf3, 0xf2, 0x67, 0xf0, 0x64, 0x2e, 0x48, 0x41, 0x4d};
        int n = 0;
        while (random.nextInt(4) == 0 && n < 3) {
            bytes[n++] = (byte) prefixes[random.nextInt(prefixes.length)];
        }
        if (e.map() > 0) {
            bytes[n++] = 0x0f;
        }
        if (e.map() > 1) {
            bytes[n++] = (byte) (e.map() == 2 ? 0x38 : 0x3a);
        }
        bytes[n++] = (byte) e.opcode();
        int length = Math.min(n + random.nextInt(6), bytes.length);
        for (int i = 0; i < length && at < code.length; i++) {
            code[at++] = bytes[i];
        }
        return at;
    }

    /** Page tables that map the guest's RAM to itself, with some entries that are wrong. */
    private void tables() {
        long rights = Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US;
        if (mode == Mode.TWO_LEVELS) {
            RamPages.setInt(HOST + TABLES, (int) (TABLES + 4096 | rights));
            for (int i = 0; i < 512; i++) {
                RamPages.setInt(HOST + TABLES + 4096 + 4L * i, (int) entry((long) i << 12));
            }
            return;
        }
        if (mode == Mode.PAE) {
            HostRam.fill(HOST + TABLES, 32, (byte) 0);
            put(TABLES, TABLES + 4096 | Bits.PTE_P);
            put(TABLES + 4096, TABLES + 2 * 4096 | rights);
            leaves(TABLES + 2 * 4096);
            return;
        }
        int levels = mode == Mode.FIVE_LEVELS ? 4 : 3;
        for (int level = 0; level < levels; level++) {
            put(TABLES + 4096L * level, TABLES + 4096L * (level + 1) | rights);
        }
        leaves(TABLES + 4096L * levels);
    }

    private void leaves(long table) {
        for (int i = 0; i < 512; i++) {
            put(table + 8L * i, entry((long) i << 12));
        }
    }

    private long entry(long page) {
        if (random.nextInt(ODD) != 0) {
            return page | Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US;
        }
        return random.nextBoolean()
                ? random.nextLong()
                : page | random.nextInt(0x1000) | (random.nextBoolean() ? Bits.PTE_NX : 0);
    }

    // ---- registers

    long[] group(int id) {
        core.fetch(block, 1L << id);
        block.dirty |= 1L << id;
        return block.group(id);
    }

    private void control() {
        boolean paged = mode.compareTo(Mode.TWO_LEVELS) >= 0;
        boolean wide = mode.compareTo(Mode.COMPATIBILITY) >= 0;
        long[] c = group(X86.CONTROL);
        long cr0 = Bits.CR0_ET | random.nextInt(8) << 1 & rare() | Bits.CR0_WP & random.nextInt();
        cr0 |= (Bits.CR0_NE | Bits.CR0_AM) & random.nextInt();
        cr0 |= mode.compareTo(Mode.BIG_REAL) > 0 ? Bits.CR0_PE : 0;
        c[X86.CR0] = cr0 | (paged ? Bits.CR0_PG : 0);
        c[X86.CR3] = TABLES;
        long always = Bits.CR4_OSFXSR | (wide || mode == Mode.PAE ? Bits.CR4_PAE : 0);
        long bits = CpuModel.MAX.cr4Bits() & random.nextInt() & ~Bits.CR4_LA57 & ~Bits.CR4_PAE;
        bits &= wide ? -1 : ~Bits.CR4_PCIDE;
        bits |= mode == Mode.FIVE_LEVELS ? CpuModel.MAX.cr4Bits() & Bits.CR4_LA57 : 0;
        c[X86.CR4] = bits | always;
        c[X86.EFER] =
                (wide ? Bits.EFER_LME | Bits.EFER_LMA : 0)
                        | (Bits.EFER_SCE | Bits.EFER_NXE) & random.nextInt();
        for (int i = 0; i < 4; i++) {
            c[X86.DR0 + i] = spot();
        }
        c[X86.DR7] = random.nextInt(4) == 0 ? random.nextInt() & 0xffff27ffL | 0x400 : 0x400;
    }

    /** All ones seldom, else zero. */
    private int rare() {
        return random.nextInt(6) == 0 ? -1 : 0;
    }

    private void segments() {
        long[] s = group(X86.SEGMENTS);
        boolean flat = mode.compareTo(Mode.VIRTUAL_8086) > 0;
        boolean user = mode == Mode.LONG_USER || random.nextBoolean() && flat;
        for (int i = 0; i < 6; i++) {
            boolean code = i == X86.CS;
            if (flat) {
                s[4 * i + X86.SELECTOR] = user ? code ? 43 : 35 : code ? 8 : 16;
                s[4 * i + X86.BASE] = 0;
                s[4 * i + X86.LIMIT] = 0xffffffffL;
                s[4 * i + X86.ATTRIBUTES] = (code ? 0xc9b : 0xc93) | (user ? 0x60 : 0);
            } else {
                long base = code ? CODE : i == X86.SS ? STACK : DATA;
                boolean big = mode == Mode.BIG_REAL && !code;
                s[4 * i + X86.SELECTOR] = base >> 4;
                s[4 * i + X86.BASE] = base;
                s[4 * i + X86.LIMIT] = big ? 0xffffffffL : 0xffff;
                s[4 * i + X86.ATTRIBUTES] = mode == Mode.VIRTUAL_8086 ? 0xf3 : code ? 0x9b : 0x93;
            }
        }
        if (mode == Mode.PROTECTED_16) {
            s[4 * X86.CS + X86.ATTRIBUTES] &= ~0x400;
        } else if (mode.compareTo(Mode.LONG_SUPERVISOR) >= 0) {
            s[4 * X86.CS + X86.ATTRIBUTES] ^= 0x600;
        }
        table(s, X86.LDTR, LDT, 8 * DESCRIPTORS - 1, 0x82);
        boolean wide = mode.compareTo(Mode.COMPATIBILITY) >= 0;
        boolean small = !wide && random.nextInt(4) == 0;
        table(s, X86.TR, TSS, random.nextInt(4) == 0 ? 0x67 : 0x2fff, small ? 0x83 : 0x8b);
        s[X86.GDTR_BASE] = GDT;
        s[X86.GDTR_LIMIT] = 8 * DESCRIPTORS - 1;
        s[X86.IDTR_BASE] = IDT;
        s[X86.IDTR_LIMIT] = 0xfff;
        for (int i = 0; i < 16; i++) {
            put(TSS + 4 + 8L * i, STACK + 0x100L * i | (wide ? 0 : 0x10L << 32));
        }
    }

    private static void table(long[] s, int which, long base, int limit, int attributes) {
        s[4 * which + X86.SELECTOR] = which * 8;
        s[4 * which + X86.BASE] = base;
        s[4 * which + X86.LIMIT] = limit;
        s[4 * which + X86.ATTRIBUTES] = attributes;
    }

    private void general() {
        long[] g = group(X86.GENERAL);
        boolean flat = mode.compareTo(Mode.VIRTUAL_8086) > 0;
        for (int i = 0; i < 16; i++) {
            g[i] = random.nextInt(8) == 0 ? random.nextLong() : flat ? spot() : random.nextInt(512);
        }
        g[X86.RSP] = flat ? STACK + 0x800 : 0x800;
        g[X86.RIP] = flat ? CODE : 0;
        long flags = 2 | random.nextInt() & RANDOM_FLAGS & ~Bits.TF;
        flags |= random.nextInt(8) == 0 ? Bits.TF : 0;
        g[X86.RFLAGS] = flags | (mode == Mode.VIRTUAL_8086 ? Bits.VM : 0);
        long[] vector = group(X86.VECTOR);
        for (int i = 0; i < 32; i++) {
            vector[i] = random.nextLong();
        }
        group(X86.EVENTS)[X86.ACTIVITY] = X86.ACTIVE;
    }

    private void intercepts() {
        if (random.nextBoolean()) {
            block.ports = Ranges.NONE;
            return;
        }
        int half = random.nextInt();
        block.exceptions = half & random.nextInt();
        block.instructions = random.nextInt(1 << 14) & random.nextInt();
        if (random.nextBoolean()) {
            block.registers = Ranges.NONE.with(0xc000_0000L, 0xc000_0102L);
            block.features = Ranges.NONE.with(0, 3);
        }
    }

    // ---- running

    void run() {
        for (int slice = 0; slice < SLICES && !died && kicks < 3; slice++) {
            block.budget = 1 + random.nextInt(random.nextInt(4) == 0 ? 10 : 400);
            if (random.nextInt(6) == 0) {
                block.requests().post(random.nextBoolean() ? Requests.INTERRUPT : Requests.NMI);
            }
            if (random.nextInt(10) == 0) {
                block.windowWanted = true;
            }
            for (int turn = 0; turn < 50 && once(); turn++) {
                exits++;
            }
        }
    }

    /** Instructions that ran in translated code. */
    long translated() {
        return core.counters().getOrDefault("region-instructions", 0L);
    }

    /** One run of the core. @return whether the slice goes on */
    private boolean once() {
        int reason = core.run(block);
        while (pager != null && pager.serves(reason)) {
            reason = core.run(block);
        }
        ExitFrame frame = block.frame();
        if (random.nextInt(20) == 0) {
            core.fetch(block, -1);
            block.dirty |= 1L << random.nextInt(X86.ARCHITECTURE.groups().size());
        }
        switch (reason) {
            case Exit.ACCESS -> {
                frame.reply = ExitFrame.DONE;
                if (frame.space == Space.REGISTER || frame.space == Space.FEATURE) {
                    frame.reply = random.nextBoolean() ? ExitFrame.DONE : ExitFrame.PROCEED;
                }
                if (!frame.write) {
                    frame.value = random.nextLong() >>> 64 - 8 * frame.size;
                }
            }
            case Exit.TRANSLATION -> frame.reply = ExitFrame.AS_ACCESS;
            case Exit.INSTRUCTION, Exit.CALL -> {
                frame.reply = random.nextInt(4) == 0 ? ExitFrame.RAISE : ExitFrame.PROCEED;
                frame.replyCode = random.nextInt(2) == 0 ? Bits.UD : Bits.GP;
                frame.value = 0;
            }
            case Exit.FAULT -> frame.reply = ExitFrame.PROCEED;
            case Exit.WINDOW -> block.windowWanted = false;
            case Exit.SHUTDOWN -> died = true;
            case Exit.KICK -> {
                kicks++;
                return kicks < 3;
            }
            default -> {
                return false;
            }
        }
        return !died;
    }

    @Override
    public void close() {
        core.close();
        engine.close();
    }
}
