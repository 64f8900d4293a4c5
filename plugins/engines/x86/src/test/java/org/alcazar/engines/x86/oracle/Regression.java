package org.alcazar.engines.x86.oracle;

import java.util.HexFormat;
import java.util.StringJoiner;

/**
 * Cases as lines of text: words {@code field=value} in hex, for everything but zeros. {@code code}
 * and {@code bytesN}, which starts at byte N of the case, hold bytes.
 */
final class Regression {
    private static final String[] NAMES = {
        "compat", "cs", "ss", "ds", "es", "fs", "gs", "entry", "at", "options", "rflags", "fsbase",
        "gsbase"
    };

    private static final int[] FIELDS = {
        Layout.COMPAT,
        Layout.CS,
        Layout.SS,
        Layout.DS,
        Layout.ES,
        Layout.FS,
        Layout.GS,
        Layout.ENTRY,
        Layout.CODE_AT,
        Layout.OPTIONS,
        Layout.RFLAGS,
        Layout.FS_BASE,
        Layout.GS_BASE
    };

    private static final int[] SIZES = {4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8};

    private Regression() {}

    static String write(State in) {
        StringJoiner line = new StringJoiner(" ");
        line.add("code=" + HexFormat.of().formatHex(in.code()));
        for (int i = 0; i < NAMES.length; i++) {
            long value = get(in, FIELDS[i], SIZES[i]);
            if (value != 0) {
                line.add(NAMES[i] + "=" + Long.toHexString(value));
            }
        }
        for (int r = 0; r < 16; r++) {
            if (in.gpr(r) != 0) {
                line.add("r" + r + "=" + Long.toHexString(in.gpr(r)));
            }
        }
        for (int at = Layout.FX; at < Layout.SIZE; at += 8) {
            int end = at;
            while (end < Layout.SIZE && in.i64(end) != 0) {
                end += 8;
            }
            if (end > at) {
                byte[] bytes = in.bytes();
                int start = in.start();
                line.add(
                        "bytes"
                                + at
                                + "="
                                + HexFormat.of().formatHex(bytes, start + at, start + end));
                at = end;
            }
        }
        return line.toString();
    }

    static State read(String line) {
        State to = new State();
        for (String word : line.trim().split(" +")) {
            int equals = word.indexOf('=');
            String name = word.substring(0, equals);
            String value = word.substring(equals + 1);
            if (name.equals("code")) {
                to.set32(Layout.CODE_BYTES, put(to, Layout.CODE, value));
            } else if (name.startsWith("bytes")) {
                put(to, Integer.parseInt(name.substring(5)), value);
            } else {
                field(to, name, Long.parseUnsignedLong(value, 16));
            }
        }
        return to;
    }

    private static int put(State to, int at, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        System.arraycopy(bytes, 0, to.bytes(), at, bytes.length);
        return bytes.length;
    }

    private static void field(State to, String name, long value) {
        int i = java.util.List.of(NAMES).indexOf(name);
        if (i < 0) {
            to.gpr(Integer.parseInt(name.substring(1)), value);
            return;
        }
        switch (SIZES[i]) {
            case 2 -> to.set16(FIELDS[i], (int) value);
            case 4 -> to.set32(FIELDS[i], (int) value);
            default -> to.set64(FIELDS[i], value);
        }
    }

    private static long get(State in, int field, int size) {
        return switch (size) {
            case 2 -> in.u16(field);
            case 4 -> in.i32(field) & 0xffff_ffffL;
            default -> in.i64(field);
        };
    }
}
