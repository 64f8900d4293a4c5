package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.region.Candidate;
import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A candidate's instructions as nodes without branches but at their ends, entry first. */
final class Graph {
    private static final Set<String> COUNTING =
            Set.of("Branches.loop", "Branches.loope", "Branches.loopne", "Branches.jcxz");

    /** An instruction at its address. */
    record At(long rip, long next, Instruction insn) {
        /** Where its immediate displacement leads. */
        long target() {
            return trim(next + insn.immediate, insn.operandSize);
        }
    }

    /** Instructions that run one after the other. */
    static final class Node {
        final long rip;
        final List<At> body = new ArrayList<>();

        /**
         * Where the indirect branch, call or return at its end goes within the region, as far as
         * that is known; elsewhere it leaves.
         */
        final List<Long> targets = new ArrayList<>();

        /** Whether it is in a loop. */
        boolean loops;

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
    final boolean flat;
    final List<Node> nodes = new ArrayList<>();
    final Map<Long, Node> byRip = new TreeMap<>();

    private final Map<Long, At> instructions = new TreeMap<>();

    /** Where indirect branches went, by their addresses. */
    private final Map<Long, long[]> went = new HashMap<>();

    private Graph(int mode, boolean flat) {
        this.mode = mode;
        this.flat = flat;
    }

    static Graph of(Candidate candidate, Decoder decoder) {
        Graph graph = new Graph(candidate.mode(), candidate.flat());
        for (Candidate.Piece piece : candidate.pieces()) {
            graph.decode(piece, decoder);
        }
        graph.split(candidate);
        return graph;
    }

    private static long trim(long rip, int bytes) {
        return bytes == 8 ? rip : bytes == 4 ? rip & 0xffffffffL : rip & 0xffff;
    }

    private void decode(Candidate.Piece piece, Decoder decoder) {
        byte[] code = piece.code();
        int offset = 0;
        long last = piece.rip();
        while (offset < code.length) {
            Instruction insn = new Instruction();
            int length = decoder.decode(code, offset, code.length - offset, mode, insn);
            if (length <= 0) {
                break;
            }
            long rip = trim(piece.rip() + offset, mode / 8);
            instructions.putIfAbsent(rip, new At(rip, trim(rip + length, mode / 8), insn));
            offset += length;
            last = rip;
        }
        went.put(last, piece.targets());
    }

    static boolean isJcc(Instruction insn) {
        return insn.row.semantics().equals("Branches.jcc");
    }

    /** Whether it is JCXZ, LOOP or one of its relatives. */
    static boolean counts(Instruction insn) {
        return COUNTING.contains(insn.row.semantics());
    }

    static boolean isJump(Instruction insn) {
        return insn.row.semantics().equals("Branches.jmp");
    }

    static boolean isCall(Instruction insn) {
        return insn.row.semantics().equals("Branches.call");
    }

    static boolean isReturn(Instruction insn) {
        return insn.row.semantics().equals("Branches.ret");
    }

    static boolean isDirect(Instruction insn) {
        return insn.modrm < 0;
    }

    /** Whether what follows depends on what it does. */
    static boolean ends(Instruction insn) {
        return insn.row.semantics().startsWith("Branches.") || StateWriter.ends(insn);
    }

    /** Ways out of an instruction that ends a node, if calls return. */
    private List<Long> ways(At at) {
        Instruction insn = at.insn;
        if (isJcc(insn) || counts(insn)) {
            return List.of(at.target(), at.next);
        }
        if (isJump(insn) && isDirect(insn)) {
            return List.of(at.target());
        }
        return isCall(insn) ? List.of(at.next) : goals(at);
    }

    /** Where a call or an indirect branch may go. */
    private List<Long> goals(At at) {
        if (isDirect(at.insn)) {
            return isCall(at.insn) ? List.of(at.target()) : List.of();
        }
        return Arrays.stream(went.getOrDefault(at.rip, new long[0])).boxed().toList();
    }

