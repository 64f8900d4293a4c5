package org.alcazar.engines.x86.decode;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.OperandSize;
import org.alcazar.engines.x86.isa.Row;

/** Operands and mnemonic suffixes in AT&T syntax. */
final class AttText extends OperandText {
    /** The mnemonic with the size suffix that no register operand tells. */
    static String sized(Instruction insn, String name) {
        Row row = insn.row;
        if (row.operands().isEmpty()) {
            return bare(insn, name);
        }
        Operand first = row.operands().getFirst();
        if (name.equals("lcall") || name.equals("ljmp") || name.equals("lret")) {
            return bare(insn, name);
        }
        if (name.startsWith("movzb")
                || name.startsWith("movzw")
                || name.startsWith("movsb")
                || name.equals("movsw")) {
            return first.kind() == OperandKind.REG ? name + letter(insn.operandSize) : name;
        }
        if (name.startsWith("cvtsi2s")) {
            return insn.memory && insn.mode == 64
                    ? name + letter(row.operands().get(1).bytes(insn))
                    : name;
        }
        if (row.has(Row.DEFAULT_64)) {
            return defaultSized(insn, name);
        }
        return insn.memory && needsSuffix(row) ? name + letter(memoryBytes(insn)) : name;
    }

    private static String bare(Instruction insn, String name) {
        boolean odd = insn.mode == 16 ? insn.operandSize == 4 : insn.operandSize == 2;
        String size = insn.mode == 16 ? "l" : "w";
        return switch (name) {
            case "pushf", "popf", "pusha", "popa", "leave", "ret", "lcall", "ljmp" ->
                    odd ? name + size : name;
            case "lret", "iret", "sysret" ->
                    insn.operandSize == 8 ? name + "q" : odd ? name + size : name;
            default -> name;
        };
    }

    /** Near branches and stack instructions: a suffix only if the size is not the mode's own. */
    private static String defaultSized(Instruction insn, String name) {
        boolean odd = insn.mode == 16 ? insn.operandSize == 4 : insn.operandSize == 2;
        if (!odd) {
            return name;
        }
        Operand first = insn.row.operands().getFirst();
        boolean register = !register(insn, first).isEmpty();
        boolean suffixed =
                switch (name) {
                    case "push", "pop" -> !register || first.kind() == OperandKind.FIXED_SEGMENT;
                    case "call" -> !register;
                    case "jmp" -> !register && insn.opcode != 0xeb;
                    case "ret", "enter" -> true;
                    default -> false;
                };
        return suffixed ? name + (insn.mode == 16 ? "l" : "w") : name;
    }

    private static int memoryBytes(Instruction insn) {
        for (Operand o : insn.row.operands()) {
            if (o.kind() == OperandKind.RM || o.kind() == OperandKind.MEMORY) {
                return o.bytes(insn);
            }
        }
        return 0;
    }

    /** Whether the memory operand is a general one and no explicit register tells its size. */
    private static boolean needsSuffix(Row row) {
        boolean general = false;
        for (Operand o : row.operands()) {
            switch (o.kind()) {
                case RM, MEMORY ->
                        general |= o.size() == OperandSize.BYTE || o.size() == OperandSize.V;
                case IMMEDIATE, ONE -> {}
                default -> {
                    boolean count = o.kind() == OperandKind.FIXED_REGISTER && o.fixed() == X86.RCX;
                    if (!o.implied() && !count) {
                        return false;
                    }
                }
            }
        }
        return general && !row.has(Row.CONDITIONAL);
    }

    private static String letter(int bytes) {
        return switch (bytes) {
            case 1 -> "b";
            case 2 -> "w";
            case 4 -> "l";
            case 8 -> "q";
            default -> "";
        };
    }

