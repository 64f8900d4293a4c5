package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

class AccessesTest {
    /** Accessed bits that are set now. */
    private final List<long[]> bits = new ArrayList<>();

    private final Accesses accesses =
            new Accesses(sink -> {
                bits.forEach(use -> sink.accessed(use[0], use[1], use[2] != 0));
                bits.clear();
            });

    private BitSet used = new BitSet();
    private BitSet written = new BitSet();

    private void look(Accesses.Watcher watcher) {
        accesses.look(
                watcher,
                (uses, writes) -> {
                    used = (BitSet) uses.clone();
                    written = (BitSet) writes.clone();
                });
    }

    @Test
    void eachWatcherHearsOfEachUseOnceWhoeverLooksFirst() {
        Accesses.Watcher one = new Accesses.Watcher();
        Accesses.Watcher two = new Accesses.Watcher();
        accesses.add(one);
        accesses.add(two);
        bits.add(new long[] {0x5000, 0x1000, 1});
        look(one);
        assertEquals("{5}", used.toString());
        assertEquals("{5}", written.toString());
        bits.add(new long[] {0x20_0000, 0x20_0000, 0});
        look(two);
        assertEquals(513, used.cardinality(), "both");
        assertEquals("{5}", written.toString());
        look(two);
        assertTrue(used.isEmpty() && written.isEmpty());
        look(one);
        assertEquals(512, used.cardinality(), "what the other one has drained");
        accesses.remove(two);
        bits.add(new long[] {0x5000, 0x1000, 1});
        look(one);
        assertEquals("{5}", used.toString());
    }
}
