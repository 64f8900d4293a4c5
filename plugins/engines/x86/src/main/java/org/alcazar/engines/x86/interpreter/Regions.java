package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.region.Targets;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.host.HostMemory;
import org.alcazar.machine.Requests;
import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Hot code of one core: finds out what belongs together, has it translated, and puts the
 * translation where the code was. Used by the core's own thread but for the answers, which come
 * from the translator's.
 */
final class Regions {
    /** Blocks and instructions in a candidate. */
    private static final int MAX_BLOCKS = 24;

    private static final int MAX_INSTRUCTIONS = 110;

    /**
     * A block that has run this much less than the entry is not hot with it. One that a loop takes
     * every so often belongs to it: leaving for it and coming back costs as much as ten rounds.
     */
    private static final int COLD = 32;

    /**
     * What is part of a region by now and yet entered from outside is an entry too after this part
     * of the executions that make code hot: it may have been for once.
     */
    private static final int STRAY = 8;

    /** The same for what an indirect branch leads to: its targets share its heat. */
    private static final int COLD_TARGET = 64;

    /**
     * Where the host has processors to spare code is translated this much sooner, in steps: a shell
     * runs thousands of stretches that are each not hot.
     */
    static final int EARLY = 15;

    /**
     * Bits for addresses of hot code. When a quarter is set all are forgotten: else cold code would
     * pass for hot by and by.
     */
    private static final int HOT = 1 << 16;

    /** One in so many is noted of the instructions for which regions are left. */
    private static final long SAMPLE = 64;

    /** So many of these instructions are told. */
    private static final int REASONS = 12;

    /**
     * @param asked when, by {@link RegionCounts#ticks}
     */
    private record Answer(
            Candidate candidate,
            Block entry,
            List<Block> blocks,
            long asked,
            @Nullable Translation translation) {}

    private static final Set<String> NEVER_FALL = Set.of("Branches.jmp", "Branches.ret");

    private final Core core;
    private final Translator translator;
    private final int threshold;
    private final Slack slack = new Slack();
    final Region.Path path = new Region.Path();
    private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();

    /** By semantics: instructions for which regions were left to the interpreter. */
    private final Map<String, Long> reasons = new ConcurrentHashMap<>();

    /** Hashes of blocks that are or were parts of regions. */
    private final long[] hot = new long[HOT / Long.SIZE];

    /** Of those, how many are set. */
    private int remembered;

    /** By the keys of blocks. */
    private final Map<Integer, Targets> targets = new HashMap<>();

    private long lefts;
    final RegionCounts counts;

    /** Entries from outside, and why regions were left, if not by a numbered exit. */
    long runs;

    long plain;

    /** Instructions that ran in regions. */
    long retired;

    /** Not entered because another page of theirs is not known to be where it was. */
    long unusable;

    long indirect;

    /** System calls and their returns. */
    long elsewhere;

    long refusals;

    Regions(Core core, Translator translator) {
        this.core = core;
        counts = new RegionCounts(core);
        this.translator = translator;
        threshold = translator.threshold();
    }

    /** Has a new block counted. */
    void watch(Block block) {
        if (mayBePart(block)) {
            boolean again = wasHot(hash(block));
            block.early = (byte) (again || step() == 0 ? 0 : EARLY);
            block.left = again ? Math.max(1, threshold / COLD) : threshold - block.early * step();
        }
    }

    private int step() {
        return threshold / (EARLY + 1);
    }

    /** Whether translating now takes no processor away from what runs. */
    boolean room() {
        return slack.room(core.retired) && translator.waiting() == 0;
    }

    /**
     * Whether the same code at the same address was part of a region before. Systems patch their
     * own code a few bytes at a time, and drop all of its page.
     */
    private boolean wasHot(int hash) {
        return (hot[hash >> 6] >>> hash & 1) != 0;
    }

    private void remember(Block block) {
        int hash = hash(block);
        if (wasHot(hash)) {
            return;
        }
        if (++remembered > HOT / 4) {
            Arrays.fill(hot, 0);
            remembered = 1;
        }
        hot[hash >> 6] |= 1L << hash;
    }

    private static int hash(Block block) {
        int code = Arrays.hashCode(block.code());
        return (int) (block.rip ^ block.rip >>> 16) + (code ^ code >>> 16) & HOT - 1;
    }

    /** Whether it may be the entry of a region. */
    private static boolean translatable(Block block) {
        return block.hpa2 < 0 && mayBePart(block);
    }

    private static boolean mayBePart(Block block) {
        boolean inRam = block.hpa >= 0 && !block.wraps();
        return inRam && (block.key & (Block.SINGLE | Block.PLAIN)) == 0;
    }

