package org.alcazar.engines.x86.decode;

import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.Row;

import java.util.List;

/**
 * Instructions as text, as binutils' objdump prints them, by the names and operands of the opcode
 * table.
 *
 * <p>For one thread only.
 */
public final class Disassembler {
    private static final String[] COMPARISONS = {
        "eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord"
    };

    private static final List<String> CARRYLESS =
            List.of("pclmullqlqdq", "pclmulhqlqdq", "pclmullqhqdq", "pclmulhqhqdq");

    private final boolean att;
    private final Decoder decoder;
    private final OperandText operandText;
    private final VectorText vectorText;
    private final Instruction instruction = new Instruction();
    private int length;

    /** A disassembler of every instruction in the table, enabled in the engine or not. */
    public Disassembler(Syntax syntax) {
        this(syntax, OpcodeTable.complete());
    }

    public Disassembler(Syntax syntax, OpcodeTable table) {
        att = syntax == Syntax.ATT;
        decoder = new Decoder(table);
        operandText = att ? new AttText() : new IntelText();
        vectorText = new VectorText(operandText, att);
    }

    /**
     * The text of the instruction that starts at {@code offset}, its superfluous prefixes included.
     *
     * @param mode 16, 32 or 64
     * @param address of the instruction, for branch targets
     * @return {@code (bad)} if the bytes are no instruction
     */
    public String text(byte[] code, int offset, int available, int mode, long address) {
        length = decoder.decode(code, offset, available, mode, instruction);
        if (length < 0) {
            length = 1;
            return "(bad)";
        }
        PrefixText prefixes = new PrefixText(instruction, att);
        String before = prefixes.text(code, offset);
        return before + text(instruction, address, prefixes.suffix());
    }

    /**
     * Length of what {@link #text(byte[], int, int, int, long)} returned last: 1 if it was {@code
     * (bad)}.
     */
    public int length() {
        return length;
    }

    /**
     * The text of a decoded instruction, with lock and repeat prefixes where they mean something.
     */
    public String text(Instruction insn, long address) {
        return new PrefixText(insn, att).meaningful() + text(insn, address, "");
    }

    private String text(Instruction insn, long address, String branchHint) {
        if (insn.row.id() < 0) {
            return insn.row.mnemonic();
        }
        if (insn.opcode == 0x90 && insn.operandSizePrefix && insn.row.operands().isEmpty()) {
            // What NOP is an alias of.
            String register = (att ? "%" : "") + OperandText.gpr(0, insn.operandSize, false);
            return "xchg " + register + "," + register;
        }
        if (insn.space != Encoding.PLAIN) {
            return vectorText.text(insn, address);
        }
        StringBuilder out = new StringBuilder(48);
        boolean folded = name(insn, out);
        out.append(branchHint);
        List<Operand> operands = insn.row.operands();
        boolean reversed = att && !keepsOrder(insn.row);
        int from = out.length();
        for (int i = 0; i < operands.size(); i++) {
            Operand o = operands.get(reversed ? operands.size() - 1 - i : i);
            boolean gone = folded && o.kind() == OperandKind.IMMEDIATE;
            if (!o.implied() && !gone && shown(insn.row, o)) {
                out.append(out.length() == from ? ' ' : ',');
                operandText.append(out, insn, o, address);
            }
        }
        operandText.extra(out, insn);
        return out.toString();
    }

    /** The 1 of shifts is left out in AT&T syntax. */
    private boolean shown(Row row, Operand o) {
        return !(att && o.kind() == OperandKind.ONE && row.operands().size() == 2);
    }

    private static boolean keepsOrder(Row row) {
        return switch (row.mnemonic()) {
            case "enter", "bound", "invlpga" -> true;
            default -> false;
        };
    }

    /** Appends the mnemonic; true if the immediate is part of it. */
    private boolean name(Instruction insn, StringBuilder out) {
        Row row = insn.row;
        String name = att ? row.att(insn.operandSize) : row.mnemonic(insn.operandSize);
        long imm = insn.immediate;
        String pseudo = pseudo(name, row, imm);
        if (!pseudo.isEmpty()) {
            out.append(pseudo);
            return true;
        }
        name = byAddressSize(insn, name);
        out.append(att ? AttText.sized(insn, name) : IntelText.sized(insn, name));
        return false;
    }

    private static String pseudo(String name, Row row, long imm) {
        if ((row.encoding().map() == 1 && row.encoding().opcode() == 0xc2) && imm < 8) {
            return "cmp" + COMPARISONS[(int) imm] + name.substring(3);
        }
        if (name.equals("pclmulqdq") && (imm & ~0x11) == 0) {
            return CARRYLESS.get((int) (imm & 1 | imm >> 3));
        }
        return "";
    }

    private static String byAddressSize(Instruction insn, String name) {
        if (name.equals("movabs") && insn.mode != 64) {
            return "mov";
        }
        if (name.equals("jcxz")) {
            return switch (insn.addressSize) {
                case 2 -> "jcxz";
                case 4 -> "jecxz";
                default -> "jrcxz";
            };
        }
        return name;
    }
}
