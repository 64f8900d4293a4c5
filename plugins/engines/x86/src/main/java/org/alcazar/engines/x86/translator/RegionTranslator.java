package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.region.RegionEvents;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.semantics.Binder;
import org.alcazar.engines.x86.state.WorkTime;
import org.alcazar.engines.x86.translator.Graph.At;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/** Translates candidates, each in the thread that asks for it. */
public final class RegionTranslator implements Translator {
    /** HotSpot compiles no method of more bytecode than this. */
    private static final int MAX_CODE = 7900;

    /** Bytecode that is kept for whom it fits, in bytes. */
    private static final long MAX_KEPT = 8L << 20;

    private static final Logger LOG = LoggerFactory.getLogger(RegionTranslator.class);

    private final int threshold;
    private final Decoder decoder;
    private final @Nullable RegionListing listing;
    private final Binder binder = new Binder();
    private final TranslationCache cache;

    /** Processor time that translations took. */
    private long nanos;

    private long impossible;

    /**
     * Makes one.
     *
     * @param table of the processor model
     * @param threshold executions after which code is worth a translation
     * @param lists whether each region is logged, guest code and bytecode side by side
     */
    public RegionTranslator(OpcodeTable table, int threshold, boolean lists) {
        this(table, threshold, lists, MAX_KEPT);
    }

    RegionTranslator(OpcodeTable table, int threshold, boolean lists, long kept) {
        this.threshold = threshold;
        cache = new TranslationCache(kept);
        decoder = new Decoder(table);
        listing = lists ? new RegionListing(table) : null;
    }

    @Override
    public int threshold() {
        return threshold;
    }

    @Override
    public void translate(
            Candidate candidate, IntSupplier heat, Consumer<@Nullable Translation> done) {
        done.accept(translate(candidate));
    }

    synchronized @Nullable Translation translate(Candidate candidate) {
        Finished known = candidate.quick() ? cache.find(candidate.full()) : null;
        if (known == null) {
            known = cache.find(candidate);
        }
        if (known != null) {
            return known;
        }
        long before = WorkTime.nanos();
        RegionEvents.Translated event = new RegionEvents.Translated();
        event.begin();
        Finished made = make(candidate);
        if (made == null) {
            impossible++;
            event.done(candidate, 0, 0);
        } else {
            cache.add(made);
            event.done(made.source, made.instructions(), made.codeBytes());
        }
        nanos += WorkTime.nanos() - before;
        return made;
    }

    @Override
    public synchronized void count(Map<String, Long> all) {
        all.put("translations-impossible", impossible);
        all.put("translation-microseconds", nanos / 1000);
        cache.count(all);
    }

    private @Nullable Finished make(Candidate candidate) {
        Candidate tried = candidate;
        while (true) {
            Graph graph = Graph.of(tried, decoder);
            if (graph.nodes.isEmpty()) {
                return null;
            }
            List<At> lines = listing == null ? null : new ArrayList<>();
            RegionWriter.Written written = RegionWriter.write(graph, binder, tried.quick(), lines);
            if (written.codeBytes() <= MAX_CODE) {
                if (listing != null && lines != null) {
                    LOG.info("{}", listing.text(written.bytes(), lines));
                }
                return new Finished(tried, written, graph.instructions());
            }
            int pieces = tried.pieces().size();
            if (pieces == 1) {
                return null;
            }
            List<Candidate.Piece> fewer = tried.pieces().subList(0, pieces / 2 + pieces % 2);
            tried = new Candidate(tried.mode(), tried.flat(), tried.quick(), fewer);
            if (tried.pieces().size() == pieces) {
                return null;
            }
        }
    }

    /** A translation with what it was made from. */
    static final class Finished implements Translation {
        final Candidate source;
        private final RegionWriter.Written written;
        private final MethodHandle make;
        private final int instructions;

        Finished(Candidate source, RegionWriter.Written written, int instructions) {
            this.source = source;
            this.written = written;
            this.instructions = instructions;
            try {
                MethodHandles.Lookup lookup =
                        MethodHandles.lookup()
                                .defineHiddenClass(
                                        written.bytes(),
                                        true,
                                        MethodHandles.Lookup.ClassOption.NESTMATE);
                make =
                        lookup.findConstructor(
                                        lookup.lookupClass(), MethodType.methodType(void.class))
                                .asType(MethodType.methodType(TranslatedRegion.class));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("no class for a region", e);
            }
        }

        @Override
        public Region instance() {
            try {
                TranslatedRegion region = (TranslatedRegion) make.invokeExact();
                region.constants(written.constants(), written.ways());
                return region;
            } catch (Throwable e) {
                throw new IllegalStateException("no object of a region", e);
            }
        }

        @Override
        public long[] exits() {
            return written.exits();
        }

        @Override
        public int instructions() {
            return instructions;
        }

        int codeBytes() {
            return written.codeBytes();
        }
    }
}
