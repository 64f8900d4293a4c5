package org.alcazar.engines.x86.region;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * What a flight recording of the JVM tells of regions: asked for, translated, installed, dropped.
 * While nobody records, telling costs nothing but a look at that. Addresses are offsets in the
 * guest's code segment, modes 16, 32 or 64.
 */
public final class RegionEvents {
    private RegionEvents() {}

    /** Something about the region that is entered at an address. */
    @Category({"Alcazar", "Translator"})
    @StackTrace(false)
    abstract static class RegionEvent extends Event {
        @Label("Guest Address")
        @MemoryAddress
        long address;

        @Label("Mode")
        int mode;

        final void of(long rip, int bits) {
            address = rip;
            mode = bits;
        }
    }

    @Name("alcazar.RegionRequested")
    @Label("Region Requested")
    @Description("Code has become hot; its translation is asked for")
    static final class Requested extends RegionEvent {
        @Label("Core")
        int core;

        @Label("Blocks")
        int blocks;

        @Label("Waiting")
        @Description("Candidates in the translator's queue by now")
        int waiting;
    }

    /** Made before a translation begins, so that the recording has the time that it takes. */
    @Name("alcazar.RegionTranslated")
    @Label("Region Translated")
    @Description("A class has been made of guest code, or could not be made")
    public static final class Translated extends RegionEvent {
        @Label("Blocks")
        int blocks;

        @Label("Instructions")
        @Description("Guest instructions in the region; 0 if there is none")
        int instructions;

        @Label("Bytecode")
        @DataAmount
        int bytecode;

        /**
         * Tells it.
         *
         * @param instructions that were translated, 0 if there is no translation
         * @param bytecode of the region's longest method, in bytes
         */
        public void done(Candidate candidate, int instructions, int bytecode) {
            if (shouldCommit()) {
                of(candidate.pieces().getFirst().rip(), candidate.mode());
                blocks = candidate.pieces().size();
                this.instructions = instructions;
                this.bytecode = bytecode;
                commit();
            }
        }
    }

    @Name("alcazar.RegionInstalled")
    @Label("Region Installed")
    @Description("A core runs the region from now on")
    static final class Installed extends RegionEvent {
        @Label("Core")
        int core;

        @Label("Instructions")
        int instructions;

        @Label("Wait")
        @Description("Since it was asked for, in ticks of the guest's time-stamp counter")
        long wait;
    }

    @Name("alcazar.RegionDropped")
    @Label("Region Dropped")
    @Description("A core does not run the region any more")
    static final class Dropped extends RegionEvent {
        @Label("Core")
        int core;

        @Label("Reason")
        String reason = "";
    }

    /**
     * A core asks for a translation.
     *
     * @param by who makes it
     */
    public static void requested(int core, Candidate candidate, Translator by) {
        Requested event = new Requested();
        if (event.isEnabled()) {
            event.of(candidate.pieces().getFirst().rip(), candidate.mode());
            event.core = core;
            event.blocks = candidate.pieces().size();
            event.waiting = by.waiting();
            event.commit();
        }
    }

    /**
     * A core has put a region in the place of its code.
     *
     * @param wait since it was asked for, in ticks of the time-stamp counter
     */
    public static void installed(int core, long rip, int mode, int instructions, long wait) {
        Installed event = new Installed();
        if (event.isEnabled()) {
            event.of(rip, mode);
            event.core = core;
            event.instructions = instructions;
            event.wait = wait;
            event.commit();
        }
    }

    /** A core has given up a region. */
    public static void dropped(int core, long rip, int mode, String reason) {
        Dropped event = new Dropped();
        if (event.isEnabled()) {
            event.of(rip, mode);
            event.core = core;
            event.reason = reason;
            event.commit();
        }
    }
}