    /**
     * A block has become hot: asks for its translation, but not while another one brings it. The
     * counts of blocks that are not translated come by here too, after four billion runs.
     */
    void hot(Block entry) {
        if (!translatable(entry)) {
            return;
        }
        if (entry.awaited) {
            entry.left = threshold;
            return;
        }
        if (entry.early > 0 && !room()) {
            entry.early--;
            entry.left = step();
            return;
        }
        List<Block> blocks = gather(entry);
        await(blocks, true);
        List<Candidate.Piece> pieces = new ArrayList<>();
        for (Block b : blocks) {
            remember(b);
            pieces.add(new Candidate.Piece(b.rip, b.code(), b.instructions, targets(b)));
        }
        ask(new Candidate(entry.bits(), entry.flat(), true, pieces), entry, blocks);
        settle(); // at the head of a block no code is running
    }

    private void ask(Candidate candidate, Block entry, List<Block> blocks) {
        counts.requested(candidate, translator);
        long asked = counts.ticks();
        translator.translate(
                candidate,
                () -> -entry.left,
                translation -> {
                    answers.add(new Answer(candidate, entry, blocks, asked, translation));
                    core.requests.post(Requests.ENGINE);
                });
    }

    /** Entries and loops after which a quick translation may be warm, or has to wait again. */
    int patience() {
        return Math.max(1, translator.patience() / (EARLY + 1));
    }

    private static void await(List<Block> blocks, boolean awaited) {
        for (Block b : blocks) {
            b.awaited = awaited;
        }
    }

    private static long[] targets(Block b) {
        return b.last instanceof IndirectOp op ? op.targets() : new long[0];
    }

    /** The entry and what is reached from it, the hottest first; what is called last. */
    private List<Block> gather(Block entry) {
        List<Block> found = new ArrayList<>();
        Set<Block> seen = new HashSet<>();
        Set<Block> next = new LinkedHashSet<>();
        Set<Block> called = new LinkedHashSet<>();
        next.add(entry);
        seen.add(entry);
        int instructions = 0;
        while (found.size() < MAX_BLOCKS) {
            Set<Block> open = next.isEmpty() ? called : next;
            if (open.isEmpty()) {
                break;
            }
            Block b = Collections.max(open, Comparator.comparingInt(this::heat));
            open.remove(b);
            int count = b.instructions;
            if (instructions + count > MAX_INSTRUCTIONS && !found.isEmpty()) {
                continue;
            }
            instructions += count;
            found.add(b);
            ways(
                    b,
                    (to, cold, calls) -> {
                        if (belongs(to, b, entry, cold, calls) && seen.add(to)) {
                            (calls ? called : next).add(to);
                        }
                    });
        }
        return found;
    }

    /**
     * Whether a block is hot with an entry. Exits lead to the heads of other regions, but where
     * such a one is that of a loop within the entry's, both are one region.
     */
    private boolean belongs(Block b, Block from, Block entry, int cold, boolean calls) {
        if (!usable(b, from)) {
            return false;
        }
        return b.region ? !calls && leadsTo(b, entry) : heat(b) >= Math.max(heat(entry) / cold, 0);
    }

    /** A way from one block to another. */
    private interface Way {
        /**
         * @param cold how much less than the entry the other may have run and still be hot with it
         * @param calls whether it is that of a call
         */
        void to(Block b, int cold, boolean calls);
    }

    private void ways(Block b, Way way) {
        Op last = b.last;
        if (last instanceof BranchOp branch) {
            String semantics = last.insn == null ? "" : last.insn.row.semantics();
            boolean calls = semantics.equals("Branches.call");
            boolean falls = !NEVER_FALL.contains(semantics);
            way.to(branch.taken, COLD, calls);
            way.to(branch.fall, COLD, false);
            if (falls && branch.fallRip != 0) {
                way.to(known(branch.fallRip, b), COLD, false);
            }
            long taken = branch.takenRip != 0 ? branch.takenRip : target(branch);
            if (taken != 0) {
                way.to(known(taken, b), COLD, calls);
            }
            for (long target : targets(b)) {
                way.to(known(target, b), COLD_TARGET, calls);
            }
        }
    }

    /** Whether a block leads back to another without returning from a function. */
    private boolean leadsTo(Block from, Block goal) {
        Set<Block> seen = new HashSet<>();
        Queue<Block> open = new ArrayDeque<>();
        seen.add(from);
        open.add(from);
        while (!open.isEmpty() && seen.size() <= MAX_BLOCKS && !seen.contains(goal)) {
            Block b = open.remove();
            ways(
                    b,
                    (to, cold, calls) -> {
                        if (!calls && usable(to, b) && seen.add(to)) {
                            open.add(to);
                        }
                    });
        }
        return seen.contains(goal);
    }

