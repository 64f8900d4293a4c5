package org.alcazar.engines.x86.translator;

import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Region;
import org.alcazar.engines.x86.region.Translation;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.semantics.Binder;
import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/** Translates candidates, each in the thread that asks for it. */
public final class RegionTranslator implements Translator {
    /** HotSpot compiles no method of more bytecode than this. */
    private static final int MAX_CODE = 7900;

    private final int threshold;
    private final Decoder decoder;
    private final Binder binder = new Binder();
    private final TranslationCache cache = new TranslationCache();

    public RegionTranslator(OpcodeTable table, int threshold) {
        this.threshold = threshold;
        decoder = new Decoder(table);
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
        Finished known = cache.find(candidate);
        if (known != null) {
            return known;
        }
        Finished made = make(candidate);
        if (made != null) {
            cache.add(made);
        }
        return made;
    }

    private @Nullable Finished make(Candidate candidate) {
        Candidate tried = candidate;
        while (true) {
            Graph graph = Graph.of(tried, decoder);
            if (graph.nodes.isEmpty()) {
                return null;
            }
            RegionWriter.Written written = RegionWriter.write(graph, binder);
            if (written.codeBytes() <= MAX_CODE) {
                return new Finished(tried, written, graph.instructions());
            }
            int pieces = tried.pieces().size();
            if (pieces == 1) {
                return null;
            }
            tried = new Candidate(tried.mode(), tried.pieces().subList(0, pieces / 2 + pieces % 2));
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
                region.constants(written.constants());
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
