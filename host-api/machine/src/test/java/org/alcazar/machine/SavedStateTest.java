package org.alcazar.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

class SavedStateTest {
    private static SavedState full() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("bytes", new byte[] {1, 2});
        map.put("inner", Map.of("x", 1L));
        map.put("list", List.of("a", 2.5, new byte[] {3}));
        return new SavedState("device", 3)
                .put("long", Long.MIN_VALUE)
                .put("yes", true)
                .put("no", false)
                .put("double", Double.NaN)
                .put("text", "täxt")
                .put("bytes", new byte[] {-1, 0, 1})
                .put("longs", new long[] {1, -2, Long.MAX_VALUE})
                .put("ints", new int[] {7, -8})
                .put("list", List.of(1L, 2L))
                .put("map", map)
                .put("state", new SavedState("part", 1).put("a", 1));
    }

    @Test
    void whatIsPutComesBack() {
        SavedState state = full();
        assertEquals("device", state.type());
        assertEquals(3, state.version());
        assertEquals(Long.MIN_VALUE, state.getLong("long"));
        assertTrue(state.getBoolean("yes"));
        assertFalse(state.getBoolean("no"));
        assertTrue(Double.isNaN(state.getDouble("double")));
        assertEquals("täxt", state.getString("text"));
        assertArrayEquals(new byte[] {-1, 0, 1}, state.getBytes("bytes"));
        assertArrayEquals(new long[] {1, -2, Long.MAX_VALUE}, state.getLongs("longs"));
        assertArrayEquals(new int[] {7, -8}, state.getInts("ints"));
        assertEquals(List.of(1L, 2L), state.getList("list", Long.class));
        assertEquals(Map.of("x", 1L), state.getMap("map").get("inner"));
        assertEquals(1, state.getState("state").getInt("a"));
        assertTrue(state.has("long"));
        assertFalse(state.has("short"));
    }

    @Test
    void emptyValuesComeBackToo() {
        SavedState state =
                new SavedState("t", 1)
                        .put("bytes", new byte[0])
                        .put("longs", new long[0])
                        .put("list", List.of())
                        .put("map", Map.of())
                        .put("text", "");
        assertEquals(0, state.getBytes("bytes").length);
        assertEquals(0, state.getLongs("longs").length);
        assertTrue(state.getList("list", String.class).isEmpty());
        assertTrue(state.getMap("map").isEmpty());
        assertEquals("", state.getString("text"));
    }

    @Test
    void equalTreesAreEqual() {
        assertEquals(full(), full());
        assertEquals(full().hashCode(), full().hashCode());
    }

    @Test
    void theOrderOfNamesDoesNotMatter() {
        assertEquals(
                new SavedState("t", 1).put("a", 1).put("b", 2),
                new SavedState("t", 1).put("b", 2).put("a", 1));
    }

    @Test
    void anyDifferenceInTheTreeMakesStatesUnequal() {
        List<Consumer<SavedState>> changes =
                List.of(
                        s -> s.put("long", 1),
                        s -> s.put("long", 1.0),
                        s -> s.put("yes", false),
                        s -> s.put("double", 0.0),
                        s -> s.put("text", "text"),
                        s -> s.put("bytes", new byte[] {-1, 0, 2}),
                        s -> s.put("bytes", new byte[] {-1, 0}),
                        s -> s.put("longs", new long[] {1, -2}),
                        s -> s.put("list", List.of(2L, 1L)),
                        s -> s.put("list", List.of(1L)),
                        s -> s.put("map", Map.of()),
                        s -> s.put("state", new SavedState("part", 1).put("a", 2)),
                        s -> s.put("state", new SavedState("part", 2).put("a", 1)),
                        s -> s.put("more", 0));
        for (int i = 0; i < changes.size(); i++) {
            SavedState changed = full();
            changes.get(i).accept(changed);
            assertNotEquals(full(), changed, "change " + i);
            assertNotEquals(changed, full(), "change " + i);
        }
        assertNotEquals(new SavedState("a", 1), new SavedState("b", 1));
        assertNotEquals(new SavedState("a", 1), new SavedState("a", 2));
    }

    @Test
    void bytesDeepInListsAndMapsAreComparedByContents() {
        SavedState a = new SavedState("t", 1).put("m", Map.of("l", List.of(new byte[] {1, 2})));
        SavedState b = new SavedState("t", 1).put("m", Map.of("l", List.of(new byte[] {1, 2})));
        SavedState c = new SavedState("t", 1).put("m", Map.of("l", List.of(new byte[] {1, 3})));
        assertEquals(a, b);
        assertNotEquals(a, c);
    }

    @Test
    void arraysAreCopiedInAndOut() {
        byte[] bytes = {1};
        SavedState state = new SavedState("t", 1).put("b", bytes);
        bytes[0] = 2;
        assertEquals(1, state.getBytes("b")[0]);
        state.getBytes("b")[0] = 3;
        assertEquals(1, state.getBytes("b")[0]);
        List<Object> list = new ArrayList<>(List.of(1L));
        state.put("l", list);
        list.add(2L);
        assertEquals(List.of(1L), state.getList("l", Long.class));
    }

    @Test
    void aMissingValueIsNamed() {
        IncompatibleStateException e =
                assertThrows(
                        IncompatibleStateException.class,
                        () -> new SavedState("pit", 1).getLong("count"));
        assertEquals("saved state of pit lacks 'count'", e.getMessage());
    }

    @Test
    void aValueOfAnotherTypeIsRefused() {
        SavedState state = full();
        assertThrows(IncompatibleStateException.class, () -> state.getLong("text"));
        assertThrows(IncompatibleStateException.class, () -> state.getDouble("long"));
        assertThrows(IncompatibleStateException.class, () -> state.getBytes("text"));
        assertThrows(IncompatibleStateException.class, () -> state.getState("map"));
        assertThrows(IncompatibleStateException.class, () -> state.getMap("state"));
        assertThrows(IncompatibleStateException.class, () -> state.getString("yes"));
        assertThrows(IncompatibleStateException.class, () -> state.getList("list", String.class));
    }

    @Test
    void aNumberOrAnArrayOfTheWrongSizeIsRefused() {
        SavedState state = new SavedState("t", 1).put("n", 1L << 31).put("b", new byte[5]);
        assertThrows(IncompatibleStateException.class, () -> state.getInt("n"));
        assertEquals(-5, state.put("n", -5).getInt("n"));
        assertThrows(IncompatibleStateException.class, () -> state.getLongs("b"));
        assertThrows(IncompatibleStateException.class, () -> state.getInts("b"));
    }

    @Test
    void onlyThePermittedTypesAreTaken() {
        SavedState state = new SavedState("t", 1);
        assertThrows(IllegalArgumentException.class, () -> state.putValue("i", 1));
        assertThrows(IllegalArgumentException.class, () -> state.putValue("a", new long[1]));
        assertThrows(IllegalArgumentException.class, () -> state.put("l", List.of(1)));
        assertThrows(
                IllegalArgumentException.class,
                () -> state.put("m", Map.of("k", List.of(Map.of(1L, 2L)))));
        assertFalse(state.has("i"));
    }

    @Test
    void typeAndVersionAreChecked() {
        SavedState state = new SavedState("pit", 2);
        assertSame(state, state.require("pit", 2));
        assertThrows(IncompatibleStateException.class, () -> state.require("rtc", 2));
        IncompatibleStateException e =
                assertThrows(IncompatibleStateException.class, () -> state.require("pit", 1));
        assertEquals("saved state is pit version 2, wanted pit version 1", e.getMessage());
    }

    @Test
    void valuesCanNotBeChangedFromOutside() {
        assertThrows(UnsupportedOperationException.class, () -> full().values().put("x", 1L));
    }
}
