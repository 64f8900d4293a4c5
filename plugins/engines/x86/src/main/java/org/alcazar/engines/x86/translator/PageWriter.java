package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.host.HostMemory;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;

/**
 * Finds operands in pages that the region has found before in the same run, which takes a
 * comparison and an addition instead of a look into the view. That pays where the same place comes
 * by again: at tables with constant addresses, whose next element often depends on the one before
 * (checksums, ciphers, automata), and in loops, which mostly go through memory in order.
 */
final class PageWriter {
    /** Displacements from here on are addresses rather than distances. */
    private static final long LEAST_TABLE = 0x10000;

    private final CodeBuilder c;
    private final Frame frame;
    private final InstructionWriter writer;
    private final boolean long64;
    private final boolean flat;

    /** Whether the present instruction is in a loop of the region. */
    boolean loop;

    PageWriter(CodeBuilder c, Frame frame, InstructionWriter writer, boolean long64, boolean flat) {
        this.c = c;
        this.frame = frame;
        this.writer = writer;
        this.long64 = long64;
        this.flat = flat;
    }

    /**
     * Finds {@link Frame#HPA} of an operand in a page that was found before, or as any other.
     *
     * @param bytes 1 to 8
     * @return false if none is remembered for its like, with nothing written
     */
    boolean find(Instruction insn, int bytes, boolean write) {
        boolean linear = (long64 || flat) && insn.segment != X86.CS && insn.segment < X86.FS;
        boolean relative = insn.base == Instruction.RIP_RELATIVE;
        if (!linear || relative || frame.quick) {
            return false;
        }
        if (!write && isElement(insn)) {
            long start = long64 ? insn.displacement : insn.displacement & 0xffffffffL;
            long page = start & -HostMemory.PAGE_SIZE;
            int addend = frame.table(page);
            if (addend >= 0) {
                inTable(page, addend, bytes);
            }
            return addend >= 0;
        }
        int page = loop && insn.base >= 0 ? frame.page(insn.base, write) : -1;
        if (page >= 0) {
            inPage(page, bytes, write, true);
        }
        return page >= 0;
    }

    private boolean isElement(Instruction insn) {
        boolean one = insn.base < 0 ? insn.index >= 0 : insn.index < 0;
        boolean whole = insn.addressSize == (long64 ? 8 : 4);
        return one && whole && Math.abs(insn.displacement) >= LEAST_TABLE;
    }

    private void inTable(long page, int addend, int bytes) {
        Label search = c.newLabel();
        Label found = c.newLabel();
        frame.unknown(c, addend, search);
        aligned(bytes);
        c.loadConstant(page).lcmp().ifne(search);
        c.lload(Frame.LA).lload(addend).ladd().lstore(Frame.HPA).goto_(found);
        c.labelBinding(search);
        writer.search(bytes, false);
        aligned(1);
        c.loadConstant(page).lcmp().ifne(found);
        c.lload(Frame.HPA).lload(Frame.LA).lsub().lstore(addend);
        c.labelBinding(found);
    }

    /**
     * Finds {@link Frame#HPA}, most often in the page that a variable has.
     *
     * @param page the variable; the next one has what to add to a linear address in that page
     * @param keep whether the page that is found otherwise is the variable's from then on: one that
     *     is read must not be where one is looked for to write
     */
    void inPage(int page, int bytes, boolean write, boolean keep) {
        int addend = page + 2;
        Label search = c.newLabel();
        Label found = c.newLabel();
        aligned(bytes);
        c.lload(page).lcmp().ifne(search);
        c.lload(Frame.LA).lload(addend).ladd().lstore(Frame.HPA).goto_(found);
        c.labelBinding(search);
        writer.search(bytes, write);
        if (keep) {
            aligned(1);
            c.lstore(page);
            c.lload(Frame.HPA).lload(Frame.LA).lsub().lstore(addend);
        }
        c.labelBinding(found);
    }

    /** Leaves the page of the linear address, or no page where an access is not aligned. */
    private void aligned(int bytes) {
        c.lload(Frame.LA).loadConstant(-HostMemory.PAGE_SIZE | bytes - 1).land();
    }
}
