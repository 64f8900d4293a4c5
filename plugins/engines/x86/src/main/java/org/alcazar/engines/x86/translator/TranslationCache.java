package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Candidate.Piece;
import org.alcazar.engines.x86.translator.RegionTranslator.Finished;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What has been translated, for other cores and machines and for code that comes back: by its
 * entry, and the same by its bytes. Bounded; what was found longest ago goes first, and its class
 * with it once no core runs it.
 */
final class TranslationCache {
    /** Different code at one entry. */
    private static final int VERSIONS = 4;

    private record Entry(int mode, boolean flat, boolean quick, long rip) {
        static Entry of(Candidate candidate) {
            long rip = candidate.pieces().getFirst().rip();
            return new Entry(candidate.mode(), candidate.flat(), candidate.quick(), rip);
        }
    }

    private final Map<Entry, List<Finished>> all = new LinkedHashMap<>(1024, 0.75f, true);
    private final long maximum;
    private long bytes;
    private long added;
    private long found;
    private long evicted;

    /**
     * Makes an empty one.
     *
     * @param maximum bytecode that is kept, in bytes
     */
    TranslationCache(long maximum) {
        this.maximum = maximum;
    }

    /** A translation of the candidate's entry whose every piece is one of the candidate's. */
    @Nullable Finished find(Candidate candidate) {
        List<Finished> versions = all.get(Entry.of(candidate));
        if (versions == null) {
            return null;
        }
        Map<Long, Piece> pieces = new HashMap<>();
        for (Piece piece : candidate.pieces()) {
            pieces.put(piece.rip(), piece);
        }
        for (Finished version : versions) {
            List<Piece> own = version.source.pieces();
            if (2 * own.size() >= pieces.size() && own.stream().allMatch(p -> same(p, pieces))) {
                found++;
                return version;
            }
        }
        return null;
    }

    private static boolean same(Piece piece, Map<Long, Piece> pieces) {
        Piece other = pieces.get(piece.rip());
        return other != null && Arrays.equals(piece.code(), other.code());
    }

    void add(Finished made) {
        List<Finished> versions =
                all.computeIfAbsent(Entry.of(made.source), e -> new ArrayList<>());
        if (versions.size() == VERSIONS) {
            forget(versions.removeFirst());
        }
        versions.add(made);
        added++;
        bytes += made.codeBytes();
        var oldest = all.values().iterator();
        while (bytes > maximum && oldest.hasNext()) {
            List<Finished> gone = oldest.next();
            if (gone != versions) {
                gone.forEach(this::forget);
                oldest.remove();
            }
        }
    }

    private void forget(Finished gone) {
        evicted++;
        bytes -= gone.codeBytes();
    }

    /** Adds what there is to know of it to counters. */
    void count(Map<String, Long> into) {
        into.put("translations", added);
        into.put("translations-found", found);
        into.put("translations-kept", added - evicted);
        into.put("translations-kept-bytes", bytes);
        into.put("translations-evicted", evicted);
    }
}
