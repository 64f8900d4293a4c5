package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.RegionEvents;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.region.Translator;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** What became of one core's regions. A flight recording hears of it too. */
final class RegionCounts {
    private final Core core;
    private final Map<Loss, LongAdder> lost = new EnumMap<>(Loss.class);
    private long requested;
    private long installed;

    /** Took the place of quick ones. */
    private long full;

    /** Asked for in vain: no translation was made, or the code has changed meanwhile. */
    private long refused;

    private long stale;

    /** From request to installation: ticks of the time-stamp counter, in all and at most. */
    private long waited;

    private long longestWait;

    RegionCounts(Core core) {
        this.core = core;
        // Regions are made of code that is within a page.
        for (Loss why : EnumSet.complementOf(EnumSet.of(Loss.MOVED))) {
            lost.put(why, new LongAdder());
        }
    }

    /** The guest's time-stamp counter, as it would be without the guest's own offset. */
    long ticks() {
        return core.block.time.ticks(core.retired);
    }

    void requested(Candidate candidate, Translator by) {
        requested++;
        RegionEvents.requested(core.index, candidate, by);
    }

    void refused() {
        refused++;
    }

    void stale() {
        stale++;
    }

    /**
     * @param asked what {@link #ticks} was at the request
     * @param again whether it takes another one's place
     */
    void installed(Block entry, Translation translation, long asked, boolean again) {
        long wait = Math.max(0, ticks() - asked);
        waited += wait;
        longestWait = Math.max(longestWait, wait);
        if (again) {
            full++;
        } else {
            installed++;
        }
        RegionEvents.installed(
                core.index, entry.rip, entry.bits(), translation.instructions(), wait);
    }

    void lost(Block entry, Loss why) {
        Objects.requireNonNull(lost.get(why)).increment();
        RegionEvents.dropped(core.index, entry.rip, entry.bits(), why.text());
    }

    /** Adds them to a core's counters. */
    void count(Map<String, Long> all) {
        all.put("regions-requested", requested);
        all.put("regions-installed", installed);
        all.put("regions-full", full);
        all.put("regions-refused", refused);
        all.put("regions-stale", stale);
        long live = installed;
        for (Map.Entry<Loss, LongAdder> loss : lost.entrySet()) {
            long count = loss.getValue().sum();
            all.put("regions-dropped-" + loss.getKey().text(), count);
            live -= count;
        }
        all.put("regions-live", live);
    }

    /** Adds what can't be added up over the cores. */
    static void countShared(List<RegionCounts> cores, Map<String, Long> all) {
        long installed = 0;
        long waited = 0;
        long longest = 0;
        for (RegionCounts each : cores) {
            installed += each.installed + each.full;
            waited += each.waited;
            longest = Math.max(longest, each.longestWait);
        }
        all.put("region-wait-ticks-mean", waited / Math.max(1, installed));
        all.put("region-wait-ticks-most", longest);
    }
}
