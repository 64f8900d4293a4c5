package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.Row;
import org.alcazar.engines.x86.region.Candidate;
import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A candidate's instructions as nodes without branches but at their ends, entry first. */
final class Graph {
    /** An instruction at its address. */
    record At(long rip, long next, Instruction insn) {
        /** Where its immediate displacement leads. */
        long target() {
            return next + insn.immediate;
        }
    }

    /** Instructions that run one after the other. */
    static final class Node {
        final long rip;
        final List<At> body = new ArrayList<>();

        /** How many ways lead here. */
        int entries;

        /** Where it goes when it ends without a branch; not an address if it ends with one. */
        long after;

        Node(long rip) {
            this.rip = rip;
        }

        @Nullable At last() {
            return body.isEmpty() ? null : body.getLast();
        }
    }

    final int mode;
    final List<Node> nodes = new ArrayList<>();
    final Map<Long, Node> byRip = new TreeMap<>();

    private final Map<Long, At> instructions = new TreeMap<>();

    private Graph(int mode) {
        this.mode = mode;
    }

    static Graph of(Candidate candidate, Decoder decoder) {
        Graph graph = new Graph(candidate.mode());
        for (Candidate.Piece piece : candidate.pieces()) {
            graph.decode(piece, decoder);
        }
        graph.split(candidate);
        return graph;
    }

    /** Whether an address is one of the code segment's. */
    private long trim(long rip) {
        return mode == 64 ? rip : rip & 0xffffffffL;
    }

    private void decode(Candidate.Piece piece, Decoder decoder) {
        byte[] code = piece.code();
        int offset = 0;
        while (offset < code.length) {
            Instruction insn = new Instruction();
            int length = decoder.decode(code, offset, code.length - offset, mode, insn);
            if (length <= 0) {
                return;
            }
            long rip = trim(piece.rip() + offset);
            instructions.putIfAbsent(rip, new At(rip, trim(rip + length), insn));
            offset += length;
        }
    }

    static boolean isJcc(Instruction insn) {
        return insn.row.semantics().equals("Branches.jcc");
    }

    static boolean isJump(Instruction insn) {
        return insn.row.semantics().equals("Branches.jmp");
    }

    static boolean isCall(Instruction insn) {
        return insn.row.semantics().equals("Branches.call");
    }

    static boolean isDirect(Instruction insn) {
        return insn.modrm < 0;
    }

    private static boolean ends(Instruction insn) {
        return insn.row.semantics().startsWith("Branches.")
                || insn.row.has(Row.ENDS_BLOCK) && !insn.row.semantics().equals("Flags.cli");
    }

    /** Ways out of an instruction that ends a node, as far as they are known. */
    private List<Long> targets(At at) {
        Instruction insn = at.insn;
        if (isJcc(insn)) {
            return List.of(trim(at.target()), at.next);
        }
        if (isJump(insn) && isDirect(insn)) {
            return List.of(trim(at.target()));
        }
        return isCall(insn) ? List.of(at.next) : List.of();
    }

    private void split(Candidate candidate) {
        Set<Long> leaders = new HashSet<>();
        long entry = candidate.pieces().getFirst().rip();
        leaders.add(entry);
        for (At at : instructions.values()) {
            if (ends(at.insn)) {
                leaders.addAll(targets(at));
            }
        }
        ArrayDeque<Long> open = new ArrayDeque<>();
        open.add(entry);
        while (!open.isEmpty()) {
            long rip = open.poll();
            if (instructions.containsKey(rip) && !byRip.containsKey(rip)) {
                Node node = node(rip, leaders);
                byRip.put(rip, node);
                nodes.add(node);
                open.addAll(ways(node));
            }
        }
        for (Node node : nodes) {
            for (long way : ways(node)) {
                Node to = byRip.get(way);
                if (to != null) {
                    to.entries++;
                }
            }
        }
        if (!nodes.isEmpty()) {
            nodes.getFirst().entries++;
        }
    }

    private Node node(long start, Set<Long> leaders) {
        Node node = new Node(start);
        long rip = start;
        while (true) {
            At at = instructions.get(rip);
            if (at == null) {
                break;
            }
            node.body.add(at);
            rip = at.next;
            if (ends(at.insn)) {
                return node;
            }
            if (leaders.contains(rip)) {
                break;
            }
        }
        node.after = rip;
        return node;
    }

    /** Addresses that a node leads to. */
    List<Long> ways(Node node) {
        At last = node.last();
        return last != null && ends(last.insn) ? targets(last) : List.of(node.after);
    }

    int instructions() {
        return nodes.stream().mapToInt(n -> n.body.size()).sum();
    }
}
