package org.alcazar.vmm.core;

import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@link SavedState} as bytes: each value is a tag and its contents, numbers big-endian, texts
 * UTF-8 with their length. Decoding believes nothing that it reads.
 */
final class StateCodec {
    private static final byte LONG = 'l';
    private static final byte DOUBLE = 'd';
    private static final byte TEXT = 's';
    private static final byte BYTES = 'b';
    private static final byte LIST = '[';
    private static final byte MAP = '{';
    private static final byte STATE = '*';
    private static final int MAX_DEPTH = 64;

    private StateCodec() {}

    static byte[] encode(SavedState state) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            write(new DataOutputStream(bytes), state);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /**
     * @throws IncompatibleStateException if the bytes are not exactly one encoded state
     */
    static SavedState decode(byte[] bytes) {
        try {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            if (read(in, 0) instanceof SavedState state && !in.hasRemaining()) {
                return state;
            }
        } catch (BufferUnderflowException e) {
            throw new IncompatibleStateException("saved state ends too early");
        }
        throw new IncompatibleStateException("saved state is malformed");
    }

    private static void write(DataOutputStream out, Object value) throws IOException {
        switch (value) {
            case Long number -> {
                out.writeByte(LONG);
                out.writeLong(number);
            }
            case Double number -> {
                out.writeByte(DOUBLE);
                out.writeDouble(number);
            }
            case String text -> {
                out.writeByte(TEXT);
                writeText(out, text);
            }
            case byte[] bytes -> {
                out.writeByte(BYTES);
                out.writeInt(bytes.length);
                out.write(bytes);
            }
            case List<?> list -> {
                out.writeByte(LIST);
                out.writeInt(list.size());
                for (Object element : list) {
                    write(out, element);
                }
            }
            case Map<?, ?> map -> {
                out.writeByte(MAP);
                writeEntries(out, map);
            }
            case SavedState state -> {
                out.writeByte(STATE);
                writeText(out, state.type());
                out.writeInt(state.version());
                writeEntries(out, state.values());
            }
            default ->
                    throw new IllegalArgumentException(
                            "not a type of saved state: " + value.getClass().getName());
        }
    }

    private static void writeEntries(DataOutputStream out, Map<?, ?> map) throws IOException {
        out.writeInt(map.size());
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            writeText(out, String.valueOf(entry.getKey()));
            write(out, java.util.Objects.requireNonNull(entry.getValue()));
        }
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static Object read(ByteBuffer in, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IncompatibleStateException("saved state is nested too deep");
        }
        byte tag = in.get();
        return switch (tag) {
            case LONG -> in.getLong();
            case DOUBLE -> in.getDouble();
            case TEXT -> new String(readBytes(in), StandardCharsets.UTF_8);
            case BYTES -> readBytes(in);
            case LIST -> {
                int size = count(in);
                List<Object> list = new ArrayList<>();
                for (int i = 0; i < size; i++) {
                    list.add(read(in, depth + 1));
                }
                yield list;
            }
            case MAP -> readEntries(in, depth);
            case STATE -> {
                String type = new String(readBytes(in), StandardCharsets.UTF_8);
                SavedState state = new SavedState(type, in.getInt());
                readEntries(in, depth).forEach(state::putValue);
                yield state;
            }
            default ->
                    throw new IncompatibleStateException("saved state has an unknown tag " + tag);
        };
    }

    private static Map<String, Object> readEntries(ByteBuffer in, int depth) {
        int size = count(in);
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < size; i++) {
            String name = new String(readBytes(in), StandardCharsets.UTF_8);
            map.put(name, read(in, depth + 1));
        }
        return map;
    }

    private static byte[] readBytes(ByteBuffer in) {
        byte[] bytes = new byte[count(in)];
        in.get(bytes);
        return bytes;
    }

    /** A length or size: each element takes at least a byte, so it can't exceed what is left. */
    private static int count(ByteBuffer in) {
        int count = in.getInt();
        if (count < 0 || count > in.remaining()) {
            throw new BufferUnderflowException();
        }
        return count;
    }
}
