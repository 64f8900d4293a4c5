package org.alcazar.engines.x86.oracle;

import static org.alcazar.engines.x86.oracle.Layout.PAGE;

import org.alcazar.engines.x86.TestEngines;
import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.VirtualCore;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;

/**
 * The engine in the state that Linux gives to the processor's program: user mode under long mode,
 * the same pages with the same rights at the same addresses, the same descriptors. Exceptions are
 * intercepted; the software interrupts that user mode may raise end at a HLT in supervisor mode.
 */
final class Interpreter implements AutoCloseable {
    /** Outcome of a case that runs on and on. */
    static final int HANGS = 254;

    /** Outcome of a case at which the core shut down or made an exit that nobody asked for. */
    static final int STRANGE = 255;

    /** Ends a case that hangs; the longest string has fewer repetitions. */
    private static final int BUDGET = 100_000;

    // Physical addresses.
    private static final long TABLES = 0x1000, SYSTEM = 0x20000, CODE = 0x40000, DATA = 0x50000;

    /** Where the system's pages are in the linear address space. */
    private static final long HIGH = 0xffff_e000_0000_0000L;

    // Offsets in the system's pages.
    private static final int GDT = 0, LDT = 0x400, TSS = 0x800, IDT = 0x1000, HANDLERS = 0x2000;
    private static final int STACK_TOP = 0x4000, LDTR_SELECTOR = 0x50, TR_SELECTOR = 0x40;

    private static final long USER = Bits.PTE_P | Bits.PTE_US | Bits.PTE_A | Bits.PTE_D;

    /** Code, L, present, DPL 3, accessed; and so on. */
    private static final int ATTRIBUTES_64 = 0xafb, ATTRIBUTES_DATA = 0xcf3;

    private final ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
    private final Engine engine;
    private final VirtualCore core;
    private final byte[] pattern = new byte[Layout.DATA_PAGES * PAGE];
    private final MemorySegment patternSegment = MemorySegment.ofArray(pattern);
    private final MemorySegment data;
    private final byte[] code = new byte[Layout.CODE_MAX];
    private final long[] segments = new long[36];
    private int lastAt;
    private int lastBytes;

    Interpreter() {
        TestMemory.reserve();
        HostRam.fill(0, 0x80000, (byte) 0);
        engine = TestEngines.create(new PhysicalBus(), Map.of());
        core = engine.newCore(0, block);
        block.ports = Ranges.NONE;
        block.exceptions = 0xffff_ffffL;
        for (int i = 0; i < pattern.length; i++) {
            pattern[i] = Layout.pattern(i);
        }
        RamPages.fill(CODE, PAGE, (byte) 0xf4);
        RamPages.write(DATA, pattern, 0, pattern.length);
        data = HostRam.slice(DATA, pattern.length);
        map();
        system();
        control();
    }

    private void map() {
        long table = TABLES;
        RamPages.setLong(table, table + 0x1000 | 7);
        RamPages.setLong(table + 0x1000, table + 0x2000 | 7);
        RamPages.setLong(table + 0x2000 + 8 * (Layout.CODE_PAGE >> 21), table + 0x3000 | 7);
        long leaf = table + 0x3000;
        RamPages.setLong(leaf, CODE | USER);
        long first = leaf + 8 * (Layout.DATA - Layout.CODE_PAGE >> 12);
        long[] rights = {Bits.PTE_RW, Bits.PTE_RW, -1, Bits.PTE_RW, 0};
        for (int i = 0; i < rights.length; i++) {
            if (rights[i] >= 0) {
                long entry = DATA + (long) i * PAGE | USER | rights[i] | Bits.PTE_NX;
                RamPages.setLong(first + 8 * i, entry);
            }
        }
        int index = (int) (HIGH >>> 39) & 511;
        RamPages.setLong(table + 8 * index, table + 0x4000 | 3);
        RamPages.setLong(table + 0x4000, table + 0x5000 | 3);
        RamPages.setLong(table + 0x5000, table + 0x6000 | 3);
        for (int i = 0; i < 4; i++) {
            RamPages.setLong(table + 0x6000 + 8 * i, SYSTEM + (long) i * PAGE | 0x63);
        }
    }

