package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.TableFormat;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.host.HostRam;
import org.alcazar.machine.Exit;
import org.alcazar.machine.ExitFrame;
import org.alcazar.machine.Rights;
import org.alcazar.machine.Translation;

import java.util.Arrays;

/**
 * From guest-physical to host-physical addresses: through the VMM's nested tables (APM volume 2,
 * 15.25: 4 levels, host-physical, user bit required), or one to one where there is no second level.
 *
 * <p>Results are host-physical addresses, or a guest-physical address with {@link #EXIT} where the
 * access has to exit to the VMM.
 */
final class SecondLevel {
    /** Marks a guest-physical address whose device the VMM models. */
    static final long EXIT = 1L << 62;

    private static final int ENTRIES = 4096;
    private static final long PAGE = -4096;

    private final Cpu cpu;
    private final Granted granted;

    /** Pairs of guest page | 1 and result page | known rights. */
    private final long[] cache = new long[2 * ENTRIES];

    /** Rights to the page of the last result that can be used without asking again. */
    int known;

    /** Set when a result is for the present instruction only; the walker clears it. */
    boolean once;

    private int depth;
    private final long[] entryAt = new long[4];

    SecondLevel(Cpu cpu, Granted granted) {
        this.cpu = cpu;
        this.granted = granted;
    }

    /**
     * Translates for an access that is about to happen.
     *
     * @param wanted rights of the access
     * @param size bytes, for the exit's qualification
     */
    long translate(long gpa, int wanted, int size) {
        if (cpu.block.translation != Translation.NESTED) {
            known = Rights.ALL;
            return gpa;
        }
        int at = (int) (gpa >>> 12) & ENTRIES - 1;
        long hit = cache[2 * at + 1];
        if (cache[2 * at] == (gpa & PAGE | 1) && (hit & wanted) == wanted) {
            known = (int) hit & Rights.ALL;
            return hit & PAGE | gpa & ~PAGE;
        }
        return walk(gpa, wanted, size, at);
    }

    private long walk(long gpa, int wanted, int size, int at) {
        long found = look(gpa);
        if (found >= 0 && (found & wanted) == wanted) {
            mark((wanted & Rights.WRITE) != 0);
            boolean dirty = (HostRam.getLong(entryAt[depth]) & Bits.PTE_D) != 0;
            long rights = found & (dirty ? Rights.ALL : Rights.READ | Rights.EXECUTE);
            return remember(gpa, found & PAGE, (int) rights, at);
        }
        int device = granted.physicalDevices.rights(gpa & PAGE);
        if ((device & wanted) != wanted) {
            return walkOnce(gpa, wanted, size);
        }
        if (found < 0) {
            return remember(gpa, gpa & PAGE | EXIT, device, at);
        }
        // Readable memory whose writes go to a device: the cache keeps the memory.
        known = device;
        return gpa | EXIT;
    }

    private long walkOnce(long gpa, int wanted, int size) {
        long page = granted.find(gpa, wanted);
        if (page == Granted.NONE) {
            throw miss(gpa, wanted, size);
        }
        once = true;
        known = 0;
        return page | gpa & ~PAGE;
    }

    private long remember(long gpa, long page, int rights, int at) {
        cache[2 * at] = gpa & PAGE | 1;
        cache[2 * at + 1] = page | rights;
        known = rights;
        return page | gpa & ~PAGE;
    }

    private RuntimeException miss(long gpa, int wanted, int size) {
        ExitFrame frame = cpu.block.frame();
        frame.address = gpa;
        frame.code = wanted;
        frame.size = size;
        frame.write = (wanted & Rights.WRITE) != 0;
        frame.reply = ExitFrame.RETRY;
        return cpu.exit(Exit.TRANSLATION);
    }

    /**
     * Host page and rights by the tables as they are, or -1; leaves the entries' addresses in
     * {@link #entryAt}.
     */
    private long look(long gpa) {
        if (gpa >>> 48 != 0) {
            return -1;
        }
        long table = cpu.block.translationRoot & TableFormat.ADDRESS;
        long rights = Rights.ALL;
        depth = 0;
        for (int shift = 39; ; shift -= 9) {
            entryAt[depth] = table + (gpa >>> shift & 511) * 8;
            long entry = HostRam.getLongVolatile(entryAt[depth]);
            if ((entry & (Bits.PTE_P | Bits.PTE_US)) != (Bits.PTE_P | Bits.PTE_US)) {
                return -1;
            }
            rights &= (entry & Bits.PTE_RW) != 0 ? Rights.ALL : Rights.READ | Rights.EXECUTE;
            rights &= entry < 0 ? Rights.READ | Rights.WRITE : Rights.ALL;
            boolean page = shift == 12 || shift < 39 && (entry & Bits.PTE_PS) != 0;
            if (page) {
                long offset = (1L << shift) - 1;
                return entry & TableFormat.ADDRESS & ~offset | gpa & offset & PAGE | rights;
            }
            table = entry & TableFormat.ADDRESS;
            depth++;
        }
    }

    /** Sets accessed bits and the page's dirty bit, as the processor does in nested tables. */
    private void mark(boolean write) {
        for (int i = 0; i <= depth; i++) {
            long bits = Bits.PTE_A | (write && i == depth ? Bits.PTE_D : 0);
            long old = HostRam.getLongVolatile(entryAt[i]);
            while ((old & bits) != bits
                    && !HostRam.compareAndSetLong(entryAt[i], old, old | bits)) {
                old = HostRam.getLongVolatile(entryAt[i]);
            }
        }
    }

    /** Host-physical address without side effects, or -1. */
    long peek(long gpa) {
        Translation translation = cpu.block.translation;
        if (translation != Translation.NESTED) {
            return translation == Translation.SHADOW ? cpu.block.guestPhysical.host(gpa) : gpa;
        }
        long found = look(gpa);
        return found < 0 ? -1 : found & PAGE | gpa & ~PAGE;
    }

    void clear() {
        Arrays.fill(cache, 0);
        granted.clear();
    }
}
