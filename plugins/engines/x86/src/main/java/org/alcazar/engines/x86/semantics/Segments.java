package org.alcazar.engines.x86.semantics;

import static org.alcazar.engines.x86.api.X86.CS;
import static org.alcazar.engines.x86.api.X86.DS;
import static org.alcazar.engines.x86.api.X86.ES;
import static org.alcazar.engines.x86.api.X86.FS;
import static org.alcazar.engines.x86.api.X86.GS;
import static org.alcazar.engines.x86.api.X86.LDTR;
import static org.alcazar.engines.x86.api.X86.SS;
import static org.alcazar.engines.x86.api.X86.TR;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuFault;

/**
 * Segmentation (APM volume 2, chapter 4): from offsets to linear addresses, and loading of segment
 * registers with all checks.
 *
 * <p>Descriptors are passed as the 64 bits that lie in the table; attributes have the form of
 * {@link org.alcazar.engines.x86.api.X86}.
 */
public final class Segments {
    /** Attribute bits. */
    static final int ACCESSED = 1, WRITABLE = 2, READABLE = 2, DOWN = 4, CONFORMING = 4, CODE = 8;

    static final int NON_SYSTEM = 1 << 4, PRESENT = 1 << 7, LONG = 1 << 9, BIG = 1 << 10;
    static final int GRANULARITY = 1 << 11;

    /** System types. */
    static final int TSS16 = 1,
            LDT = 2,
            CALL16 = 4,
            TASK_GATE = 5,
            TSS32 = 9,
            CALL32 = 12,
            BUSY = 2;

    private static final int REAL_DATA = 0x93;
    private static final int VIRTUAL_8086 = 0xf3;

    private Segments() {}

    /**
     * Linear address of an access, after the checks of type, limit and canonical form.
     *
     * @param offset truncated to the address size
     */
    public static long linear(Cpu cpu, int segment, long offset, int bytes, boolean write) {
        if (cpu.code64()) {
            long la = segment >= FS ? based(cpu, segment, offset) : offset;
            if (!canonical(cpu, la) || !canonical(cpu, la + bytes - 1)) {
                throw cpu.fault(segment == SS ? Bits.SS : Bits.GP, 0);
            }
            return la;
        }
        long la = find(cpu, segment, offset, bytes, write);
        if (la < 0) {
            throw cpu.fault(segment == SS ? Bits.SS : Bits.GP, 0);
        }
        return la;
    }

    /** {@link #linear} outside 64-bit mode; -1 for an access that faults. */
    public static long find(Cpu cpu, int segment, long offset, int bytes, boolean write) {
        long limit = cpu.segmentLimit[segment];
        int attributes = cpu.segmentAttributes[segment];
        if (cpu.protectedMode() && !cpu.virtual8086()) {
            boolean typeFits =
                    write
                            ? (attributes & (CODE | WRITABLE)) == WRITABLE
                            : (attributes & (CODE | READABLE)) != CODE;
            if ((attributes & PRESENT) == 0 || !typeFits) {
                return -1;
            }
        } else {
            attributes = REAL_DATA;
        }
        return inside(limit, attributes, offset, bytes)
                ? offset + cpu.segmentBase[segment] & 0xffff_ffffL
                : -1;
    }

    /**
     * Whether all bytes are within a segment's limit: accesses don't wrap, in flat segments
     * neither.
     */
    static boolean inside(long limit, int attributes, long offset, int bytes) {
        if ((attributes & (CODE | DOWN)) == DOWN) {
            long top = (attributes & BIG) != 0 ? 0xffff_ffffL : 0xffff;
            return offset > limit && offset + bytes - 1 <= top;
        }
        return offset + bytes - 1 <= limit;
    }

    public static boolean canonical(Cpu cpu, long la) {
        int spare = (cpu.cr4 & Bits.CR4_LA57) != 0 ? 7 : 16;
        return la << spare >> spare == la;
    }

    /**
     * Offset in FS or GS in 64-bit mode plus the base. One that is not canonical by itself is an
     * address by itself, so that its access faults: Zen 3 and Zen 5 refuse it whatever the sum is.
     */
    public static long based(Cpu cpu, int segment, long offset) {
        return canonical(cpu, offset) ? offset + cpu.segmentBase[segment] : offset;
    }

