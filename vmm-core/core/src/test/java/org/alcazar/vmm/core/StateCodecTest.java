package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

class StateCodecTest {
    private static SavedState everything() {
        return new SavedState("all", 3)
                .put("long", Long.MIN_VALUE)
                .put("double", Math.PI)
                .put("nan", Double.NaN)
                .put("text", "Grüße ☃ \0")
                .put("bytes", new byte[] {0, -1, 127})
                .put("empty", new byte[0])
                .put("longs", new long[] {1, -1})
                .put("list", List.of(1L, "two", 3.0, List.of(), new SavedState("inner", 1)))
                .put("map", Map.of("k", List.of(Map.of("deep", 7L))))
                .put("state", new SavedState("nested", 2).put("x", 1));
    }

    @Test
    void everyKindOfValueComesBackEqual() {
        SavedState state = everything();
        assertEquals(state, StateCodec.decode(StateCodec.encode(state)));
    }

    @Test
    void everyTruncationIsRefused() {
        byte[] bytes = StateCodec.encode(everything());
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(IncompatibleStateException.class, () -> StateCodec.decode(cut));
        }
        byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
        assertThrows(IncompatibleStateException.class, () -> StateCodec.decode(longer));
    }

    @Test
    void noChangedByteDoesMoreThanBeRefusedOrRead() {
        byte[] bytes = StateCodec.encode(everything());
        Random random = new Random(5);
        for (int round = 0; round < 20_000; round++) {
            byte[] changed = bytes.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }
            try {
                StateCodec.decode(changed);
            } catch (IncompatibleStateException e) {
                // Fine: refused.
            }
        }
    }

    @Test
    void endlessNestingIsRefused() {
        SavedState state = new SavedState("leaf", 1);
        for (int i = 0; i < 200; i++) {
            state = new SavedState("n", 1).put("in", state);
        }
        byte[] bytes = StateCodec.encode(state);
        assertThrows(IncompatibleStateException.class, () -> StateCodec.decode(bytes));
    }
}
