package org.alcazar.engines.x86.decode;

import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.OperandSize;
import org.alcazar.engines.x86.isa.Row;

/** Prefixes as words before the mnemonic: those that mean something, and those that do nothing. */
final class PrefixText {
    private final Instruction insn;
    private final Row row;
    private final boolean att;
    private String suffix = "";

    PrefixText(Instruction insn, boolean att) {
        this.insn = insn;
        this.row = insn.row;
        this.att = att;
    }

    /** Branch hint after the mnemonic; valid after {@link #text}. */
    String suffix() {
        return suffix;
    }

    /** Only what the instruction itself knows: LOCK and REP. */
    String meaningful() {
        String words = insn.lock ? "lock " : "";
        if (insn.repeat != 0 && row.has(Row.REPEATABLE)) {
            words += repeat(insn.repeat);
        }
        return words;
    }

    private String repeat(int prefix) {
        if (prefix == 0xf2) {
            return "repnz ";
        }
        return row.has(Row.REPEATABLE) && !row.has(Row.REPEAT_CONDITIONAL) ? "rep " : "repz ";
    }

    /** All prefix bytes of the instruction's encoding that its operands don't show. */
    String text(byte[] code, int offset) {
        StringBuilder out = new StringBuilder();
        int end = offset;
        while (isPrefix(code[end] & 0xff)) {
            end++;
        }
        for (int i = offset; i < end; i++) {
            int prefix = code[i] & 0xff;
            boolean last = !repeated(code, i + 1, end, prefix);
            if ((prefix & 0xf0) == 0x40) {
                // Before another prefix it means nothing.
                out.append(i + 1 < end ? rexName(prefix) : rex(prefix));
            } else if (!last || !used(prefix)) {
                out.append(name(prefix));
            }
        }
        return out.toString();
    }

    private boolean isPrefix(int b) {
        return switch (b) {
            case 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 -> true;
            default -> insn.mode == 64 && (b & 0xf0) == 0x40;
        };
    }

    /** Whether a prefix of the same group follows. */
    private static boolean repeated(byte[] code, int from, int end, int prefix) {
        for (int i = from; i < end; i++) {
            if (group(code[i] & 0xff) == group(prefix)) {
                return true;
            }
        }
        return false;
    }

    private static int group(int prefix) {
        return switch (prefix) {
            case 0xf2, 0xf3 -> 1;
            case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 -> 2;
            default -> prefix;
        };
    }

    private boolean used(int prefix) {
        return switch (prefix) {
            case 0x66 -> operandSizeMatters();
            case 0x67 -> addressMatters();
            case 0xf2, 0xf3 -> row.encoding().mandatoryRepeat();
            case 0xf0 -> false;
            default -> segmentMatters(prefix);
        };
    }

    private boolean operandSizeMatters() {
        if (row.encoding().mandatory66()) {
            return true;
        }
        boolean wide = (insn.rex & 8) != 0 && insn.mode == 64;
        boolean jump =
                row.has(Row.NEAR_BRANCH) && (row.shape() & Row.IMMEDIATE_MASK) >= Row.IMM_REL8;
        return !wide
                && sizeMatters()
                && !(jump && row.encoding().map() == 0 && row.encoding().opcode() < 0xe4);
    }

    private boolean sizeMatters() {
        if (row.has(Row.NATIVE_SIZE)) {
            return false;
        }
        if (row.mnemonic().indexOf('/') >= 0 || row.att().indexOf('/') >= 0) {
            return true;
        }
        for (Operand o : row.operands()) {
            if (o.size() == OperandSize.V
                    || o.size() == OperandSize.Z
                    || o.size() == OperandSize.Y
                    || o.kind() == OperandKind.FAR_POINTER) {
                return true;
            }
        }
        return switch (row.mnemonic()) {
            case "nop",
                    "ret",
                    "retf",
                    "leave",
                    "enter",
                    "callf",
                    "jmpf",
                    "lss",
                    "lfs",
                    "lgs",
                    "les",
                    "lds" ->
                    true;
            case "push", "pop" -> true;
            case "fldenv", "fnstenv", "frstor", "fnsave" -> true;
            default -> false;
        };
    }

    private boolean addressMatters() {
        if (insn.memory) {
            return true;
        }
        for (Operand o : row.operands()) {
            switch (o.kind()) {
                case ABSOLUTE, STRING_DESTINATION, STRING_SOURCE -> {
                    return true;
                }
                default -> {}
            }
        }
        return switch (row.mnemonic()) {
            case "jcxz", "loop", "loope", "loopne", "xlatb", "monitor", "monitorx" -> true;
            default -> false;
        };
    }

