package org.alcazar.engines.x86.translator;

import java.util.HashMap;
import java.util.Map;

/**
 * The ways out of a region, numbered: one constant at each place where a region may be left says
 * all that there is to know of it, and the one tail looks it up. So a way out costs eight bytes of
 * bytecode and one variable to bring along, and most instructions have one.
 *
 * <p>Of each there are two longs: where it goes, and the rest: in bits 0 to 15 how many
 * instructions of its node are not retired, in bits 16 to 31 the deferred flags' kind and 1, or 0
 * if the local variable has it, and above the result.
 */
final class Ways {
    static final int KIND_SHIFT = 16, RESULT_SHIFT = 32;

    /** Of each of the two lower parts. */
    static final int MASK = 0xffff;

    private record Way(long rip, long rest) {}

    private final Map<Way, Integer> numbers = new HashMap<>();

    /** The number of a way out. */
    int number(long rip, int back, int kind, int result) {
        long rest = (long) result << RESULT_SHIFT | (long) (kind + 1) << KIND_SHIFT | back;
        Way way = new Way(rip, rest);
        Integer known = numbers.putIfAbsent(way, numbers.size());
        return known == null ? numbers.size() - 1 : known;
    }

    /** All, as {@link TranslatedRegion} wants them. */
    long[] table() {
        long[] table = new long[2 * numbers.size()];
        numbers.forEach((way, number) -> {
            table[2 * number] = way.rip;
            table[2 * number + 1] = way.rest;
        });
        return table;
    }
}
