package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;

import java.util.ArrayList;
import java.util.List;

/** Decodes blocks. One builder belongs to one core. */
final class BlockBuilder {
    /** Instructions in a block. */
    private static final int MAX = 40;

    private static final int LONGEST = 15;

    private final NodeFactory nodes;
    private final Decoder decoder;
    private final byte[] code = new byte[MAX * LONGEST + LONGEST];
    private final List<Instruction> decoded = new ArrayList<>();
    private final List<Op> ops = new ArrayList<>();

    /** Instructions in {@link #ops}; some nodes are two. */
    private int count;

    BlockBuilder(NodeFactory nodes, CpuModel model) {
        decoder = new Decoder(model.table());
        this.nodes = nodes;
    }

    /**
     * Decodes the block at {@code core.rip}.
     *
     * @param la its linear address
     * @param hpa its host-physical address, or -1 if the code is not in RAM
     */
    Block build(Core core, long la, long hpa, int key) {
        int room = (int) (HostMemory.PAGE_SIZE - (la & HostMemory.PAGE_SIZE - 1));
        long left = left(core, key);
        int available = (int) Math.min(Math.min(room, code.length - LONGEST), left);
        boolean single = (key & Block.SINGLE) != 0;
        if (hpa < 0) {
            return window(core, la, key);
        }
        if (single) {
            available = Math.min(available, LONGEST);
        }
        HostRam.read(hpa, code, 0, available);
        Instruction first = new Instruction();
        int length = decoder.decode(code, 0, available, mode(key), first);
        if (length == Decoder.INCOMPLETE && available == left) {
            length = Decoder.TOO_LONG;
        } else if (length == Decoder.INCOMPLETE && available == room) {
            return crossing(core, la, hpa, room, key);
        }
        Block block = new Block(core.rip, core.segmentBase[1], hpa, -1, key);
        collect(block, available, first, length, single ? 1 : MAX);
        return block;
    }

    /**
     * Bytes of code up to the segment's limit. An instruction that reaches beyond it raises #GP(0),
     * as one that is too long does. RIP itself is within.
     */
    private static long left(Core core, int key) {
        return (key & Block.MODE) == Block.MODE_64
                ? Long.MAX_VALUE
                : core.segmentLimit[1] - core.rip + 1;
    }

    private static int mode(int key) {
        return 16 << (key & Block.MODE);
    }

    /** A single instruction that reaches into the next page. */
    private Block crossing(Core core, long la, long hpa, int room, int key) {
        long next = la + room;
        if ((key & Block.MODE) != Block.MODE_64) {
            next &= 0xffffffffL;
        }
        long hpa2 = core.mmu.fetch(next);
        if (hpa2 < 0) {
            return window(core, la, key);
        }
        core.protect(hpa2);
        HostRam.read(hpa2, code, room, LONGEST);
        Instruction insn = new Instruction();
        int available = (int) Math.min(room + LONGEST, left(core, key));
        int length = decoder.decode(code, 0, available, mode(key), insn);
        if (length == Decoder.INCOMPLETE) {
            length = Decoder.TOO_LONG;
        }
        Block block = new Block(core.rip, core.segmentBase[1], hpa, hpa2, key);
        collect(block, available, insn, length, 1);
        return block;
    }

    /** A single instruction from a window of the bus, byte by byte; never to be found again. */
    private Block window(Core core, long la, int key) {
        Instruction insn = new Instruction();
        int length = Decoder.INCOMPLETE;
        int got = 0;
        long left = left(core, key);
        while (length == Decoder.INCOMPLETE) {
            if (got == left) {
                length = Decoder.TOO_LONG;
                break;
            }
            code[got] = (byte) core.mmu.fetch8(la + got);
            got++;
            insn = new Instruction();
            length = decoder.decode(code, 0, got, mode(key), insn);
        }
        Block block = new Block(core.rip, core.segmentBase[1], -1, -1, key);
        collect(block, got, insn, length, 1);
        return block;
    }

