package org.alcazar.engines.x86.translator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.region.Candidate;
import org.alcazar.engines.x86.semantics.Binder;
import org.alcazar.engines.x86.translator.Graph.At;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** What {@code list-regions} logs. */
class RegionListingTest {
    /** add %rbx,%rax; dec %ecx; jne back to the start; ret. */
    private static final String LOOP = "4801d8 ffc9 75f9 c3";

    @Test
    void guestInstructionsStandBeforeTheirBytecode() {
        OpcodeTable table = OpcodeTable.standard();
        byte[] code = HexFormat.of().parseHex(LOOP.replace(" ", ""));
        Candidate candidate =
                new Candidate(
                        64,
                        true,
                        false,
                        List.of(new Candidate.Piece(0x40_1000, code, 4, new long[0])));
        Graph graph = Graph.of(candidate, new Decoder(table));
        List<At> lines = new ArrayList<>();
        RegionWriter.Written written = RegionWriter.write(graph, new Binder(), false, lines);
        String text = new RegionListing(table).text(written.bytes(), lines);
        int add = text.indexOf("401000  add");
        int sum = text.indexOf("LADD", add);
        int dec = text.indexOf("401003  dec");
        int jump = text.indexOf("401005  jne");
        int back = text.indexOf("401007  ret");
        assertTrue(0 < add && add < sum && sum < dec && dec < jump && jump < back, text);
        assertEquals(4, lines.size());
    }
}
