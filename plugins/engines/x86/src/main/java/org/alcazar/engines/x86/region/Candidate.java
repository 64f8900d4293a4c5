package org.alcazar.engines.x86.region;

import java.util.List;

/**
 * Hot code to be translated, as it was in memory when it was asked for.
 *
 * @param mode 16, 32 or 64: of the code segment
 * @param flat whether offsets in CS, DS, ES and SS are linear addresses without limits, as in
 *     64-bit mode
 * @param quick whether the translation is one for the time being, soon there rather than fast
 * @param pieces stretches of instructions that may lead from one to the other; the entry's first
 */
public record Candidate(int mode, boolean flat, boolean quick, List<Piece> pieces) {
    /** The same code, to be translated for good. */
    public Candidate full() {
        return new Candidate(mode, flat, false, pieces);
    }

    /**
     * Instructions in sequence.
     *
     * @param rip offset of the first one in the code segment
     * @param code their bytes
     * @param count how many instructions they are
     * @param targets where the indirect jump or call at their end went, as far as that is kept;
     *     empty if they end otherwise
     */
    public record Piece(long rip, byte[] code, int count, long[] targets) {}
}
