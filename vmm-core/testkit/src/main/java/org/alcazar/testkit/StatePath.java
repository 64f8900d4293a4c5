package org.alcazar.testkit;

import org.alcazar.machine.SavedState;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Finds values in saved states by paths such as {@code channels.0.count}. */
final class StatePath {
    private StatePath() {}

    /**
     * @throws AssertionError that says what there is, if the path leads nowhere
     */
    static Object find(SavedState state, String path) {
        Object at = state;
        String walked = state.type();
        for (String name : path.split("\\.", -1)) {
            at = child(at, name, walked);
            walked += "." + name;
        }
        return at;
    }

    private static Object child(Object of, String name, String walked) {
        Map<?, ?> values =
                switch (of) {
                    case SavedState state -> state.values();
                    case Map<?, ?> map -> map;
                    default -> Map.of();
                };
        if (of instanceof List<?> list) {
            if (name.matches("\\d{1,9}") && Integer.parseInt(name) < list.size()) {
                return list.get(Integer.parseInt(name));
            }
            throw new AssertionError(
                    walked + " has no '" + name + "'; it is a list of " + list.size());
        }
        Object found = values.get(name);
        if (found == null) {
            throw new AssertionError(
                    walked
                            + " has no '"
                            + name
                            + "'; "
                            + (values.isEmpty()
                                    ? "it is " + text(of)
                                    : "there are " + values.keySet()));
        }
        return found;
    }

    /** Whole numbers and booleans as states have them: as long. */
    static Object normal(Object value) {
        return switch (value) {
            case Boolean b -> b ? 1L : 0L;
            case Byte b -> b.longValue();
            case Short s -> s.longValue();
            case Integer i -> i.longValue();
            case Float f -> f.doubleValue();
            default -> value;
        };
    }

    /** For comparisons and messages: arrays by their elements. */
    static String text(Object value) {
        return value instanceof byte[] bytes ? Arrays.toString(bytes) : String.valueOf(value);
    }
}