    // ---- descriptors

    static int attributes(long descriptor) {
        return (int) (descriptor >>> 40) & 0xff | (int) (descriptor >>> 44) & 0xf00;
    }

    static long limit(long descriptor) {
        long raw = descriptor & 0xffff | descriptor >>> 32 & 0xf_0000;
        return (descriptor >>> 55 & 1) != 0 ? raw << 12 | 0xfff : raw;
    }

    static long base(long descriptor) {
        return descriptor >>> 16 & 0xff_ffff | descriptor >>> 32 & 0xff00_0000L;
    }

    static int dpl(int attributes) {
        return attributes >> 5 & 3;
    }

    static boolean isNull(int selector) {
        return (selector & 0xfffc) == 0;
    }

    static boolean isCode(int attributes) {
        return (attributes & (NON_SYSTEM | CODE)) == (NON_SYSTEM | CODE);
    }

    static boolean isWritableData(int attributes) {
        return (attributes & (NON_SYSTEM | CODE | WRITABLE)) == (NON_SYSTEM | WRITABLE);
    }

    static CpuFault fault(Cpu cpu, int vector, int selector) {
        return cpu.fault(vector, selector & 0xfffc);
    }

    /** Linear address of a selector's descriptor, or -1 beyond the table's limit. */
    static long descriptorAt(Cpu cpu, int selector, int bytes) {
        boolean local = (selector & 4) != 0;
        if (local && (cpu.segmentAttributes[LDTR] & PRESENT) == 0) {
            return -1;
        }
        long limit = local ? cpu.segmentLimit[LDTR] : cpu.gdtrLimit;
        long index = selector & 0xfff8;
        return index + bytes - 1 > limit
                ? -1
                : index + (local ? cpu.segmentBase[LDTR] : cpu.gdtrBase);
    }

    /**
     * The descriptor of a selector that is not null; beyond the limit raises {@code
     * vector}(selector).
     */
    static long descriptor(Cpu cpu, int selector, int vector) {
        long at = descriptorAt(cpu, selector, 8);
        if (at == -1) {
            throw fault(cpu, vector, selector);
        }
        return cpu.mmu.readSystem64(at);
    }

    /** Upper half of a 16-byte descriptor in long mode: bits 32 to 63 of the base or offset. */
    static long upperHalf(Cpu cpu, int selector, int vector) {
        long at = descriptorAt(cpu, selector, 16);
        if (at == -1) {
            throw fault(cpu, vector, selector);
        }
        long upper = cpu.mmu.readSystem64(at + 8);
        if ((upper >>> 40 & 0x1f) != 0) {
            throw fault(cpu, vector, selector);
        }
        return upper & 0xffff_ffffL;
    }

    /** Sets the accessed bit in the table. */
    static void markAccessed(Cpu cpu, int selector, long descriptor) {
        if ((descriptor >>> 40 & ACCESSED) == 0) {
            long at = descriptorAt(cpu, selector, 8) + 5;
            cpu.mmu.locked.changeSystem8(at, 0, ACCESSED);
        }
    }

    /** Puts a descriptor into a segment register; no checks. */
    static void set(Cpu cpu, int segment, int selector, long descriptor) {
        cpu.selector[segment] = selector & 0xffff;
        cpu.segmentBase[segment] = base(descriptor);
        cpu.segmentLimit[segment] = limit(descriptor);
        cpu.segmentAttributes[segment] = attributes(descriptor);
    }

    private static void setNull(Cpu cpu, int segment, int selector) {
        cpu.selector[segment] = selector & 0xffff;
        cpu.segmentBase[segment] = 0;
        cpu.segmentLimit[segment] = 0;
        cpu.segmentAttributes[segment] = 0;
    }

    /**
     * A segment register as real and virtual-8086 mode load it. In real mode the limit stays as it
     * was.
     */
    static void setReal(Cpu cpu, int segment, int selector) {
        cpu.selector[segment] = selector & 0xffff;
        cpu.segmentBase[segment] = (selector & 0xffffL) << 4;
        if (cpu.virtual8086()) {
            cpu.segmentLimit[segment] = 0xffff;
            cpu.segmentAttributes[segment] = VIRTUAL_8086;
        } else if ((cpu.segmentAttributes[segment] & PRESENT) == 0) {
            cpu.segmentLimit[segment] = 0xffff;
            cpu.segmentAttributes[segment] = REAL_DATA;
        }
    }