    /** Tables as Linux has them, as far as user mode can see them. */
    private void system() {
        long[] global = {
            0,
            0x00cf9b000000ffffL,
            0x00af9b000000ffffL,
            0x00cf93000000ffffL,
            0x00cffb000000ffffL,
            0x00cff3000000ffffL,
            0x00affb000000ffffL
        };
        // Linux's own segment for the number of the CPU, which user mode can load.
        RamPages.setLong(SYSTEM + GDT + 8 * 15, 0x0000f50000000000L);
        for (int i = 0; i < global.length; i++) {
            RamPages.setLong(SYSTEM + GDT + 8 * i, global[i]);
        }
        for (int i = 0; i < Descriptor.TABLE.size(); i++) {
            RamPages.setLong(SYSTEM + LDT + 8 * i, Descriptor.TABLE.get(i).raw());
        }
        RamPages.setLong(SYSTEM + TSS + 4, HIGH + STACK_TOP);
        RamPages.setShort(SYSTEM + TSS + 102, (short) 104);
        for (int vector = 0; vector < 32; vector++) {
            long handler = HIGH + HANDLERS + 16 * vector;
            long type = vector == 3 || vector == 4 ? 0xee00 : 0x8e00;
            long gate = SYSTEM + IDT + 16 * vector;
            RamPages.setLong(
                    gate,
                    handler & 0xffff | 0x10 << 16 | type << 32 | (handler >> 16 & 0xffff) << 48);
            RamPages.setLong(gate + 8, handler >>> 32);
            RamPages.setByte(SYSTEM + HANDLERS + 16 * vector, (byte) 0xf4);
        }
        segments[X86.GDTR_BASE] = HIGH + GDT;
        segments[X86.GDTR_LIMIT] = 0x7f;
        segments[X86.IDTR_BASE] = HIGH + IDT;
        segments[X86.IDTR_LIMIT] = 0xfff;
        segment(X86.LDTR, LDTR_SELECTOR, HIGH + LDT, 8 * Descriptor.TABLE.size() - 1, 0x82);
        segment(X86.TR, TR_SELECTOR, HIGH + TSS, 103, 0x8b);
    }

    private void segment(int s, int selector, long base, long limit, int attributes) {
        segments[4 * s + X86.SELECTOR] = selector;
        segments[4 * s + X86.BASE] = base;
        segments[4 * s + X86.LIMIT] = limit;
        segments[4 * s + X86.ATTRIBUTES] = attributes;
    }

    private void control() {
        core.fetch(block, 1L << X86.CONTROL);
        long[] control = block.group(X86.CONTROL);
        control[X86.CR0] =
                Bits.CR0_PE
                        | Bits.CR0_PG
                        | Bits.CR0_WP
                        | Bits.CR0_NE
                        | Bits.CR0_ET
                        | Bits.CR0_MP
                        | Bits.CR0_AM;
        control[X86.CR3] = TABLES;
        control[X86.CR4] = Bits.CR4_PAE | Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_FSGSBASE;
        control[X86.EFER] = Bits.EFER_LME | Bits.EFER_LMA | Bits.EFER_SCE | Bits.EFER_NXE;
        block.dirty |= 1L << X86.CONTROL;
    }

    /**
     * Runs a case; the outcome has the form of the processor's. With a translator it runs twice,
     * since the first time regions are left for what no view has.
     */
    void run(State in, State out) {
        if (TestEngines.translates()) {
            runOnce(in, out);
        }
        runOnce(in, out);
    }

    private void runOnce(State in, State out) {
        load(in);
        // In single steps nothing would be translated.
        boolean single = (in.i32(Layout.OPTIONS) & 1) != 0 && !TestEngines.translates();
        int left = BUDGET;
        int reason;
        do {
            block.budget = single ? 1 : left;
            reason = core.run(block);
            left -= single ? 1 : left;
        } while (reason == Exit.BUDGET && left > 0);
        out.clear();
        core.fetch(block, block.architecture().allGroups());
        long[] general = block.group(X86.GENERAL);
        for (int i = 0; i < 16; i++) {
            out.gpr(i, general[i]);
        }
        out.set64(Layout.RIP, general[X86.RIP]);
        out.set64(Layout.OUT_RFLAGS, general[X86.RFLAGS]);
        long[] s = block.group(X86.SEGMENTS);
        int[] order = {X86.CS, X86.SS, X86.DS, X86.ES, X86.FS, X86.GS};
        for (int i = 0; i < order.length; i++) {
            out.set16(Layout.OUT_CS + 2 * i, (int) s[4 * order[i] + X86.SELECTOR]);
        }
        out.set64(Layout.OUT_FS_BASE, s[4 * X86.FS + X86.BASE]);
        out.set64(Layout.OUT_FS_BASE + 8, s[4 * X86.GS + X86.BASE]);
        ended(reason, general, out);
        vectors(out);
        memory(out);
    }

