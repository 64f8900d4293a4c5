package org.alcazar.engines.x86.isa;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads the table resources. Plain loops and {@code concat}: this runs before anything is compiled
 * or linked, and is on the way to a guest's first instruction.
 */
final class TableReader {
    private static final String[] FILES = {
        "integer.table",
        "system.table",
        "x87.table",
        "mmx.table",
        "sse.table",
        "sse4.table",
        "crypto.table",
        "bmi.table",
        "later.table"
    };

    /** Read when somebody asks for them: their features are in no processor model yet. */
    private static final String[] VECTOR_FILES = {"avx.table", "avx512.table"};

    private static final String[] CONDITIONS = {
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
    };

    private final List<Row> rows = new ArrayList<>(1200);
    private final Map<String, Feature> features = new HashMap<>(128);
    private final Map<String, List<Operand>> operandLists = new HashMap<>(512);
    private final Map<String, Extras> knownExtras = new HashMap<>(64);
    private final List<String> defaults = new ArrayList<>();
    private final List<String> words = new ArrayList<>();
    private final List<String> parts = new ArrayList<>();
    private final String[] columns = new String[5];
    private String file = "";
    private int line;

    // Of the line at hand:
    private int space;
    private int lengths;
    private int widths;
    private int map;
    private int opcode;
    private int count;
    private boolean conditions;
    private int prefixes;
    private int modes;
    private boolean modrm;
    private boolean memory;
    private boolean register;
    private int regs;
    private int rms;
    private boolean overrides;
    private int traits;
    private int shape;
    private Feature feature = Feature.BASE;

    /** Of the form with 256 bits. */
    private Feature wideFeature = Feature.BASE;

    private int extraShape;
    private int undefined;
    private int undefinedByCount;

    private TableReader() {
        for (Feature f : Feature.values()) {
            features.put("+".concat(f.name().toLowerCase(Locale.ROOT)), f);
        }
    }

    /** The rows of all features that processors may have. */
    static List<Row> readAll() {
        return read(List.of(), FILES);
    }

    /** The same and those of vector extensions behind them. */
    static List<Row> readVectors(List<Row> others) {
        return read(others, VECTOR_FILES);
    }

    private static List<Row> read(List<Row> before, String[] files) {
        TableReader reader = new TableReader();
        reader.rows.addAll(before);
        for (String name : files) {
            reader.read(name);
        }
        return List.copyOf(reader.rows);
    }

    /** Rows of a text in the table's grammar, for tests. */
    static List<Row> parse(String text) {
        TableReader reader = new TableReader();
        reader.file = "text";
        reader.lines(text.getBytes(StandardCharsets.ISO_8859_1));
        return List.copyOf(reader.rows);
    }