    /** Loads ES, SS, DS, FS or GS as MOV and POP do. */
    public static void load(Cpu cpu, int segment, int selector) {
        if (!cpu.protectedMode() || cpu.virtual8086()) {
            setReal(cpu, segment, selector);
        } else if (segment == SS) {
            loadStack(cpu, selector);
        } else {
            loadData(cpu, segment, selector, Bits.GP);
        }
    }

    /**
     * @param vector raised for what does not fit
     */
    static void loadData(Cpu cpu, int segment, int selector, int vector) {
        if (isNull(selector)) {
            setNull(cpu, segment, selector);
            return;
        }
        long descriptor = descriptor(cpu, selector, vector);
        int attributes = attributes(descriptor);
        boolean readable =
                (attributes & NON_SYSTEM) != 0 && (attributes & (CODE | READABLE)) != CODE;
        boolean conforming = isCode(attributes) && (attributes & CONFORMING) != 0;
        int dpl = dpl(attributes);
        if (!readable || !conforming && (dpl < cpu.cpl || dpl < (selector & 3))) {
            throw fault(cpu, vector, selector);
        }
        if ((attributes & PRESENT) == 0) {
            throw fault(cpu, Bits.NP, selector);
        }
        markAccessed(cpu, selector, descriptor);
        set(cpu, segment, selector, descriptor | 1L << 40);
    }

    private static void loadStack(Cpu cpu, int selector) {
        if (isNull(selector)) {
            if (!cpu.code64() || cpu.cpl == 3 || (selector & 3) != cpu.cpl) {
                throw cpu.generalProtection(0);
            }
            setNullStack(cpu, selector);
            return;
        }
        long descriptor = stackDescriptor(cpu, selector, cpu.cpl, Bits.GP, Bits.SS);
        set(cpu, SS, selector, descriptor);
    }

    /** SS null, which 64-bit mode allows; its DPL follows CPL. */
    static void setNullStack(Cpu cpu, int selector) {
        setNull(cpu, SS, selector);
        cpu.segmentAttributes[SS] = (selector & 3) << 5;
    }

    /**
     * Descriptor for SS at privilege {@code cpl}, checked and marked as accessed.
     *
     * @param vector raised for what does not fit
     * @param absent raised for a segment that is not present
     */
    static long stackDescriptor(Cpu cpu, int selector, int cpl, int vector, int absent) {
        if (isNull(selector)) {
            throw fault(cpu, vector, 0);
        }
        long descriptor = descriptor(cpu, selector, vector);
        int attributes = attributes(descriptor);
        if ((selector & 3) != cpl || dpl(attributes) != cpl || !isWritableData(attributes)) {
            throw fault(cpu, vector, selector);
        }
        if ((attributes & PRESENT) == 0) {
            throw fault(cpu, absent, selector);
        }
        markAccessed(cpu, selector, descriptor);
        return descriptor | 1L << 40;
    }

    /**
     * Checks a code segment's kind and presence, not its privilege, which depends on the way there.
     *
     * @return its attributes
     */
    static int checkCode(Cpu cpu, int selector, long descriptor) {
        int attributes = attributes(descriptor);
        boolean bothSizes = cpu.longMode() && (attributes & (LONG | BIG)) == (LONG | BIG);
        if (!isCode(attributes) || bothSizes) {
            throw fault(cpu, Bits.GP, selector);
        }
        return attributes;
    }

    /**
     * Checks that a code segment is present, and marks it as accessed, in the table and in what is
     * returned.
     */
    static long accept(Cpu cpu, int selector, long descriptor) {
        if ((attributes(descriptor) & PRESENT) == 0) {
            throw fault(cpu, Bits.NP, selector);
        }
        markAccessed(cpu, selector, descriptor);
        return descriptor | 1L << 40;
    }