    private void ended(int reason, long[] general, State out) {
        ExitFrame frame = block.frame();
        frame.reply = ExitFrame.RETRY;
        switch (reason) {
            case Exit.FAULT -> {
                out.set32(Layout.TRAP, frame.code);
                out.set64(Layout.ERROR, frame.value & 0xffff_ffffL);
                if (frame.code == Bits.PFV) {
                    out.set64(Layout.CR2, frame.address);
                }
            }
            case Exit.IDLE -> {
                // INT3, INTO, INT n: what the processor has pushed is the state.
                out.set32(Layout.TRAP, (int) (general[X86.RIP] - HIGH - HANDLERS) / 16);
                long at = SYSTEM + STACK_TOP - 40;
                out.set64(Layout.RIP, HostRam.getLong(at));
                out.set16(Layout.OUT_CS, HostRam.getShort(at + 8));
                out.set64(Layout.OUT_RFLAGS, HostRam.getLong(at + 16));
                out.gpr(X86.RSP, HostRam.getLong(at + 24));
                out.set16(Layout.OUT_CS + 2, HostRam.getShort(at + 32));
            }
            case Exit.BUDGET -> out.set32(Layout.TRAP, HANGS);
            default -> out.set32(Layout.TRAP, STRANGE);
        }
    }

    private void load(State in) {
        long[] general = block.group(X86.GENERAL);
        for (int i = 0; i < 16; i++) {
            general[i] = in.gpr(i);
        }
        general[X86.RIP] = in.i32(Layout.ENTRY) & 0xffff_ffffL;
        general[X86.RFLAGS] = in.i64(Layout.RFLAGS) | 2;
        long[] events = block.group(X86.EVENTS);
        Arrays.fill(events, 0);
        loadSegments(in);
        loadFpu(in);
        if (!Arrays.equals(segments, block.group(X86.SEGMENTS))) {
            System.arraycopy(segments, 0, block.group(X86.SEGMENTS), 0, segments.length);
            block.dirty |= 1L << X86.SEGMENTS;
        }
        block.dirty |= 1L << X86.GENERAL | 1L << X86.EVENTS | 1L << X86.FPU | 1L << X86.VECTOR;
        loadCode(in);
        byte[] bytes = in.bytes();
        int start = in.start();
        int from = start + Layout.MEMORY;
        for (int i = 0; i < Layout.WINDOW.length; i++) {
            MemorySegment.copy(
                    bytes,
                    from,
                    data,
                    ValueLayout.JAVA_BYTE,
                    Layout.WINDOW[i],
                    Layout.WINDOW_BYTES[i]);
            from += Layout.WINDOW_BYTES[i];
        }
    }

    /** Leaves code alone that is there already, so that its translation stays. */
    private void loadCode(State in) {
        int at = in.i32(Layout.CODE_AT);
        int count = Math.min(in.i32(Layout.CODE_BYTES), PAGE - at);
        int from = in.start() + Layout.CODE;
        byte[] there = new byte[count];
        HostRam.read(CODE + at, there, 0, count);
        boolean same = at == lastAt && count == lastBytes;
        if (same && Arrays.equals(there, 0, count, in.bytes(), from, from + count)) {
            return;
        }
        Arrays.fill(code, (byte) 0xf4);
        RamPages.write(CODE + lastAt, code, 0, lastBytes);
        lastAt = at;
        lastBytes = count;
        RamPages.write(CODE + lastAt, in.bytes(), from, lastBytes);
    }

    private void loadSegments(State in) {
        if (in.compat()) {
            int[] fields = {Layout.ES, Layout.CS, Layout.SS, Layout.DS, Layout.FS, Layout.GS};
            for (int s = 0; s < 6; s++) {
                local(s, in.u16(fields[s]));
            }
            return;
        }
        segment(X86.CS, Descriptor.USER_CS, 0, 0xffff_ffffL, ATTRIBUTES_64);
        segment(X86.SS, Descriptor.USER_DS, 0, 0xffff_ffffL, ATTRIBUTES_DATA);
        for (int s : new int[] {X86.DS, X86.ES, X86.FS, X86.GS}) {
            segment(s, 0, 0, 0, 0);
        }
        segments[4 * X86.FS + X86.BASE] = in.i64(Layout.FS_BASE);
        segments[4 * X86.GS + X86.BASE] = in.i64(Layout.GS_BASE);
    }

    private void local(int s, int selector) {
        if (selector == 0) {
            segment(s, 0, 0, 0, 0);
            return;
        }
        Descriptor d = Descriptor.of(selector);
        segment(s, selector, d.base(), d.lastByte(), d.attributes());
    }