    private void split(Candidate candidate) {
        Set<Long> leaders = new HashSet<>();
        long entry = candidate.pieces().getFirst().rip();
        leaders.add(entry);
        for (At at : instructions.values()) {
            if (ends(at.insn)) {
                leaders.addAll(ways(at));
                leaders.addAll(goals(at));
            }
        }
        ArrayDeque<Long> open = new ArrayDeque<>();
        open.add(entry);
        while (!open.isEmpty()) {
            long rip = open.poll();
            if (instructions.containsKey(rip) && !byRip.containsKey(rip)) {
                Node node = node(rip, leaders);
                byRip.put(rip, node);
                At last = node.last();
                if (last != null && ends(last.insn)) {
                    open.addAll(ways(last));
                    open.addAll(goals(last));
                } else {
                    open.add(node.after);
                }
            }
        }
        match();
        order(entry);
    }

    /** Finds the ways of indirect jumps, of calls that return within the region, and of returns. */
    private void match() {
        for (Node node : byRip.values()) {
            At last = node.last();
            if (last == null || !ends(last.insn)) {
                continue;
            }
            for (long goal : goals(last)) {
                Node to = byRip.get(goal);
                if (to == null || !isCall(last.insn)) {
                    add(node, to);
                } else {
                    for (Node end : returns(to)) {
                        add(node, to);
                        add(end, byRip.get(last.next));
                    }
                }
            }
        }
    }

    /** Adds a target, unless it has the low 32 bits of another. */
    private static void add(Node node, @Nullable Node to) {
        if (to != null && node.targets.stream().allMatch(t -> (int) (t ^ to.rip) != 0)) {
            node.targets.add(to.rip);
        }
    }

    /** Nodes in which a function returns. */
    private List<Node> returns(Node function) {
        List<Node> found = new ArrayList<>();
        Set<Node> seen = new HashSet<>();
        ArrayDeque<Node> open = new ArrayDeque<>();
        open.add(function);
        while (!open.isEmpty()) {
            Node node = open.poll();
            At last = node.last();
            if (!seen.add(node) || last == null) {
                continue;
            }
            if (isReturn(last.insn)) {
                found.add(node);
            }
            for (long way : ends(last.insn) ? ways(last) : List.of(node.after)) {
                Node to = byRip.get(way);
                if (to != null) {
                    open.add(to);
                }
            }
        }
        return found;
    }

    /**
     * Lists what the entry leads to so that every circle of nodes has a way to an earlier node, and
     * loops no more of these than they must.
     */
    private void order(long entry) {
        Node first = byRip.get(entry);
        if (first != null) {
            first.entries = 1;
            visit(first, new HashSet<>());
        }
        byRip.values().retainAll(nodes);
        for (Node node : nodes) {
            node.loops = loops(node);
        }
    }

    private boolean loops(Node start) {
        Set<Node> seen = new HashSet<>();
        ArrayDeque<Node> open = new ArrayDeque<>();
        open.add(start);
        while (!open.isEmpty() && !seen.contains(start)) {
            for (long way : ways(open.poll())) {
                Node to = byRip.get(way);
                if (to != null && seen.add(to)) {
                    open.add(to);
                }
            }
        }
        return seen.contains(start);
    }

    private void visit(Node node, Set<Node> seen) {
        seen.add(node);
        for (long way : ways(node)) {
            Node to = byRip.get(way);
            if (to != null) {
                to.entries++;
                if (!seen.contains(to)) {
                    visit(to, seen);
                }
            }
        }
        nodes.addFirst(node);
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
        if (last == null || !ends(last.insn)) {
            return List.of(node.after);
        }
        if (isCall(last.insn) && isDirect(last.insn) && !node.targets.isEmpty()) {
            return node.targets;
        }
        List<Long> all = new ArrayList<>(node.targets);
        if (!isJump(last.insn) || isDirect(last.insn)) {
            all.addAll(ways(last));
        }
        return all;
    }

    int instructions() {
        return nodes.stream().mapToInt(n -> n.body.size()).sum();
    }
}