    @Override
    void append(StringBuilder out, Instruction insn, Operand o, long address) {
        String register = register(insn, o);
        if (!register.isEmpty()) {
            registerOperand(out, insn, o, register);
            return;
        }
        switch (o.kind()) {
            case ONE -> out.append("$0x1");
            case IMMEDIATE -> out.append('$').append(hex(immediate(insn, o)));
            case IMMEDIATE2 -> out.append('$').append(hex(insn.immediate2));
            case RELATIVE -> out.append(hex(target(insn, address)));
            case FAR_POINTER -> {
                out.append('$').append(hex(insn.immediate2));
                out.append(",$").append(hex(insn.immediate));
            }
            case ABSOLUTE -> {
                segment(out, insn);
                out.append(absolute(insn, insn.displacement));
            }
            case STRING_SOURCE -> string(out, insn, SEGMENTS[insn.segment], X86.RSI);
            case STRING_DESTINATION -> string(out, insn, "es", X86.RDI);
            default -> {
                if (indirect(insn.row)) {
                    out.append('*');
                }
                memory(out, insn);
            }
        }
    }

    private static boolean indirect(Row row) {
        return row.encoding().map() == 0
                && row.encoding().opcode() == 0xff
                && row.has(Row.ENDS_BLOCK);
    }

    private static void registerOperand(
            StringBuilder out, Instruction insn, Operand o, String register) {
        boolean port =
                o.kind() == OperandKind.FIXED_REGISTER
                        && o.fixed() == X86.RDX
                        && o.size() == OperandSize.WORD;
        if (port) {
            out.append("(%dx)");
            return;
        }
        if (indirect(insn.row)) {
            out.append('*');
        }
        out.append('%');
        // As objdump writes it.
        out.append(o.kind() == OperandKind.DEBUG ? register.replace("dr", "db") : register);
    }

    private static void segment(StringBuilder out, Instruction insn) {
        if (namesSegment(insn)) {
            out.append('%').append(SEGMENTS[insn.segmentOverride]).append(':');
        }
    }

    private static void string(StringBuilder out, Instruction insn, String segment, int register) {
        out.append('%').append(segment).append(":(%");
        out.append(gpr(register, insn.addressSize, false)).append(')');
    }

    private static void memory(StringBuilder out, Instruction insn) {
        segment(out, insn);
        boolean zeroIndex = showsZeroIndex(insn);
        boolean registers = !noBase(insn) || !noIndex(insn) || zeroIndex;
        boolean displaced =
                insn.modrm >= 0x40 || noBase(insn) || insn.base == Instruction.RIP_RELATIVE;
        if (!registers) {
            out.append(absolute(insn, insn.displacement));
            return;
        }
        if (displaced) {
            out.append(signedHex(insn.displacement));
        }
        out.append('(');
        if (insn.base == Instruction.RIP_RELATIVE) {
            out.append(insn.addressSize == 8 ? "%rip" : "%eip");
        } else if (!noBase(insn)) {
            out.append('%').append(gpr(insn.base, insn.addressSize, false));
        }
        if (!noIndex(insn)) {
            out.append(",%").append(index(insn));
            if (insn.addressSize != 2) {
                out.append(',').append(1 << insn.scale);
            }
        } else if (zeroIndex) {
            out.append(insn.addressSize == 8 ? ",%riz," : ",%eiz,");
            out.append(1 << insn.scale);
        }
        out.append(')');
    }

    @Override
    void extra(StringBuilder out, Instruction insn) {
        switch (insn.row.mnemonic()) {
            case "xlatb" -> {
                out.append(" %").append(SEGMENTS[insn.segment]).append(":(%");
                out.append(gpr(X86.RBX, insn.addressSize, false)).append(')');
            }
            case "monitor", "monitorx" ->
                    out.append(" %")
                            .append(gpr(X86.RAX, insn.addressSize, false))
                            .append(",%ecx,%edx");
            case "mwait" -> out.append(" %eax,%ecx");
            case "mwaitx" -> out.append(" %eax,%ecx,%ebx");
            default -> {}
        }
    }
}
