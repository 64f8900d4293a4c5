package org.alcazar.vmm.core;

import org.alcazar.vmm.plugin.Settings;
import org.alcazar.vmm.plugin.SwapPolicyType;

import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/** The policies that every VMM has. */
final class SwapPolicies {
    /** Calls after which a page that was not used is out of the working set. */
    private static final int WINDOW = 4;

    private static final int AGE_BITS = 8;

    private SwapPolicies() {}

    static List<SwapPolicyType> all() {
        return List.of(
                new Type("next-fit", "the next page round and round", (n, s) -> new NextFit()),
                new Type("random", "any page", (n, s) -> new Chance(s)),
                new Type(
                        "pseudo-lru",
                        "a page that was not used for long, by a register of eight bits for each",
                        (n, s) -> new Aging(n)),
                new Type(
                        "working-set",
                        "a page that was not used within the last four looks, the oldest first",
                        (n, s) -> new WorkingSet(n)));
    }

    private interface Maker {
        SwapPolicyType.SwapPolicy make(int pages, long seed);
    }

    private record Type(String name, String description, Maker maker) implements SwapPolicyType {
        @Override
        public SwapPolicy create(int pages, long seed, Settings settings) {
            return maker.make(pages, seed);
        }
    }

    /** Goes round over the pages that are present. */
    private static final class NextFit implements SwapPolicyType.SwapPolicy {
        private int hand;

        @Override
        public BitSet choose(BitSet present, BitSet used, int count) {
            BitSet out = new BitSet();
            for (int i = 0; i < count; i++) {
                int page = present.nextSetBit(hand);
                hand = 1 + (page < 0 ? present.nextSetBit(0) : page);
                out.set(hand - 1);
            }
            return out;
        }
    }

    private static final class Chance implements SwapPolicyType.SwapPolicy {
        private final SplittableRandom random;

        Chance(long seed) {
            random = new SplittableRandom(seed);
        }

        @Override
        public BitSet choose(BitSet present, BitSet used, int count) {
            BitSet left = (BitSet) present.clone();
            BitSet out = new BitSet();
            while (out.cardinality() < count) {
                int page = left.nextSetBit(random.nextInt(left.length()));
                out.set(page);
                left.clear(page);
            }
            return out;
        }
    }

    /** Takes pages by a rank, from the lowest on, and goes round among equals. */
    private abstract static class Ranked implements SwapPolicyType.SwapPolicy {
        private int hand;

        abstract int ranks();

        /** 0 goes first. */
        abstract int rank(int page);

        abstract void look(BitSet present, BitSet used);

        @Override
        public BitSet choose(BitSet present, BitSet used, int count) {
            look(present, used);
            int[] sizes = new int[ranks()];
            present.stream().forEach(page -> sizes[rank(page)]++);
            int last = 0;
            int below = 0;
            while (below + sizes[last] < count) {
                below += sizes[last++];
            }
            BitSet out = new BitSet();
            int bound = last;
            present.stream().filter(page -> rank(page) < bound).forEach(out::set);
            for (int left = count - below; left > 0; ) {
                int page = present.nextSetBit(hand);
                page = page < 0 ? present.nextSetBit(0) : page;
                hand = page + 1;
                if (rank(page) == bound && !out.get(page)) {
                    out.set(page);
                    left--;
                }
            }
            return out;
        }
    }

    /** The aging algorithm: use shifts in from the left. */
    private static final class Aging extends Ranked {
        private final byte[] ages;

        Aging(int pages) {
            ages = new byte[pages];
        }

        @Override
        int ranks() {
            return 1 << AGE_BITS;
        }

        @Override
        int rank(int page) {
            return ages[page] & 0xff;
        }

        @Override
        void look(BitSet present, BitSet used) {
            for (int i = 0; i < ages.length; i++) {
                int bit = used.get(i) ? 1 << AGE_BITS - 1 : 0;
                ages[i] = (byte) ((ages[i] & 0xff) >> 1 | bit);
            }
        }
    }

    /** Denning's, in looks instead of time. */
    private static final class WorkingSet extends Ranked {
        private final int[] lastUse;
        private int now;

        WorkingSet(int pages) {
            lastUse = new int[pages];
        }

        @Override
        int ranks() {
            return WINDOW + 1;
        }

        @Override
        int rank(int page) {
            return Math.max(0, WINDOW - (now - lastUse[page]));
        }

        @Override
        void look(BitSet present, BitSet used) {
            now++;
            used.stream().forEach(page -> lastUse[page] = now);
        }
    }
}
