package org.alcazar.engines.x86.translator;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.region.Candidate.Piece;
import org.alcazar.engines.x86.region.Translation;
import org.junit.jupiter.api.Test;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Objects;

/** What is kept of translations, for whom, and for how long. */
class RegionTranslatorTest {
    private static final long ENTRY = 0x40_0000;
    private static final int ENOUGH_COLLECTIONS = 10;

    /** mov $value,%eax; ret. */
    private static Piece piece(long rip, int value) {
        byte[] code = {(byte) 0xb8, (byte) value, 0, 0, 0, (byte) 0xc3};
        return new Piece(rip, code, 2, new long[0]);
    }

    private static Candidate candidate(Piece... pieces) {
        return new Candidate(64, true, false, List.of(pieces));
    }

    private static RegionTranslator translator(long kept) {
        return new RegionTranslator(OpcodeTable.standard(), 1, false, kept);
    }

    private static Translation translate(RegionTranslator by, Candidate what) {
        return Objects.requireNonNull(by.translate(what));
    }

    @Test
    void equalCodeAtOneAddressIsTranslatedOnce() {
        RegionTranslator translator = translator(1 << 20);
        Translation first = translate(translator, candidate(piece(ENTRY, 1)));
        assertSame(first, translate(translator, candidate(piece(ENTRY, 1))));
        assertNotSame(first, translate(translator, candidate(piece(ENTRY, 2))));
        assertNotSame(first, translate(translator, candidate(piece(ENTRY + 64, 1))));
        assertSame(first, translate(translator, candidate(piece(ENTRY, 1))));
    }

    @Test
    void aFullTranslationServesForAQuickOneToo() {
        RegionTranslator translator = translator(1 << 20);
        Candidate full = candidate(piece(ENTRY, 1));
        Candidate quick = new Candidate(64, true, true, full.pieces());
        Translation first = translate(translator, quick);
        Translation better = translate(translator, quick.full());
        assertNotSame(first, better);
        assertSame(better, translate(translator, quick));
    }

    @Test
    void aTranslationServesWhoHasAllOfItsCode() {
        RegionTranslator translator = translator(1 << 20);
        Translation one = translate(translator, candidate(piece(ENTRY, 1)));
        Piece other = piece(ENTRY + 64, 3);
        assertSame(one, translate(translator, candidate(piece(ENTRY, 1), other)));
        Candidate changed = candidate(piece(ENTRY, 4), other);
        Translation two = translate(translator, changed);
        assertNotSame(one, two);
        assertNotSame(two, translate(translator, candidate(piece(ENTRY, 4))));
    }

    @Test
    void theClassOfWhatNobodyHasAnyMoreIsUnloaded() {
        RegionTranslator translator = translator(1000);
        var gone = new WeakReference<>(classOf(translator, 0));
        for (int i = 1; i < 50; i++) {
            classOf(translator, i);
        }
        for (int i = 0; i < ENOUGH_COLLECTIONS && gone.get() != null; i++) {
            System.gc();
        }
        assertNull(gone.get());
    }

    private static Class<?> classOf(RegionTranslator translator, int i) {
        Candidate candidate = candidate(piece(ENTRY + 64L * i, i));
        return translate(translator, candidate).instance().getClass();
    }
}