    private void loadFpu(State in) {
        long[] fpu = block.group(X86.FPU);
        int fx = Layout.FX;
        fpu[X86.FCW] = in.u16(fx + Layout.FCW);
        int status = in.u16(fx + Layout.FSW);
        fpu[X86.FSW] = status;
        int top = status >> 11 & 7;
        int valid = in.u8(fx + Layout.FTW);
        int tags = 0;
        for (int n = 0; n < 8; n++) {
            int at = fx + Layout.ST + 16 * (n - top & 7);
            fpu[X86.FPR0 + 2 * n] = in.i64(at);
            fpu[X86.FPR0 + 2 * n + 1] = in.u16(at + 8);
            tags |= (valid >> n & 1) != 0 ? 0 : 3 << 2 * n;
        }
        fpu[X86.FTW] = tags;
        fpu[X86.FOP] = in.u16(fx + Layout.FOP);
        fpu[X86.FIP] = in.i64(fx + Layout.FIP);
        fpu[X86.FDP] = in.i64(fx + Layout.FDP);
        fpu[X86.MXCSR] = in.i32(fx + Layout.MXCSR) & 0xffff_ffffL;
        long[] xmm = block.group(X86.VECTOR);
        for (int i = 0; i < 32; i++) {
            xmm[i] = in.i64(fx + Layout.XMM + 8 * i);
        }
    }

    private void vectors(State out) {
        long[] fpu = block.group(X86.FPU);
        int fx = Layout.FX;
        out.set16(fx + Layout.FCW, (int) fpu[X86.FCW]);
        out.set16(fx + Layout.FSW, (int) fpu[X86.FSW]);
        int top = (int) fpu[X86.FSW] >> 11 & 7;
        int valid = 0;
        for (int n = 0; n < 8; n++) {
            int at = fx + Layout.ST + 16 * (n - top & 7);
            out.set64(at, fpu[X86.FPR0 + 2 * n]);
            out.set16(at + 8, (int) fpu[X86.FPR0 + 2 * n + 1]);
            valid |= (fpu[X86.FTW] >> 2 * n & 3) == 3 ? 0 : 1 << n;
        }
        out.set16(fx + Layout.FTW, valid);
        out.set16(fx + Layout.FOP, (int) fpu[X86.FOP]);
        out.set64(fx + Layout.FIP, fpu[X86.FIP]);
        out.set64(fx + Layout.FDP, fpu[X86.FDP]);
        out.set32(fx + Layout.MXCSR, (int) fpu[X86.MXCSR]);
        long[] xmm = block.group(X86.VECTOR);
        for (int i = 0; i < 32; i++) {
            out.set64(fx + Layout.XMM + 8 * i, xmm[i]);
        }
    }

    private void memory(State out) {
        int[] gaps = {
            0,
            Layout.WINDOW[0],
            Layout.WINDOW[0] + Layout.WINDOW_BYTES[0],
            Layout.WINDOW[1],
            3 * PAGE,
            Layout.WINDOW[2]
        };
        for (int i = 0; i < gaps.length; i += 2) {
            while (MemorySegment.mismatch(
                            data, gaps[i], gaps[i + 1], patternSegment, gaps[i], gaps[i + 1])
                    >= 0) {
                extra(out, gaps[i], gaps[i + 1]);
            }
        }
        int to = out.start() + Layout.MEMORY;
        for (int i = 0; i < Layout.WINDOW.length; i++) {
            MemorySegment.copy(
                    data,
                    ValueLayout.JAVA_BYTE,
                    Layout.WINDOW[i],
                    out.bytes(),
                    to,
                    Layout.WINDOW_BYTES[i]);
            to += Layout.WINDOW_BYTES[i];
        }
    }

    /** Tells one changed word outside the windows and puts it back. */
    private void extra(State out, int from, int to) {
        long at = MemorySegment.mismatch(data, from, to, patternSegment, from, to);
        long word = from + at & -8L;
        int n = out.i32(Layout.EXTRAS);
        if (n < 3) {
            out.set64(Layout.EXTRA + 16 * n, word);
            out.set64(Layout.EXTRA + 16 * n + 8, HostRam.getLong(DATA + word));
        }
        out.set32(Layout.EXTRAS, n + 1);
        MemorySegment.copy(patternSegment, word, data, word, 8);
    }

    Map<String, Long> counters() {
        return core.counters();
    }

    @Override
    public void close() {
        core.close();
        engine.close();
    }
}