    /** Decodes first and makes the nodes then, so that these lie together in memory. */
    private void collect(Block block, int available, Instruction first, int length, int max) {
        decoded.clear();
        Instruction insn = first;
        int n = length;
        int end = 0;
        boolean ended = false;
        while (n >= 0 && !ended) {
            decoded.add(insn);
            end += n;
            ended =
                    NodeFactory.endsBlock(insn, block.key)
                            || NodeFactory.isConditionalBranch(insn)
                            || decoded.size() == max
                            || end >= available;
            if (!ended) {
                insn = new Instruction();
                n = decoder.decode(code, end, available - end, mode(block.key), insn);
            }
        }
        ops.clear();
        count = 0;
        int offset = 0;
        boolean branched = false;
        for (int i = 0; i < decoded.size() && !branched; i++) {
            Instruction next = i + 1 < decoded.size() ? decoded.get(i + 1) : null;
            if (next != null && fuses(block, decoded.get(i), next, offset)) {
                branched = true;
                offset += decoded.get(i).length + next.length;
            } else {
                branched = add(block, decoded.get(i), offset);
                offset += decoded.get(i).length;
            }
        }
        if (!branched && n < 0 && n != Decoder.INCOMPLETE) {
            add(block, fault(n), offset);
            count++;
        } else if (!branched) {
            Flow.Fall fall = new Flow.Fall();
            fall.fallRip = block.rip + offset & block.ripMask;
            add(block, fall, offset);
        }
        block.bytes = offset;
        link(block);
    }

    private static Op fault(int outcome) {
        return outcome == Decoder.TOO_LONG
                ? new Flow.Fault(Bits.GP, true)
                : new Flow.Fault(Bits.UD, false);
    }

    /**
     * @return whether the block ends with it
     */
    private boolean add(Block block, Instruction insn, int offset) {
        long nextRip = block.rip + offset + insn.length & block.ripMask;
        int key = block.key;
        Op op;
        if (NodeFactory.isConditionalBranch(insn) && simple(insn, key, nextRip)) {
            op = nodes.conditional(insn, nextRip);
            ((BranchOp) op).takenRip = nextRip + insn.immediate & block.ripMask;
        } else {
            op = nodes.make(insn, nextRip, key, -1);
        }
        add(block, op, offset);
        count++;
        return op instanceof BranchOp;
    }

    /** Makes one node of an instruction and the branch behind it, if that can be. */
    private boolean fuses(Block block, Instruction insn, Instruction branch, int offset) {
        long middle = block.rip + offset + insn.length & block.ripMask;
        long nextRip = middle + branch.length & block.ripMask;
        if (!NodeFactory.isConditionalBranch(branch)
                || !NodeFactory.fuses(insn)
                || !simple(branch, block.key, nextRip)) {
            return false;
        }
        BranchOp op = (BranchOp) nodes.make(insn, middle, block.key, branch.opcode & 15);
        add(block, op, offset);
        op.fallRip = nextRip;
        op.takenRip = nextRip + branch.immediate & block.ripMask;
        count += 2;
        return true;
    }

    /** Whether the target needs no check at run time. */
    private static boolean simple(Instruction insn, int key, long nextRip) {
        long target = nextRip + insn.immediate;
        return (key & Block.MODE) == Block.MODE_64
                ? insn.operandSize == 8 && target << 16 >> 16 == target
                : (key & Block.FLAT) != 0 && insn.operandSize == 4;
    }

    private void add(Block block, Op op, int offset) {
        op.block = block;
        op.offset = (short) offset;
        op.at = (byte) count;
        ops.add(op);
    }

    private void link(Block block) {
        for (int i = 0; i + 1 < ops.size(); i++) {
            ops.get(i).next = ops.get(i + 1);
        }
        block.count = count;
        block.instructions = count;
        block.first = ops.getFirst();
        block.last = ops.getLast();
        block.ops = ops.toArray(new Op[0]);
        ops.clear();
    }
}
