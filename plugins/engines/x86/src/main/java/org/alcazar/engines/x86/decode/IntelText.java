package org.alcazar.engines.x86.decode;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;

/** Operands in Intel syntax. */
final class IntelText extends OperandText {
    /**
     * Mnemonics as objdump prints them: string instructions without size letter, since their
     * operands show it.
     */
    static String sized(Instruction insn, String name) {
        for (Operand o : insn.row.operands()) {
            if (o.kind() == OperandKind.STRING_SOURCE
                    || o.kind() == OperandKind.STRING_DESTINATION) {
                return name.substring(0, name.length() - 1);
            }
        }
        return switch (name) {
            case "mov" -> insn.row.att(insn.operandSize);
            case "callf" -> "call";
            case "jmpf" -> "jmp";
            case "xlatb" -> "xlat";
            case "iretd" -> "iret";
            case "pushfq", "pushfd" -> "pushf";
            case "popfq", "popfd" -> "popf";
            case "sysret" -> insn.mode != 64 ? name : insn.operandSize == 8 ? "sysretq" : "sysretd";
            case "retf" -> insn.operandSize == 8 ? "retfq" : name;
            default -> name;
        };
    }

    @Override
    void append(StringBuilder out, Instruction insn, Operand o, long address) {
        String register = register(insn, o);
        if (!register.isEmpty()) {
            out.append(register);
            return;
        }
        switch (o.kind()) {
            case ONE -> out.append('1');
            case IMMEDIATE -> out.append(hex(immediate(insn, o)));
            case IMMEDIATE2 -> out.append(hex(insn.immediate2));
            case RELATIVE -> out.append(hex(target(insn, address)));
            case FAR_POINTER ->
                    out.append(hex(insn.immediate2)).append(':').append(hex(insn.immediate));
            case ABSOLUTE ->
                    out.append(SEGMENTS[insn.segment])
                            .append(':')
                            .append(absolute(insn, insn.displacement));
            case STRING_SOURCE -> string(out, insn, o, SEGMENTS[insn.segment], X86.RSI);
            case STRING_DESTINATION -> string(out, insn, o, "es", X86.RDI);
            default -> {
                size(out, insn, o);
                memory(out, insn);
            }
        }
    }

    private static void string(
            StringBuilder out, Instruction insn, Operand o, String segment, int register) {
        size(out, insn, o);
        out.append(segment).append(":[");
        out.append(gpr(register, insn.addressSize, false)).append(']');
    }

    private static void size(StringBuilder out, Instruction insn, Operand o) {
        if (o.bytes(insn) == 0 && insn.row.has(Row.FAR_MEMORY)) {
            out.append(insn.operandSize == 2 ? "DWORD PTR " : "FWORD PTR ");
            return;
        }
        if (insn.row.mnemonic().endsWith("lddqu")) {
            return;
        }
        if (insn.space != Encoding.PLAIN && insn.broadcast != 0) {
            out.append(insn.broadcast == 8 ? "QWORD" : insn.broadcast == 4 ? "DWORD" : "WORD");
            out.append(" BCST ");
            return;
        }
        int bytes = o.kind() == OperandKind.VECTOR_INDEXED ? insn.wide ? 8 : 4 : o.bytes(insn);
        out.append(
                switch (bytes) {
                    case 1 -> "BYTE PTR ";
                    case 2 -> "WORD PTR ";
                    case 4 -> "DWORD PTR ";
                    case 8 -> "QWORD PTR ";
                    case 10 -> "TBYTE PTR ";
                    case 32 -> "YMMWORD PTR ";
                    case 64 -> "ZMMWORD PTR ";
                    case 16 ->
                            o.kind() == OperandKind.XMM_RM
                                            || insn.row.has(Row.SSE)
                                            || insn.space != Encoding.PLAIN
                                    ? "XMMWORD PTR "
                                    : "OWORD PTR ";
                    default -> untyped(insn.row.mnemonic());
                });
    }

    /** What objdump calls bytes though nothing is read. */
    private static String untyped(String mnemonic) {
        boolean bytes =
                mnemonic.startsWith("prefetch")
                        || mnemonic.startsWith("clflush")
                        || mnemonic.equals("clwb")
                        || mnemonic.equals("invlpg");
        return bytes ? "BYTE PTR " : "";
    }

    private static void memory(StringBuilder out, Instruction insn) {
        boolean zeroIndex = showsZeroIndex(insn);
        boolean registers = !noBase(insn) || !noIndex(insn) || zeroIndex;
        boolean displaced =
                insn.modrm >= 0x40 || noBase(insn) || insn.base == Instruction.RIP_RELATIVE;
        if (!registers) {
            out.append(SEGMENTS[insn.segment]).append(':');
            out.append(absolute(insn, insn.displacement));
            return;
        }
        if (namesSegment(insn)) {
            out.append(SEGMENTS[insn.segmentOverride]).append(':');
        }
        out.append('[');
        int from = out.length();
        if (insn.base == Instruction.RIP_RELATIVE) {
            out.append(insn.addressSize == 8 ? "rip" : "eip");
        } else if (!noBase(insn)) {
            out.append(gpr(insn.base, insn.addressSize, false));
        }
        if (!noIndex(insn)) {
            plus(out, from).append(index(insn));
            if (insn.addressSize != 2) {
                out.append('*').append(1 << insn.scale);
            }
        } else if (zeroIndex) {
            plus(out, from).append(insn.addressSize == 8 ? "riz*" : "eiz*");
            out.append(1 << insn.scale);
        }
        if (displaced) {
            if (insn.displacement >= 0 || insn.base == Instruction.RIP_RELATIVE) {
                out.append('+');
            }
            boolean relative = insn.base == Instruction.RIP_RELATIVE;
            out.append(relative ? hex(insn.displacement) : signedHex(insn.displacement));
        }
        out.append(']');
    }

    private static StringBuilder plus(StringBuilder out, int from) {
        return out.length() > from ? out.append('+') : out;
    }

    @Override
    void extra(StringBuilder out, Instruction insn) {
        if (insn.row.mnemonic().equals("xlatb")) {
            out.append(" BYTE PTR ").append(SEGMENTS[insn.segment]).append(":[");
            out.append(gpr(X86.RBX, insn.addressSize, false)).append(']');
        }
    }
}
