package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.TestMemory;
import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.host.HostRam;
import org.alcazar.host.HostRange;
import org.alcazar.host.HostRefusal;
import org.alcazar.machine.ControlBlock;
import org.alcazar.machine.PhysicalBus;
import org.alcazar.machine.Standstill;
import org.alcazar.machine.Translation;

import java.util.Arrays;

/**
 * A core and 4 MiB of guest memory behind nested tables, all of it mapped page by page at first,
 * for tests. Guest-physical addresses lead to host pages in reverse order, so that the two are
 * never mixed up.
 */
public final class Guest implements AutoCloseable {
    public static final long BYTES = 4 << 20;
    public static final long PRESENT_USER = Bits.PTE_P | Bits.PTE_RW | Bits.PTE_US;

    private static final long PAGE = 4096;
    private static final long TABLES = 6 * PAGE;

    public final ControlBlock block = new ControlBlock(X86.ARCHITECTURE);
    public final PhysicalBus bus = new PhysicalBus();
    public final Cpu cpu = new Cpu(0, block, bus, CpuModel.MAX, new Standstill());

    private final long arena;

    public Guest() {
        TestMemory.reserve();
        try {
            arena = HostRange.carve(BYTES + TABLES, PAGE);
        } catch (HostRefusal e) {
            throw new IllegalStateException(e);
        }
        HostRam.fill(arena, BYTES + TABLES, (byte) 0);
        block.translation = Translation.NESTED;
        block.translationRoot = arena + BYTES;
        HostRam.setLong(table(0), table(1) | PRESENT_USER);
        HostRam.setLong(table(1), table(2) | PRESENT_USER);
        HostRam.setLong(table(2), table(3) | PRESENT_USER);
        HostRam.setLong(table(2) + 8, table(4) | PRESENT_USER);
        for (long gpa = 0; gpa < BYTES; gpa += PAGE) {
            nest(gpa, hostOf(gpa) | PRESENT_USER);
        }
        cpu.cr0 = Bits.CR0_ET;
        for (int i = 0; i < 6; i++) {
            cpu.segmentLimit[i] = 0xffff;
            cpu.segmentAttributes[i] = i == X86.CS ? 0x9b : 0x93;
        }
        cpu.idtrLimit = 0x3ff;
        cpu.mmu.reset();
    }

    private long table(int n) {
        return arena + BYTES + n * PAGE;
    }

    /** Where a guest-physical address lies at first. */
    public long hostOf(long gpa) {
        return arena + BYTES - PAGE - (gpa & -PAGE) + (gpa & PAGE - 1);
    }

    /** Sets the nested entry of a page. */
    public void nest(long gpa, long entry) {
        HostRam.setLong(nestedEntry(gpa), entry);
    }

    /** Host address of the nested entry of a page below 4 MiB. */
    public long nestedEntry(long gpa) {
        return table(3) + (gpa >>> 12) * 8;
    }

    public long peek64(long gpa) {
        return HostRam.getLong(hostOf(gpa));
    }

    public int peek32(long gpa) {
        return HostRam.getInt(hostOf(gpa));
    }

    public void poke64(long gpa, long value) {
        HostRam.setLong(hostOf(gpa), value);
    }

    public void poke32(long gpa, int value) {
        HostRam.setInt(hostOf(gpa), value);
    }

    /** Writes the same value to the words of an 8-byte table entry's place. */
    public void entry(long table, long index, long value) {
        poke64(table + 8 * index, value);
    }

    /** Switches on 4-level paging with tables from {@code root} on; the caller fills them. */
    public Guest longMode(long root) {
        cpu.cr0 |= Bits.CR0_PE | Bits.CR0_PG | Bits.CR0_WP;
        cpu.cr3 = root;
        cpu.cr4 |= Bits.CR4_PAE;
        cpu.efer |= Bits.EFER_LME | Bits.EFER_LMA | Bits.EFER_NXE;
        cpu.segmentAttributes[X86.CS] = 0xa9b;
        cpu.segmentAttributes[X86.SS] = 0xc93;
        cpu.mmu.modeChanged();
        return this;
    }

    /**
     * Maps the first 4 MiB of linear addresses one to one in 4-level tables at 0x1000, 0x2000,
     * 0x3000 with 4 KiB tables at 0x4000 and 0x5000.
     */
    public Guest identity(long flags) {
        entry(0x1000, 0, 0x2000 | PRESENT_USER);
        entry(0x2000, 0, 0x3000 | PRESENT_USER);
        entry(0x3000, 0, 0x4000 | PRESENT_USER);
        entry(0x3000, 1, 0x5000 | PRESENT_USER);
        for (long i = 0; i < 512; i++) {
            entry(0x4000, i, i * PAGE | flags);
            entry(0x5000, i, (i + 512) * PAGE | flags);
        }
        return longMode(0x1000);
    }

    /** Flat 32-bit protected mode without paging. */
    public Guest protectedMode() {
        cpu.cr0 |= Bits.CR0_PE;
        for (int i = 0; i < 6; i++) {
            cpu.segmentBase[i] = 0;
            cpu.segmentLimit[i] = 0xffff_ffffL;
            cpu.segmentAttributes[i] = i == X86.CS ? 0xc9b : 0xc93;
        }
        cpu.mmu.modeChanged();
        return this;
    }

    public Guest cpl(int cpl) {
        cpu.cpl = cpl;
        cpu.mmu.modeChanged();
        return this;
    }

    @Override
    public void close() {
        HostRange.release(arena);
        Arrays.fill(cpu.gpr, 0);
    }
}
