package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.host.HostRam;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.RamPages;
import org.alcazar.machine.Ranges;
import org.alcazar.machine.VirtualCore;

import java.util.Arrays;
import java.util.Map;

/**
 * A core in user mode whose every linear address leads to the same few pages, the program's among
 * them, so that hardly anything faults; exceptions are intercepted.
 */
final class SequenceMachine implements AutoCloseable {
    /** Host-physical: tables, then the pages that addresses lead to. */
    private static final long TABLES = 0x1000;

    static final long DATA = 0x100000;
    static final int PAGES = 16, PAGE = 4096;

    /** Linear address of the program, which lies in the last of the pages. */
    static final long CODE = 0x40_0000L + (PAGES - 1) * PAGE;

    private static final long RIGHTS =
            Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US | Bits.PTE_A | Bits.PTE_D;

    private static final long GROUPS =
            1L << X86.GENERAL | 1L << X86.FPU | 1L << X86.VECTOR | 1L << X86.EVENTS;

    final ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
    private final boolean wide;
    private final Engine engine;
    private final VirtualCore core;

    SequenceMachine(EngineProvider provider, Map<String, String> options, int mode) {
        this(provider, options, mode, 0);
    }

    /**
     * With segments of all kinds.
     *
     * @param segments 0 for flat ones; else bit 1 says whether the stack is one of 32 bits
     */
    SequenceMachine(EngineProvider provider, Map<String, String> options, int mode, int segments) {
        TestMemory.reserve();
        wide = mode == 64;
        engine = provider.create(new PhysicalBus(), options);
        core = engine.newCore(0, block);
        block.ports = Ranges.NONE;
        block.exceptions = 0xffff_ffffL;
        tables();
        control();
        if (segments != 0) {
            segments(mode, (segments & 2) != 0);
        }
    }

    /** Every entry of a level leads to the one table of the next. */
    private static void tables() {
        for (int level = 0; level < 3; level++) {
            long table = TABLES + (long) level * PAGE;
            for (int i = 0; i < 512; i++) {
                RamPages.setLong(table + 8 * i, table + PAGE | RIGHTS);
            }
        }
        long leaves = TABLES + 3 * PAGE;
        for (int i = 0; i < 512; i++) {
            RamPages.setLong(leaves + 8 * i, DATA + (long) (i % PAGES) * PAGE | RIGHTS);
        }
        // PAE's four pointers, which have other rights.
        for (int i = 0; i < 4; i++) {
            RamPages.setLong(TABLES + 4 * PAGE + 8 * i, TABLES + 2 * PAGE | Bits.PTE_P);
        }
    }

    private void control() {
        core.fetch(block, -1L);
        long[] control = block.group(X86.CONTROL);
        control[X86.CR0] =
                Bits.CR0_PE | Bits.CR0_PG | Bits.CR0_WP | Bits.CR0_NE | Bits.CR0_ET | Bits.CR0_MP;
        control[X86.CR3] = wide ? TABLES : TABLES + 4 * PAGE;
        control[X86.CR4] = Bits.CR4_PAE | Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT;
        control[X86.EFER] = wide ? Bits.EFER_LME | Bits.EFER_LMA : 0;
        long[] s = block.group(X86.SEGMENTS);
        for (int i = 0; i < 6; i++) {
            s[4 * i + X86.SELECTOR] = i == X86.CS ? 0x13 : 0x1b;
            s[4 * i + X86.BASE] = 0;
            s[4 * i + X86.LIMIT] = 0xffff_ffffL;
            s[4 * i + X86.ATTRIBUTES] = i != X86.CS ? 0xcf3 : wide ? 0xafb : 0xcfb;
        }
        s[4 * X86.FS + X86.BASE] = wide ? 0x7f00_0000_1230L : 0x1230;
        s[X86.GDTR_LIMIT] = 0;
        s[X86.IDTR_LIMIT] = 0;
        block.dirty |= 1L << X86.CONTROL | 1L << X86.SEGMENTS;
    }

    /** The program's pages are the code segment; one other can't be written, one is short. */
    private void segments(int mode, boolean bigStack) {
        int big = 1 << 10;
        segment(X86.CS, CODE & ~0xffffL, 0xffff, 0xfb | (mode == 16 ? 0 : big));
        segment(X86.DS, 0x12340, mode == 16 ? 0xffff : 0x7fff_ffff, 0xf3);
        segment(X86.SS, 0x3330, bigStack ? 0xffff_ffffL : 0xffff, 0xf3 | (bigStack ? big : 0));
        segment(X86.ES, 0x5550, 0x8fff, 0xf3);
        segment(X86.FS, 0x1230, 0x3fff, 0xf7 | big);
        segment(X86.GS, 0x7770, 0xffff_ffffL, 0xf1);
    }

    private void segment(int number, long base, long limit, int attributes) {
        long[] s = block.group(X86.SEGMENTS);
        s[4 * number + X86.BASE] = base;
        s[4 * number + X86.LIMIT] = limit;
        s[4 * number + X86.ATTRIBUTES] = attributes;
    }

    /** Registers to start from, which are the caller's to fill. */
    void load(long[] general, long[] fpu, long[] vector) {
        System.arraycopy(general, 0, block.group(X86.GENERAL), 0, general.length);
        System.arraycopy(fpu, 0, block.group(X86.FPU), 0, fpu.length);
        System.arraycopy(vector, 0, block.group(X86.VECTOR), 0, vector.length);
        Arrays.fill(block.group(X86.EVENTS), 0);
        block.dirty |= GROUPS;
        block.frame().reply = ExitFrame.RETRY;
    }

    long[] group(int id) {
        core.fetch(block, 1L << id);
        return block.group(id);
    }

    /**
     * @return the exit
     */
    int run(long budget) {
        block.budget = budget;
        return core.run(block);
    }

    /** Everything that a program can see or change, memory aside. */
    String state(int reason) {
        core.fetch(block, GROUPS);
        StringBuilder s = new StringBuilder();
        s.append("exit ").append(reason).append(" code ").append(block.frame().code);
        s.append(" retired ").append(block.retired).append(" left ").append(block.budget);
        line(s, "general", X86.GENERAL);
        line(s, "fpu", X86.FPU);
        line(s, "vector", X86.VECTOR);
        return s.toString();
    }

    private void line(StringBuilder s, String name, int group) {
        s.append('\n').append(name);
        for (long v : block.group(group)) {
            s.append(' ').append(Long.toHexString(v));
        }
    }

    static byte[] memory() {
        byte[] all = new byte[PAGES * PAGE];
        HostRam.read(DATA, all, 0, all.length);
        return all;
    }

    /** Puts pages back that have changed. */
    static void memory(byte[] to) {
        byte[] page = new byte[PAGE];
        for (int i = 0; i < PAGES; i++) {
            HostRam.read(DATA + (long) i * PAGE, page, 0, PAGE);
            if (!Arrays.equals(page, 0, PAGE, to, i * PAGE, (i + 1) * PAGE)) {
                RamPages.write(DATA + (long) i * PAGE, to, i * PAGE, PAGE);
            }
        }
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
