package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.host.HostMemory;
import org.alcazar.host.HostRam;
import org.jspecify.annotations.Nullable;

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

    private void collect(Block block, int available, Instruction first, int length, int max) {
        ops.clear();
        count = 0;
        Instruction insn = first;
        int n = length;
        int offset = 0;
        boolean ended = false;
        while (n != Decoder.INCOMPLETE) {
            if (n < 0) {
                add(block, fault(n), offset);
                count++;
                ended = true;
                break;
            }
            ended = add(block, insn, offset);
            offset += n;
            if (ended || count >= max || offset >= available) {
                break;
            }
            insn = new Instruction();
            n = decoder.decode(code, offset, available - offset, mode(block.key), insn);
        }
        if (!ended) {
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
        if (NodeFactory.isConditionalBranch(insn) && simple(insn, key, nextRip)) {
            BranchOp op = fuse(block, insn, nextRip);
            if (op == null) {
                op = (BranchOp) nodes.conditional(insn, nextRip);
                add(block, op, offset);
            }
            op.takenRip = nextRip + insn.immediate & block.ripMask;
            count++;
            return true;
        }
        Op op = nodes.make(insn, nextRip, key, -1);
        add(block, op, offset);
        count++;
        return op instanceof BranchOp;
    }

    /** Whether the target needs no check at run time. */
    private static boolean simple(Instruction insn, int key, long nextRip) {
        long target = nextRip + insn.immediate;
        return (key & Block.MODE) == Block.MODE_64
                ? insn.operandSize == 8 && target << 16 >> 16 == target
                : (key & Block.FLAT) != 0 && insn.operandSize == 4;
    }

    /** Makes the node before the branch do the branch as well, if it can. */
    private @Nullable BranchOp fuse(Block block, Instruction branch, long nextRip) {
        if (ops.isEmpty()) {
            return null;
        }
        Op before = ops.getLast();
        Instruction insn = before.insn;
        if (insn == null || !NodeFactory.fuses(insn)) {
            return null;
        }
        long middle = block.rip + before.offset + before.length & block.ripMask;
        Op fused = nodes.make(insn, middle, block.key, branch.opcode & 15);
        ops.removeLast();
        int at = count;
        count = before.at;
        add(block, fused, before.offset);
        count = at;
        BranchOp op = (BranchOp) fused;
        op.fallRip = nextRip;
        return op;
    }

    private void add(Block block, Op op, int offset) {
        op.block = block;
        op.offset = (short) offset;
        op.at = (short) count;
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
