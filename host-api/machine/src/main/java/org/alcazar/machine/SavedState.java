package org.alcazar.machine;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The saved form of a stateful part, and the only thing that crosses bundles: a type, a schema
 * version, and named values, each a long, a double, a String, a byte array, a list, a map, or
 * another SavedState. Two are equal when their whole trees are.
 *
 * <p>The typed {@code put} and {@code get} forms of arrays copy them; arrays inside lists and maps
 * are shared with the caller, who must not change them afterwards. The getters throw {@link
 * IncompatibleStateException} where a value is missing, of another type or out of the type's range.
 * A part reads an older version of its schema by looking at {@link #version} itself instead of
 * {@link #require}.
 */
public final class SavedState {
    private final String type;
    private final int version;
    private final Map<String, Object> values = new LinkedHashMap<>();

    /**
     * @param type what the state is of, such as {@code uart16550}
     * @param version of the schema, at least 1
     */
    public SavedState(String type, int version) {
        this.type = type;
        this.version = version;
    }

    /** What the state is of; a restore compares it. */
    public String type() {
        return type;
    }

    /** Of the schema, not of the program: at least 1. */
    public int version() {
        return version;
    }

    /** All values in the order of their first {@code put}; a view that cannot be changed. */
    public Map<String, Object> values() {
        return Collections.unmodifiableMap(values);
    }

    /**
     * Checks type and version before a restore. @throws IncompatibleStateException if they differ
     */
    public SavedState require(String expectedType, int expectedVersion) {
        if (!type.equals(expectedType) || version != expectedVersion) {
            throw new IncompatibleStateException(
                    "saved state is "
                            + type
                            + " version "
                            + version
                            + ", wanted "
                            + expectedType
                            + " version "
                            + expectedVersion);
        }
        return this;
    }

    /** Replaces what had the name, as every {@code put} does. */
    public SavedState put(String name, long value) {
        return putValue(name, value);
    }

    /** Stored as the long 1 or 0. */
    public SavedState put(String name, boolean value) {
        return putValue(name, value ? 1L : 0L);
    }

    /** Read back with {@link #getDouble} alone. */
    public SavedState put(String name, double value) {
        return putValue(name, value);
    }

    /** Text; any characters. */
    public SavedState put(String name, String value) {
        return putValue(name, value);
    }

    /** Stored as a copy. */
    public SavedState put(String name, byte[] value) {
        return putValue(name, value.clone());
    }

    /** Stored as little-endian bytes. */
    public SavedState put(String name, long[] value) {
        ByteBuffer bytes =
                ByteBuffer.allocate(value.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(value);
        return putValue(name, bytes.array());
    }

    /** Stored as little-endian bytes. */
    public SavedState put(String name, int[] value) {
        ByteBuffer bytes =
                ByteBuffer.allocate(value.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(value);
        return putValue(name, bytes.array());
    }

    /** A part's state inside another's; not copied. */
    public SavedState put(String name, SavedState value) {
        return putValue(name, value);
    }

    /**
     * Elements: Long, Double, String, byte[], List, Map or SavedState.
     *
     * @throws IllegalArgumentException if one is of another type
     */
    public SavedState put(String name, List<?> value) {
        value.forEach(SavedState::check);
        return putValue(name, List.copyOf(value));
    }

    /**
     * Values as in a list; the order of keys is kept.
     *
     * @throws IllegalArgumentException if a value is of another type or a key is no String
     */
    public SavedState put(String name, Map<String, ?> value) {
        value.values().forEach(SavedState::check);
        return putValue(name, new LinkedHashMap<>(value));
    }

    /**
     * A value that was put as a long, an int or a boolean.
     *
     * @throws IncompatibleStateException if it is missing or of another type, as every getter does
     */
    public long getLong(String name) {
        return get(name, Long.class);
    }

    /**
     * A long within the range of an int.
     *
     * @throws IncompatibleStateException also if it is beyond that range
     */
    public int getInt(String name) {
        long value = getLong(name);
        if (value != (int) value) {
            throw new IncompatibleStateException(
                    "saved state of " + type + ": '" + name + "' = " + value + " is no int");
        }
        return (int) value;
    }

    /** True for every long but 0. */
    public boolean getBoolean(String name) {
        return getLong(name) != 0;
    }

    /** A value that was put as a double; a long is refused. */
    public double getDouble(String name) {
        return get(name, Double.class);
    }

    /** A value that was put as text; nothing is converted. */
    public String getString(String name) {
        return get(name, String.class);
    }

    /** A copy, of any length: the caller checks it. */
    public byte[] getBytes(String name) {
        return get(name, byte[].class).clone();
    }

    /**
     * An array that was put as longs, of any length.
     *
     * @throws IncompatibleStateException also if its bytes are no multiple of 8
     */
    public long[] getLongs(String name) {
        byte[] bytes = whole(name, Long.BYTES);
        long[] out = new long[bytes.length / Long.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(out);
        return out;
    }

    /**
     * An array that was put as ints, of any length.
     *
     * @throws IncompatibleStateException also if its bytes are no multiple of 4
     */
    public int[] getInts(String name) {
        byte[] bytes = whole(name, Integer.BYTES);
        int[] out = new int[bytes.length / Integer.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(out);
        return out;
    }

    /** A part's state; its own type and version are still to be checked. */
    public SavedState getState(String name) {
        return get(name, SavedState.class);
    }

    /**
     * A list whose elements are all of one type; a copy.
     *
     * @throws IncompatibleStateException also if an element is of another type
     */
    public <T> List<T> getList(String name, Class<T> of) {
        List<T> out = new ArrayList<>();
        for (Object element : get(name, List.class)) {
            out.add(cast(name, element, of));
        }
        return out;
    }

    /** A copy of a map, in its order; the types of its values are the caller's to check. */
    public Map<String, Object> getMap(String name) {
        Map<String, Object> out = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) get(name, Map.class)).entrySet()) {
            out.put(String.valueOf(entry.getKey()), Objects.requireNonNull(entry.getValue()));
        }
        return out;
    }

    /** Whether there is a value of this name, of whatever type. */
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** Puts a value of any permitted type. @throws IllegalArgumentException if it is of another */
    public SavedState putValue(String name, Object value) {
        check(value);
        values.put(name, value);
        return this;
    }

    private byte[] whole(String name, int unit) {
        byte[] bytes = get(name, byte[].class);
        if (bytes.length % unit != 0) {
            throw new IncompatibleStateException(
                    "saved state of "
                            + type
                            + ": '"
                            + name
                            + "' has "
                            + bytes.length
                            + " bytes, wanted a multiple of "
                            + unit);
        }
        return bytes;
    }

    private <T> T get(String name, Class<T> as) {
        Object value = values.get(name);
        if (value == null) {
            throw new IncompatibleStateException(
                    "saved state of " + type + " lacks '" + name + "'");
        }
        return cast(name, value, as);
    }

    private <T> T cast(String name, Object value, Class<T> as) {
        if (!as.isInstance(value)) {
            throw new IncompatibleStateException(
                    "saved state of "
                            + type
                            + ": '"
                            + name
                            + "' is a "
                            + value.getClass().getSimpleName()
                            + ", wanted "
                            + as.getSimpleName());
        }
        return as.cast(value);
    }

    private static void check(@Nullable Object value) {
        switch (value) {
            case Long l -> {}
            case Double d -> {}
            case String s -> {}
            case byte[] b -> {}
            case SavedState s -> {}
            case List<?> list -> list.forEach(SavedState::check);
            case Map<?, ?> map -> {
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    if (!(entry.getKey() instanceof String)) {
                        throw new IllegalArgumentException("not a key of saved state: " + entry);
                    }
                    check(entry.getValue());
                }
            }
            case null, default ->
                    throw new IllegalArgumentException(
                            "not a type of saved state: "
                                    + (value == null ? "null" : value.getClass().getName()));
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SavedState that
                && type.equals(that.type)
                && version == that.version
                && same(values, that.values);
    }

    @Override
    public int hashCode() {
        return Objects.hash(type, version, values.keySet());
    }

    @Override
    public String toString() {
        return type + " v" + version + " " + values.keySet();
    }

    private static boolean same(Object a, Object b) {
        if (a instanceof byte[] x && b instanceof byte[] y) {
            return Arrays.equals(x, y);
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            boolean equal = x.size() == y.size();
            for (int i = 0; equal && i < x.size(); i++) {
                equal = same(x.get(i), y.get(i));
            }
            return equal;
        }
        if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
            return x.keySet().equals(y.keySet())
                    && x.entrySet().stream()
                            .allMatch(e ->
                                    same(
                                            Objects.requireNonNull(e.getValue()),
                                            Objects.requireNonNull(y.get(e.getKey()))));
        }
        return a.equals(b);
    }
}