    /**
     * #GP(0) unless the offset is a valid target in the code segment: within the limit, or
     * canonical in 64-bit mode.
     */
    static void checkTarget(Cpu cpu, long descriptor, long offset) {
        boolean wide = cpu.longMode() && (attributes(descriptor) & LONG) != 0;
        if (wide ? !canonical(cpu, offset) : Long.compareUnsigned(offset, limit(descriptor)) > 0) {
            throw cpu.generalProtection(0);
        }
    }

    /** Loads CS and CPL; all checks are done ({@link #accept}). In 64-bit mode the base is 0. */
    static void setCode(Cpu cpu, int selector, long descriptor, int cpl) {
        set(cpu, CS, selector & 0xfffc | cpl, descriptor);
        if (cpu.code64()) {
            cpu.segmentBase[CS] = 0;
        }
        cpu.cpl = cpl;
        cpu.mmu.modeChanged();
    }

    /**
     * After a return to less privilege: data segments that it must not see become null, and null
     * selectors 1 to 3 become 0, as processors do; bases stay.
     */
    static void dropUnreachable(Cpu cpu) {
        dropUnreachable(cpu, ES);
        dropUnreachable(cpu, DS);
        dropUnreachable(cpu, FS);
        dropUnreachable(cpu, GS);
    }

    private static void dropUnreachable(Cpu cpu, int segment) {
        int attributes = cpu.segmentAttributes[segment];
        boolean conforming = isCode(attributes) && (attributes & CONFORMING) != 0;
        if ((attributes & PRESENT) != 0 && !conforming && dpl(attributes) < cpu.cpl) {
            setNull(cpu, segment, 0);
        } else if ((attributes & PRESENT) == 0) {
            cpu.selector[segment] = 0;
        }
    }

    /** Null in ES, DS, FS and GS: an interrupt from virtual-8086 mode. */
    static void dropAllData(Cpu cpu) {
        setNull(cpu, ES, 0);
        setNull(cpu, DS, 0);
        setNull(cpu, FS, 0);
        setNull(cpu, GS, 0);
    }

    // ---- system segments

    /** LLDT. */
    static void loadLocalTable(Cpu cpu, int selector) {
        if (isNull(selector)) {
            setNull(cpu, LDTR, selector);
            return;
        }
        if ((selector & 4) != 0) {
            throw fault(cpu, Bits.GP, selector);
        }
        long descriptor = descriptor(cpu, selector, Bits.GP);
        if ((attributes(descriptor) & 0x1f) != LDT) {
            throw fault(cpu, Bits.GP, selector);
        }
        setSystem(cpu, LDTR, selector, descriptor, systemBase(cpu, selector, descriptor));
    }

    /** LTR: an available TSS, which becomes busy; of two processors one gets it. */
    static void loadTask(Cpu cpu, int selector) {
        if (isNull(selector)) {
            throw cpu.generalProtection(0);
        }
        if ((selector & 4) != 0) {
            throw fault(cpu, Bits.GP, selector);
        }
        while (true) {
            long descriptor = descriptor(cpu, selector, Bits.GP);
            int attributes = attributes(descriptor);
            int type = attributes & 0x1f;
            if (type != TSS32 && (type != TSS16 || cpu.longMode())) {
                throw fault(cpu, Bits.GP, selector);
            }
            long base = systemBase(cpu, selector, descriptor);
            long at = descriptorAt(cpu, selector, 8) + 5;
            int bits = attributes & 0xff;
            if (cpu.mmu.locked.replaceSystem8(at, bits, bits | BUSY)) {
                setSystem(cpu, TR, selector, descriptor | (long) BUSY << 40, base);
                return;
            }
        }
    }

    /** The base of a descriptor of 16 bytes in long mode, of 8 else. */
    private static long systemBase(Cpu cpu, int selector, long descriptor) {
        if ((attributes(descriptor) & PRESENT) == 0) {
            throw fault(cpu, Bits.NP, selector);
        }
        long upper = cpu.longMode() ? upperHalf(cpu, selector, Bits.GP) : 0;
        long base = base(descriptor) | upper << 32;
        if (cpu.longMode() && !canonical(cpu, base)) {
            throw fault(cpu, Bits.GP, selector);
        }
        return base;
    }

    private static void setSystem(Cpu cpu, int segment, int selector, long descriptor, long base) {
        set(cpu, segment, selector, descriptor);
        cpu.segmentBase[segment] = base;
    }
}