    /** Where a relative branch leads whose node does not say; 0 for other instructions. */
    private static long target(BranchOp branch) {
        Instruction insn = branch.insn;
        if (insn == null
                || insn.modrm >= 0
                || insn.row.operands().isEmpty()
                || insn.row.operands().getLast().kind() != OperandKind.RELATIVE) {
            return 0;
        }
        long to = branch.fallRip + insn.immediate;
        return insn.operandSize == 8 ? to : to & (insn.operandSize == 4 ? 0xffffffffL : 0xffff);
    }

    /** The block at an address, if there is one near by. */
    private Block known(long rip, Block from) {
        long distance = rip - from.rip;
        long hpa = from.hpa + distance;
        boolean same = (hpa & -HostMemory.PAGE_SIZE) == (from.hpa & -HostMemory.PAGE_SIZE);
        if (same && distance == (int) distance) {
            CodePage page = core.cache.find(hpa);
            Block b = page == null ? null : page.find(hpa, rip, from.csBase, from.key);
            if (b != null) {
                return b;
            }
        }
        Block b = core.jumps[Core.slot(rip, from.key)];
        return b.rip == rip && b.key == from.key ? b : Block.NONE;
    }

    /** Whether it may go on from one block with another in a region. */
    private boolean usable(Block b, Block from) {
        boolean usable = mayBePart(b) && !b.dropped && b.key == from.key;
        // What links and jumps remember may be another program's code at the same address.
        usable = usable && core.mmu.fetched(b.linear()) == b.hpa;
        usable = usable && (b.hpa2 < 0 || core.mmu.fetched(b.secondPage()) == b.hpa2);
        return usable && b.csBase == from.csBase;
    }

    /** How often it has run, as far as that is known: the head of a region is hot. */
    private int heat(Block b) {
        return b.region ? threshold : threshold - b.left - b.early * step();
    }

    /** What regions in the mode of a block share. */
    Targets targets(int key) {
        return targets.computeIfAbsent(key, k -> new Targets());
    }

    /** A region was left for an instruction, or because it refused: every so often it is noted. */
    void left(@Nullable Op first) {
        if ((++lefts & SAMPLE - 1) == 0 && first != null) {
            reasons.merge(first.name(), SAMPLE, Long::sum);
        }
    }

    /** Adds what there is to know of regions to a core's counters. */
    void count(Map<String, Long> all) {
        reasons.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(REASONS)
                .forEach(e -> all.put("region-left-for-" + e.getKey(), e.getValue()));
        counts.count(all);
        all.put("region-runs", runs);
        all.put("region-instructions", retired);
        all.put("region-unusable", unusable);
        all.put("region-left-plain", plain);
        all.put("region-left-indirect", indirect);
        all.put("region-left-elsewhere", elsewhere);
        all.put("region-left-direct", runs - plain - indirect - elsewhere - refusals);
        all.put("region-refusals", refusals);
    }

    /** Adds what can't be added up over the cores that translate. */
    static void countShared(List<Core> cores, Map<String, Long> all) {
        long inRegions = 0;
        long everywhere = 0;
        List<RegionCounts> counts = new ArrayList<>();
        for (Core each : cores) {
            if (each.regions != null) {
                inRegions += each.regions.retired;
                counts.add(each.regions.counts);
            }
            everywhere += each.retired - each.retiredElsewhere;
        }
        all.put("region-percent", 100 * inRegions / Math.max(1, everywhere));
        RegionCounts.countShared(counts, all);
    }

    /** Puts translations that have come in to their places. No code of the core is running. */
    void settle() {
        for (Answer answer = answers.poll(); answer != null; answer = answers.poll()) {
            install(answer);
        }
    }

    private void install(Answer answer) {
        await(answer.blocks, false);
        Translation translation = answer.translation;
        if (translation == null) {
            counts.refused();
            return;
        }
        for (Block b : answer.blocks) {
            if (b.dropped) {
                counts.stale();
                return;
            }
        }
        Block entry = answer.entry;
        boolean again = entry.first instanceof RegionOp;
        if (entry.first instanceof RegionOp before) {
            before.region.known = 0; // for whom remembers it
        } else {
            core.cache.spread(entry, answer.blocks);
        }
        Candidate source = answer.candidate;
        Runnable warm = () -> ask(source.full(), entry, answer.blocks);
        RegionOp op = new RegionOp(core, this, entry, translation, answer.blocks, warm);
        for (Block b : answer.blocks) {
            b.left = Math.max(b.left, threshold / STRAY);
            b.early = 0;
        }
        entry.first = op;
        entry.ops = new Op[0];
        entry.count = 0;
        entry.region = true;
        counts.installed(entry, translation, answer.asked, again);
    }
}
