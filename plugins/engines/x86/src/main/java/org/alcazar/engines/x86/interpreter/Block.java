package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.semantics.Branches;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of decoded code with one entry, within a page unless it is a single instruction that
 * crosses into the next.
 */
final class Block {
    /** Bits of {@link #key}: log2 of the code size in words, and what else nodes depend on. */
    static final int MODE_16 = 0, MODE_32 = 1, MODE_64 = 2, MODE = 3;

    /** Runs at CPL 3. */
    static final int USER = 4;

    /** Legacy mode with flat CS, DS, ES and SS. */
    static final int FLAT = 8;

    /** One instruction only, for single steps. */
    static final int SINGLE = 16;

    /** Nodes only, whatever is translated: for what a region leaves to the interpreter. */
    static final int PLAIN = 32;

    /**
     * From this bit on: a number for the code segment's limit in legacy modes, 0 if it is 4 GiB;
     * see {@link CodeLimits}.
     */
    static final int LIMIT_SHIFT = 8;

    static final Block NONE = new Block(-1, 0, -1, -1, -1);

    /** Offset of the first instruction in the code segment, whose base is {@link #csBase}. */
    final long rip;

    final long csBase;

    /** Host-physical address of the first byte, -1 if the code is not in RAM. */
    final long hpa;

    /**
     * Host-physical address of the next page's start if the instruction reaches into it, else -1.
     */
    final long hpa2;

    final int key;
    final long ripMask;

    /** Instructions that running it counts in advance: all, or none if it is a region's entry. */
    int count = Integer.MAX_VALUE;

    /** Instructions, and their bytes. */
    int instructions;

    int bytes;

    /** Its code is translated: {@link #first} is a {@link RegionOp}. */
    boolean region;

    /** Where {@link #rip} is known to lead here: for {@link Core#knows}. */
    long known;

    boolean dropped;
    @Nullable Op first;

    /** The node that ends it. */
    @Nullable Op last;

    /**
     * Its nodes as decoded. Collectors copy what an array refers to in sequence, so nodes follow
     * one another in memory, which is what counts where code runs seldom.
     */
    Op[] ops = {};

    /** Times it is entered from now on until it is hot; not above 0 if nobody waits for that. */
    int left;

    /** So many times {@link #left} begins anew unless there is room to translate it sooner. */
    byte early;

    /** Is asked for as part of a region. */
    boolean awaited;

    /** Next in its {@link CodePage}'s list. */
    @Nullable Block sibling;

    Block(long rip, long csBase, long hpa, long hpa2, int key) {
        this.rip = rip;
        this.csBase = csBase;
        this.hpa = hpa;
        this.hpa2 = hpa2;
        this.key = key;
        this.ripMask =
                (key & MODE) == MODE_64 ? -1 : (key & MODE) == MODE_32 ? 0xffffffffL : 0xffff;
    }

    /** Whether its only instruction is POPF or IRET, which may clear TF but trap all the same. */
    boolean loadsFlags() {
        if (first == null || first.insn == null) {
            return false;
        }
        String semantics = first.insn.row.semantics();
        return semantics.equals("Stack.popf") || semantics.equals("FarTransfers.iret");
    }

    /**
     * Whether its only instruction, which is done, has transferred control (APM volume 2, 13.1.6).
     * A LOOP or JCXZ to the next instruction is taken for one that did not.
     */
    boolean transferred(Core core) {
        if (first == null || first.insn == null) {
            return false;
        }
        Instruction insn = first.insn;
        boolean elsewhere = core.rip != (rip + insn.length & ripMask);
        String semantics = insn.row.semantics();
        return switch (semantics) {
            case "Branches.jmp", "Branches.call", "Branches.ret" -> true;
            case "Branches.jcc" -> Branches.condition(core, insn.opcode);
            case "FarTransfers.into" -> elsewhere;
            default ->
                    semantics.startsWith("FarTransfers.")
                            || semantics.startsWith("Branches.") && elsewhere;
        };
    }

    /** Of its code segment: 16, 32 or 64. */
    int bits() {
        return 16 << (key & MODE);
    }

    /** Whether CS, DS, ES and SS have base 0 and no limit. */
    boolean flat() {
        return (key & MODE) == MODE_64 || (key & FLAT) != 0;
    }

    /** Whether its code reaches the highest address there is, or began beyond it. */
    boolean wraps() {
        return (key & MODE) != MODE_64 && rip + bytes > ripMask;
    }

    /** Linear address of the first byte. */
    long linear() {
        return linear(0);
    }

    /** Linear address of the page that its instruction reaches into, if it does. */
    long secondPage() {
        long next = (linear() & -HostMemory.PAGE_SIZE) + HostMemory.PAGE_SIZE;
        return (key & MODE) == MODE_64 ? next : next & 0xffffffffL;
    }

    /** Its code as it is in RAM. */
    byte[] code() {
        byte[] code = new byte[bytes];
        int here = (int) Math.min(bytes, HostMemory.PAGE_SIZE - (hpa & HostMemory.PAGE_SIZE - 1));
        HostRam.read(hpa, code, 0, here);
        if (hpa2 >= 0) {
            HostRam.read(hpa2, code, here, bytes - here);
        }
        return code;
    }

    /** Linear address of a byte of the code. */
    long linear(int offset) {
        long sum = csBase + rip + offset;
        return (key & MODE) == MODE_64 ? sum : sum & 0xffffffffL;
    }

    /**
     * Makes sure that it is never entered again, and that a run in progress leaves it after the
     * instruction it is at.
     */
    void drop(Loss why) {
        if (first instanceof RegionOp entry) {
            entry.lost(why);
        }
        dropped = true;
        known = 0;
        Op op = first;
        while (op != null) {
            Op following = op.next;
            if (following == null || following instanceof LeaveOp) {
                break;
            }
            op.next = new LeaveOp(following.rip(), count - following.at);
            op = following;
        }
    }
}
