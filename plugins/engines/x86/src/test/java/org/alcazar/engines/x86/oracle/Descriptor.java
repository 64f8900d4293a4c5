package org.alcazar.engines.x86.oracle;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A descriptor of the local table that cases in 16- and 32-bit code use, and those of the kernel's
 * table that they meet.
 *
 * @param contents as modify_ldt has it: 0 data, 1 expand-down data, 2 code (the kernel refuses
 *     conforming code)
 * @param limited read-only data or execute-only code
 */
record Descriptor(
        long base,
        int limit,
        boolean big,
        int contents,
        boolean limited,
        boolean pages,
        boolean present) {
    /** Selectors that every process on Linux has. */
    static final int USER_CS32 = 0x23, USER_DS = 0x2b, USER_CS = 0x33;

    private static final long D = Layout.DATA;
    private static final long C = Layout.CODE_PAGE;

    /** The local table. */
    static final List<Descriptor> TABLE =
            List.of(
                    code(0, 0xfffff, true, false, true),
                    code(C, 0xffff, false, false, false),
                    code(C - 0x3000, 0x3fff, true, false, false),
                    code(C, 0xfff, false, true, false),
                    code(C, 0xffff, true, false, false),
                    data(0, 0xfffff, true, 0, false, true),
                    data(D, 0x4fff, true, 0, false, false),
                    data(D, 0x4fff, false, 0, false, false),
                    data(D, 0x10ff, true, 0, false, false),
                    data(D, 0x1fff, true, 0, true, false),
                    data(D, 0xf7f, true, 1, false, false),
                    data(D, 0xf7f, false, 1, false, false),
                    new Descriptor(D, 0xffff, true, 0, false, false, false),
                    data(D - 0x5000, 0xf, true, 0, false, true),
                    new Descriptor(C, 0xffff, true, 2, false, false, false),
                    data(D - 0x8000, 0xffff, false, 0, false, false));

    /** Indices of code segments to start in, by mode. */
    static final int[] CODE_32 = {0, 2, 4}, CODE_16 = {1, 3};

    /** Indices of segments fit for the stack, by what a stack pointer's size is. */
    static final int[] STACK_32 = {5, 6, 8, 10, 13}, STACK_16 = {7, 11, 15};

    private static Descriptor code(
            long base, int limit, boolean big, boolean noRead, boolean pages) {
        return new Descriptor(base, limit, big, 2, noRead, pages, true);
    }

    private static Descriptor data(
            long base, int limit, boolean big, int contents, boolean readOnly, boolean pages) {
        return new Descriptor(base, limit, big, contents, readOnly, pages, true);
    }

    static int selector(int index) {
        return index << 3 | 7;
    }

    /** The descriptor of a local selector; {@link #TABLE}'s sixth, which is flat, for others. */
    static Descriptor of(int selector) {
        return (selector & 7) == 7 && selector >> 3 < TABLE.size()
                ? TABLE.get(selector >> 3)
                : TABLE.get(5);
    }

    boolean isCode() {
        return contents >= 2;
    }

    /** A code segment's mode. */
    int mode() {
        return big ? 32 : 16;
    }

    private int access() {
        // The kernel sets the accessed bit itself.
        return 0x60 | 0x10 | (present ? 0x80 : 0) | contents << 2 | (limited ? 0 : 2) | 1;
    }

    /** As it stands in memory (APM volume 2, 4.7). */
    long raw() {
        long flags = (big ? 4 : 0) | (pages ? 8 : 0) | 1;
        return limit & 0xffffL
                | (base & 0xffffff) << 16
                | (long) access() << 40
                | (limit & 0xf0000L) << 32
                | flags << 52
                | (base & 0xff000000L) << 32;
    }

    /** Attributes in the form of the register groups. */
    int attributes() {
        return access() | 1 << 8 | (big ? 1 << 10 : 0) | (pages ? 1 << 11 : 0);
    }

    long lastByte() {
        return pages ? (limit & 0xfffffL) << 12 | 0xfff : limit;
    }

    /** The table as modify_ldt takes it, behind its count. */
    static ByteBuffer userDescriptors() {
        ByteBuffer b = ByteBuffer.allocate(4 + 16 * TABLE.size());
        b.order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(TABLE.size());
        for (int i = 0; i < TABLE.size(); i++) {
            Descriptor d = TABLE.get(i);
            b.putInt(i).putInt((int) d.base).putInt(d.limit);
            b.putInt(
                    (d.big ? 1 : 0)
                            | d.contents << 1
                            | (d.limited ? 8 : 0)
                            | (d.pages ? 16 : 0)
                            | (d.present ? 0 : 32)
                            | 64);
        }
        return b.flip();
    }
}