    private void read(String name) {
        try (InputStream in = OpcodeTable.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the bundle lacks its resource " + name);
            }
            file = name;
            lines(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void lines(byte[] text) {
        line = 0;
        defaults.clear();
        knownExtras.clear();
        for (int from = 0; from < text.length; ) {
            int to = from;
            while (to < text.length && text[to] != '\n') {
                to++;
            }
            line++;
            if (to > from && text[from] == '@') {
                defaults.clear();
                knownExtras.clear();
                tokens(string(text, from + 1, to), ' ', defaults);
            } else if (to > from && text[from] != '#') {
                line(text, from, to);
            }
            from = to + 1;
        }
    }

    private static String string(byte[] text, int from, int to) {
        return new String(text, from, to - from, StandardCharsets.ISO_8859_1);
    }

    private IllegalStateException wrong(String what) {
        return new IllegalStateException(file + ":" + line + ": " + what);
    }

    private static void tokens(String text, char separator, List<String> out) {
        int n = text.length();
        for (int i = 0; i < n; ) {
            int j = text.indexOf(separator, i);
            j = j < 0 ? n : j;
            if (j > i) {
                String token = text.substring(i, j).trim();
                if (!token.isEmpty()) {
                    out.add(token);
                }
            }
            i = j + 1;
        }
    }

    private void line(byte[] text, int from, int to) {
        int n = 0;
        Arrays.fill(columns, "");
        for (int i = from; i < to && n < columns.length; i++) {
            int start = i;
            while (i < to && text[i] != '|') {
                i++;
            }
            int end = i;
            while (start < end && text[start] == ' ') {
                start++;
            }
            while (end > start && text[end - 1] == ' ') {
                end--;
            }
            columns[n++] = string(text, start, end);
        }
        if (columns[3].isEmpty()) {
            throw wrong("a row needs five columns");
        }
        reset();
        words.clear();
        tokens(columns[0], ' ', words);
        for (int i = 0; i < words.size(); i++) {
            encoding(words.get(i));
        }
        extras(columns[4]);
        List<Operand> list = operandList(columns[2]);
        for (int i = 0; i < list.size(); i++) {
            Operand o = list.get(i);
            shape |= shape(o);
            if ((traits & Row.SSE) != 0 && memory128(o) && (traits & UNALIGNED) == 0) {
                traits |= Row.ALIGNED;
            }
        }
        traits &= ~UNALIGNED;
        shape |= extraShape;
        add(columns[1], columns[3], list);
    }

    private List<Operand> operandList(String column) {
        List<Operand> known = operandLists.get(column);
        if (known != null) {
            return known;
        }
        words.clear();
        tokens(column, ',', words);
        Operand[] list = new Operand[words.size()];
        for (int i = 0; i < list.length; i++) {
            list[i] = operand(words.get(i));
        }
        List<Operand> made = List.of(list);
        operandLists.put(column, made);
        return made;
    }

    /** Sets traits and what else the last column says, on top of the file's defaults. */
    private void extras(String column) {
        Extras known = knownExtras.get(column);
        if (known == null) {
            words.clear();
            words.addAll(defaults);
            tokens(column, ' ', words);
            for (String word : words) {
                extra(word);
            }
            knownExtras.put(
                    column,
                    new Extras(
                            traits,
                            extraShape,
                            feature,
                            wideFeature,
                            overrides,
                            undefined,
                            undefinedByCount));
            return;
        }
        traits = known.traits;
        extraShape = known.shape;
        feature = known.feature;
        wideFeature = known.wideFeature;
        overrides = known.overrides;
        undefined = known.undefined;
        undefinedByCount = known.undefinedByCount;
    }

    private record Extras(
            int traits,
            int shape,
            Feature feature,
            Feature wideFeature,
            boolean overrides,
            int undefined,
            int undefinedByCount) {}

    /** Internal: a 128-bit memory operand that needs no alignment. */
    private static final int UNALIGNED = 1 << 31;

    private void reset() {
        space = Encoding.PLAIN;
        lengths = 7;
        widths = 3;
        extraShape = 0;
        wideFeature = Feature.BASE;
        map = -1;
        opcode = -1;
        count = 1;
        conditions = false;
        prefixes = Encoding.ANY_PREFIX;
        modes = Encoding.ANY_MODE;
        modrm = false;
        memory = true;
        register = true;
        regs = 0xff;
        rms = 0xff;
        overrides = false;
        traits = 0;
        shape = 0;
        feature = Feature.BASE;
        undefined = 0;
        undefinedByCount = 0;
    }

    private void add(String names, String semantics, List<Operand> list) {
        int equals = names.indexOf('=');
        String intel = equals < 0 ? names : names.substring(0, equals).trim();
        String att = equals < 0 ? intel : names.substring(equals + 1).trim();
        if (wideFeature != Feature.BASE) {
            Feature narrow = feature;
            feature = wideFeature;
            wideFeature = Feature.BASE;
            lengths = 2;
            add(names, semantics, list);
            feature = narrow;
            lengths = 1;
        }
        for (int i = 0; i < (conditions ? 16 : 1); i++) {
            rows.add(
                    new Row(
                            rows.size(),
                            new Encoding(
                                    space,
                                    map,
                                    opcode + i,
                                    count,
                                    prefixes,
                                    modes,
                                    modrm,
                                    memory,
                                    register,
                                    regs,
                                    rms,
                                    lengths,
                                    widths,
                                    overrides),
                            conditions ? intel.concat(CONDITIONS[i]) : intel,
                            conditions ? att.concat(CONDITIONS[i]) : att,
                            semantics,
                            list,
                            traits | (conditions ? Row.CONDITIONAL : 0),
                            shape,
                            feature,
                            undefined,
                            undefinedByCount));
        }
    }

    private void encoding(String word) {
        if (word.charAt(0) == '/') {
            modrm(word);
            return;
        }
        if (map < 0 && word.indexOf('.') > 0) {
            vectorPrefix(word);
            return;
        }
        boolean escape =
                space != Encoding.PLAIN
                        ? opcode < 0
                        : map == 0 && opcode == 0x0f || map == 1 && (opcode & 0xfd) == 0x38;
        if (escape) {
            opcodeByte(word);
            return;
        }
        switch (word) {
            case "np" -> prefixes = Encoding.NONE;
            case "nf" -> prefixes = Encoding.NONE | Encoding.P66;
            case "f2" -> second(Encoding.PF2, word);
            case "f3" -> second(Encoding.PF3, word);
            case "66" -> second(Encoding.P66, word);
            case "!f3" -> prefixes = Encoding.ANY_PREFIX & ~Encoding.PF3;
            case "i64" -> modes = Encoding.LEGACY;
            case "o64" -> modes &= ~Encoding.LEGACY;
            case "w0" -> modes &= ~Encoding.LONG_W;
            case "w1" -> modes &= Encoding.LONG_W;
            default -> opcodeByte(word);
        }
    }

    /** 66, F2 and F3 are prefixes after the opcode, and only there. */
    private void second(int prefix, String word) {
        if (opcode < 0) {
            throw wrong("prefix " + word + " belongs after the opcode");
        }
        prefixes = prefix;
    }

    private void opcodeByte(String word) {
        int plus = word.indexOf('+');
        int value = Integer.parseInt(plus < 0 ? word : word.substring(0, plus), 16);
        if (plus >= 0) {
            conditions = word.endsWith("+c");
            count = conditions ? 1 : 8;
        }
        if (space != Encoding.PLAIN && opcode < 0) {
            opcode = value;
        } else if (map < 0) {
            map = 0;
            opcode = value;
        } else if (map == 0 && opcode == 0x0f) {
            map = 1;
            opcode = value;
        } else if (map == 1 && (opcode == 0x38 || opcode == 0x3a)) {
            map = opcode == 0x38 ? 2 : 3;
            opcode = value;
        } else {
            throw wrong("too many opcode bytes");
        }
    }

    /** The prefix as the manuals write it, in any order of its parts: vex.128.66.0f38.w0. */
    private void vectorPrefix(String word) {
        parts.clear();
        tokens(word, '.', parts);
        for (String part : parts) {
            switch (part) {
                case "vex" -> {
                    space = Encoding.VEX;
                    lengths = 3;
                }
                case "evex" -> space = Encoding.EVEX;
                case "xop" -> {
                    space = Encoding.XOP;
                    lengths = 3;
                }
                case "lig" -> shape |= Row.SHAPE_NO_LENGTH;
                case "128" -> lengths = 1;
                case "256" -> lengths = 2;
                case "512" -> lengths = 4;
                case "256+" -> lengths = 6;
                case "np" -> prefixes = Encoding.NONE;
                case "66" -> prefixes = Encoding.P66;
                case "f3" -> prefixes = Encoding.PF3;
                case "f2" -> prefixes = Encoding.PF2;
                case "0f" -> map = 1;
                case "0f38" -> map = 2;
                case "0f3a" -> map = 3;
                case "m5" -> map = 5;
                case "m6" -> map = 6;
                case "m8" -> map = 8;
                case "m9" -> map = 9;
                case "ma" -> map = 10;
                case "w0" -> widths = 1;
                case "w1" -> widths = 2;
                default -> throw wrong("unknown part of a prefix " + part);
            }
        }
    }

    private void modrm(String word) {
        modrm = true;
        int i = 1;
        char c = word.charAt(i++);
        if (c != 'r') {
            int low = c - '0';
            int high = low;
            if (i < word.length() && word.charAt(i) == '-') {
                high = word.charAt(i + 1) - '0';
                i += 2;
            }
            regs = (2 << high) - (1 << low);
        }
        for (; i < word.length(); i++) {
            c = word.charAt(i);
            switch (c) {
                case 'm' -> register = false;
                case 'r' -> memory = false;
                case '*' -> shape |= Row.SHAPE_NO_MEMORY;
                default -> rms = 1 << (c - '0');
            }
        }
    }

    private void extra(String word) {
        if (word.charAt(0) == '+') {
            Feature f = features.get(word);
            if (f == null) {
                throw wrong("unknown feature " + word);
            }
            feature = f;
        } else if (word.charAt(0) == '^') {
            Feature f = features.get("+".concat(word.substring(1)));
            if (f == null) {
                throw wrong("unknown feature " + word);
            }
            wideFeature = f;
        } else if (word.startsWith("u:")) {
            undefined = flags(word, 2);
        } else if (word.startsWith("uc:")) {
            undefinedByCount = flags(word, 3);
        } else if (word.equals("over")) {
            overrides = true;
        } else {
            int bit = vectorShape(word);
            extraShape |= bit;
            traits |= bit != 0 ? 0 : trait(word);
        }
    }

    private static int vectorShape(String word) {
        return switch (word) {
            case "k" -> Row.SHAPE_MASK;
            case "kn" -> Row.SHAPE_MASK | Row.SHAPE_MASK_NEEDED;
            case "kz" -> Row.SHAPE_MASK | Row.SHAPE_ZEROING;
            case "er" -> Row.SHAPE_ROUNDING;
            case "sae" -> Row.SHAPE_SAE;
            case "exact" -> Row.SHAPE_EXACT;
            case "b2" -> Row.SHAPE_BROADCAST_2;
            case "b4" -> Row.SHAPE_BROADCAST_4;
            case "b8" -> Row.SHAPE_BROADCAST_8;
            case "dist" -> Row.SHAPE_DISTINCT;
            case "e" -> Row.SHAPE_ELEMENT;
            default -> 0;
        };
    }

    private int trait(String word) {
        return switch (word) {
            case "lock" -> Row.LOCKABLE;
            case "ends" -> Row.ENDS_BLOCK;
            case "d64" -> Row.DEFAULT_64;
            case "rep" -> Row.REPEATABLE;
            case "repc" -> Row.REPEAT_CONDITIONAL;
            case "priv" -> Row.PRIVILEGED;
            case "x87" -> Row.X87;
            case "nowait" -> Row.NO_WAIT;
            case "mmx" -> Row.MMX;
            case "sse" -> Row.SSE;
            case "al" -> Row.ALIGNED;
            case "una" -> UNALIGNED;
            case "shadow" -> Row.SHADOW;
            case "native" -> Row.NATIVE_SIZE;
            case "near" -> Row.NEAR_BRANCH;
            case "farmem" -> Row.FAR_MEMORY;
            default -> throw wrong("unknown trait " + word);
        };
    }

    private int flags(String word, int from) {
        int mask = 0;
        for (int i = from; i < word.length(); i++) {
            mask |=
                    switch (word.charAt(i)) {
                        case 'o' -> 1 << 11;
                        case 's' -> 1 << 7;
                        case 'z' -> 1 << 6;
                        case 'a' -> 1 << 4;
                        case 'p' -> 1 << 2;
                        case 'c' -> 1;
                        default -> throw wrong("unknown flags " + word);
                    };
        }
        return mask;
    }

    private boolean memory128(Operand operand) {
        return memory
                && operand.size() == OperandSize.OWORD
                && (operand.kind() == OperandKind.XMM_RM || operand.kind() == OperandKind.MEMORY);
    }

    private static int shape(Operand o) {
        return switch (o.kind()) {
            case IMMEDIATE ->
                    switch (o.size()) {
                        case WORD -> Row.IMM_WORD;
                        case Z -> Row.IMM_Z;
                        case V -> o.fixed() == 1 ? Row.IMM_SIGNED_BYTE : Row.IMM_V;
                        default -> Row.IMM_BYTE;
                    };
            case IMMEDIATE2 -> Row.SHAPE_IMMEDIATE2;
            case RELATIVE -> o.size() == OperandSize.BYTE ? Row.IMM_REL8 : Row.IMM_REL;
            case FAR_POINTER -> Row.IMM_FAR;
            case ABSOLUTE -> Row.IMM_MOFFS;
            case SEGMENT -> Row.SHAPE_SEGMENT | Row.SHAPE_REG_8;
            case CONTROL -> Row.SHAPE_CONTROL;
            case DEBUG -> Row.SHAPE_DEBUG;
            case MMX_REG -> Row.SHAPE_REG_8;
            case MMX_RM, MMX_RM_REGISTER, ST_I -> Row.SHAPE_RM_8;
            case OPCODE_REGISTER -> Row.SHAPE_OPCODE_REGISTER;
            case XMM_REG -> Row.SHAPE_VECTOR | Row.SHAPE_REG_VECTOR;
            case XMM_RM, XMM_RM_REGISTER -> Row.SHAPE_VECTOR | Row.SHAPE_RM_VECTOR;
            case XMM_VVVV -> Row.SHAPE_VECTOR | Row.SHAPE_VVVV;
            case XMM_IMMEDIATE -> Row.SHAPE_VECTOR | Row.IMM_BYTE;
            case VVVV_REGISTER, OPMASK_VVVV -> Row.SHAPE_VVVV | Row.SHAPE_VVVV_PLAIN;
            case OPMASK_REG -> Row.SHAPE_REG_MASK;
            case VECTOR_INDEXED -> Row.SHAPE_VECTOR | Row.SHAPE_VECTOR_INDEX;
            default -> 0;
        };
    }

    private Operand operand(String word) {
        String text = word;
        boolean implied = text.charAt(0) == '(';
        if (implied) {
            text = text.substring(1, text.length() - 1);
        }
        boolean write = text.charAt(0) == '=' || text.charAt(0) == '+';
        boolean read = text.charAt(0) != '=';
        return operand(write ? text.substring(1) : text, read, write, implied);
    }

    private Operand operand(String text, boolean read, boolean write, boolean implied) {
        OperandKind kind = OperandKind.FIXED_REGISTER;
        OperandSize size = OperandSize.NONE;
        int fixed = 0;
        switch (text) {
            case "AL" -> size = OperandSize.BYTE;
            case "AX" -> size = OperandSize.WORD;
            case "rAX" -> size = OperandSize.V;
            case "zAX" -> size = OperandSize.Z;
            case "CL" -> {
                size = OperandSize.BYTE;
                fixed = 1;
            }
            case "DX" -> {
                size = OperandSize.WORD;
                fixed = 2;
            }
            case "rDX" -> {
                size = OperandSize.V;
                fixed = 2;
            }
            case "1" -> {
                kind = OperandKind.ONE;
                size = OperandSize.BYTE;
            }
            case "Is" -> {
                kind = OperandKind.IMMEDIATE;
                size = OperandSize.V;
                fixed = 1;
            }
            case "I2" -> {
                kind = OperandKind.IMMEDIATE2;
                size = OperandSize.BYTE;
            }
            case "ES", "CS", "SS", "DS", "FS", "GS" -> {
                kind = OperandKind.FIXED_SEGMENT;
                size = OperandSize.WORD;
                fixed = Arrays.asList("ES", "CS", "SS", "DS", "FS", "GS").indexOf(text);
            }
            case "ST0" -> {
                kind = OperandKind.ST0;
                size = OperandSize.TBYTE;
            }
            case "STi" -> {
                kind = OperandKind.ST_I;
                size = OperandSize.TBYTE;
            }
            case "XMM0" -> {
                kind = OperandKind.XMM0;
                size = OperandSize.OWORD;
            }
            default -> {
                kind = kind(text.charAt(0));
                size = size(text.substring(1));
            }
        }
        return new Operand(kind, size, fixed, read, write, implied);
    }

    private OperandKind kind(char letter) {
        return switch (letter) {
            case 'E' -> OperandKind.RM;
            case 'G' -> OperandKind.REG;
            case 'R' -> OperandKind.RM_REGISTER;
            case 'M' -> OperandKind.MEMORY;
            case 'Z' -> OperandKind.OPCODE_REGISTER;
            case 'I' -> OperandKind.IMMEDIATE;
            case 'J' -> OperandKind.RELATIVE;
            case 'A' -> OperandKind.FAR_POINTER;
            case 'O' -> OperandKind.ABSOLUTE;
            case 'S' -> OperandKind.SEGMENT;
            case 'C' -> OperandKind.CONTROL;
            case 'D' -> OperandKind.DEBUG;
            case 'X' -> OperandKind.STRING_SOURCE;
            case 'Y' -> OperandKind.STRING_DESTINATION;
            case 'V' -> OperandKind.XMM_REG;
            case 'W' -> OperandKind.XMM_RM;
            case 'H' -> OperandKind.XMM_VVVV;
            case 'L' -> OperandKind.XMM_IMMEDIATE;
            case 'B' -> OperandKind.VVVV_REGISTER;
            case 'K' -> OperandKind.OPMASK_REG;
            case 'F' -> OperandKind.OPMASK_RM_REGISTER;
            case 'T' -> OperandKind.OPMASK_VVVV;
            case 'v' -> OperandKind.VECTOR_INDEXED;
            case 'U' -> OperandKind.XMM_RM_REGISTER;
            case 'P' -> OperandKind.MMX_REG;
            case 'Q' -> OperandKind.MMX_RM;
            case 'N' -> OperandKind.MMX_RM_REGISTER;
            default -> throw wrong("unknown operand letter " + letter);
        };
    }

    private OperandSize size(String letters) {
        return switch (letters) {
            case "" -> OperandSize.NONE;
            case "b" -> OperandSize.BYTE;
            case "w" -> OperandSize.WORD;
            case "d" -> OperandSize.DWORD;
            case "q" -> OperandSize.QWORD;
            case "dq" -> OperandSize.OWORD;
            case "qq" -> OperandSize.YWORD;
            case "zz" -> OperandSize.ZWORD;
            case "x" -> OperandSize.VECTOR;
            case "xh" -> OperandSize.HALF;
            case "xq" -> OperandSize.QUARTER;
            case "xo" -> OperandSize.EIGHTH;
            case "xd" -> OperandSize.DUPLICATED;
            case "t" -> OperandSize.TBYTE;
            case "v" -> OperandSize.V;
            case "z" -> OperandSize.Z;
            case "y" -> OperandSize.Y;
            case "p" -> OperandSize.NONE;
            case "a" -> OperandSize.ADDRESS;
            default -> throw wrong("unknown operand size " + letters);
        };
    }
}