    private boolean segmentMatters(int prefix) {
        boolean branch = row.has(Row.NEAR_BRANCH);
        boolean hinted = row.has(Row.CONDITIONAL) || loops();
        if (branch && hinted && (prefix == 0x2e || prefix == 0x3e)) {
            suffix = prefix == 0x2e ? ",pn" : ",pt";
            return true;
        }
        boolean ignored = insn.mode == 64 && prefix != 0x64 && prefix != 0x65;
        if (ignored) {
            return false;
        }
        if (insn.memory) {
            return true;
        }
        for (Operand o : row.operands()) {
            if (o.kind() == OperandKind.ABSOLUTE || o.kind() == OperandKind.STRING_SOURCE) {
                return true;
            }
        }
        return row.mnemonic().equals("xlatb");
    }

    private String name(int prefix) {
        return switch (prefix) {
            case 0x66 -> insn.mode == 16 ? "data32 " : "data16 ";
            case 0x67 -> insn.mode == 32 ? "addr16 " : "addr32 ";
            case 0xf0 -> "lock ";
            case 0xf2 -> bound() ? "bnd " : elision() ? "xacquire " : "repnz ";
            case 0xf3 -> releases() ? "xrelease " : repeat(0xf3);
            case 0x26 -> "es ";
            case 0x2e -> "cs ";
            case 0x36 -> "ss ";
            case 0x3e -> indirectBranch() ? "notrack " : "ds ";
            case 0x64 -> "fs ";
            default -> "gs ";
        };
    }

    /** XCHG with memory locks by itself. */
    private boolean elision() {
        return insn.lock || insn.memory && row.mnemonic().equals("xchg");
    }

    private boolean releases() {
        boolean store = row.encoding().map() == 0 && (row.encoding().opcode() & 0xfe) == 0x88;
        boolean immediate = row.encoding().map() == 0 && (row.encoding().opcode() & 0xfe) == 0xc6;
        return elision() || insn.memory && (store || immediate);
    }

    private boolean bound() {
        return row.has(Row.NEAR_BRANCH) && !loops();
    }

    /** LOOP and JCXZ. */
    private boolean loops() {
        return row.encoding().map() == 0 && (row.encoding().opcode() & 0xfc) == 0xe0;
    }

    private boolean indirectBranch() {
        return row.has(Row.NEAR_BRANCH) && row.encoding().opcode() == 0xff;
    }

    /** Text of a REX prefix of which a bit does nothing. */
    private String rex(int rex) {
        int used = 0;
        if (wideMatters()) {
            used |= 8;
        }
        for (Operand o : row.operands()) {
            used |= registerBits(o);
        }
        if (insn.memory) {
            used |= OperandText.hasSib(insn) ? 3 : 1;
        }
        boolean all = (rex & 15 & ~used) == 0;
        boolean bytes = rex == 0x40 && byteRegister();
        return all && (rex != 0x40 || bytes) ? "" : rexName(rex);
    }

    private boolean wideMatters() {
        boolean sized = sizeMatters() || row.encoding().modes() != Encoding.ANY_MODE;
        return row.operands().stream().anyMatch(o -> o.kind() == OperandKind.FAR_POINTER)
                || sized && !row.has(Row.DEFAULT_64) && !row.has(Row.FAR_MEMORY);
    }

    private static int registerBits(Operand o) {
        return switch (o.kind()) {
            case REG, XMM_REG, CONTROL, DEBUG -> 4;
            case RM, RM_REGISTER, XMM_RM, XMM_RM_REGISTER, OPCODE_REGISTER -> 1;
            default -> 0;
        };
    }

    /** Whether a byte register is one of those that need a REX prefix: SPL, BPL, SIL, DIL. */
    private boolean byteRegister() {
        for (Operand o : row.operands()) {
            if (o.size() == OperandSize.BYTE) {
                int number =
                        switch (o.kind()) {
                            case REG -> insn.reg;
                            case RM -> insn.memory ? 0 : insn.rm;
                            case OPCODE_REGISTER -> insn.rm;
                            default -> 0;
                        };
                if ((number & 4) != 0) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String rexName(int rex) {
        StringBuilder out = new StringBuilder("rex");
        if (rex != 0x40) {
            out.append('.');
        }
        out.append((rex & 8) != 0 ? "W" : "").append((rex & 4) != 0 ? "R" : "");
        out.append((rex & 2) != 0 ? "X" : "").append((rex & 1) != 0 ? "B" : "");
        return out.append(' ').toString();
    }
}
