package org.alcazar.engines.x86.decode;

import org.alcazar.engines.x86.isa.Encoding;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.isa.OpcodeTable;
import org.alcazar.engines.x86.isa.Operand;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.OperandSize;
import org.alcazar.engines.x86.isa.Row;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Instructions behind VEX, EVEX and XOP prefixes as text. */
final class VectorText {
    private static final String[] COMPARISONS = {
        "eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord", //
        "eq_uq", "nge", "ngt", "false", "neq_oq", "ge", "gt", "true", //
        "eq_os", "lt_oq", "le_oq", "unord_s", "neq_us", "nlt_uq", "nle_uq", "ord_s", //
        "eq_us", "nge_uq", "ngt_uq", "false_os", "neq_os", "ge_oq", "gt_oq", "true_us"
    };

    private static final String[] ROUNDING = {
        "{rn-sae}", "{rd-sae}", "{ru-sae}", "{rz-sae}", "{sae}"
    };

    private static final List<String> CARRYLESS =
            List.of("vpclmullqlqdq", "vpclmulhqlqdq", "vpclmullqhqdq", "vpclmulhqhqdq");

    private final OperandText operandText;
    private final boolean att;

    VectorText(OperandText operandText, boolean att) {
        this.operandText = operandText;
        this.att = att;
    }

    String text(Instruction insn, long address) {
        Row row = insn.row;
        StringBuilder out = new StringBuilder(64);
        out.append(encoding(insn));
        String pseudo = pseudo(insn);
        boolean folded = !pseudo.isEmpty();
        out.append(folded ? pseudo : name(insn));
        List<Operand> operands = row.operands();
        int n = operands.size();
        int rounding = roundingPlace(insn);
        int from = out.length();
        // One place more than operands, for the rounding behind the operand before it.
        for (int i = 0; i < n; i++) {
            int number = att ? n - 1 - i : i;
            if (att && number + 1 == rounding) {
                separate(out, from).append(ROUNDING[insn.rounding]);
            }
            Operand o = operands.get(number);
            if (!o.implied() && !(folded && o.kind() == OperandKind.IMMEDIATE)) {
                separate(out, from);
                operand(out, insn, o, number == 0, address);
            }
            if (!att && number + 1 == rounding) {
                out.append(ROUNDING[insn.rounding]);
            }
        }
        return out.toString();
    }

    /** The encoding, where an assembler would have chosen another one for this text. */
    private static String encoding(Instruction insn) {
        if (insn.space == Encoding.VEX) {
            Feature f = insn.row.feature();
            return f == Feature.AVXVNNI || f == Feature.AVXIFMA ? "{vex} " : "";
        }
        boolean needed =
                insn.space != Encoding.EVEX
                        || insn.mask != 0
                        || insn.rounding >= 0
                        || insn.broadcast != 0
                        || insn.vectorLength == 64
                        || insn.reg > 15
                        || insn.rm > 15
                        || !insn.memory && (insn.rex & 2) != 0
                        || insn.vvvv > 15
                        || insn.index > 15;
        return needed || !Names.VEX.contains(form(insn.row)) ? "" : "{evex} ";
    }

    /** VPERMPD by registers is as VPERMPS, though it has no VEX encoding. */
    private static Stream<String> forms(Row row) {
        String form = form(row);
        return row.mnemonic().equals("vpermps")
                ? Stream.of(form, form.replace("ps", "pd"))
                : Stream.of(form);
    }

    private static OperandKind source(OperandKind kind) {
        return kind == OperandKind.XMM_RM_REGISTER || kind == OperandKind.MEMORY
                ? OperandKind.XMM_RM
                : kind;
    }

    private static String form(Row row) {
        return row.operands().stream()
                .map(o -> source(o.kind()).name())
                .collect(Collectors.joining(" ", row.mnemonic() + " ", ""));
    }

    /** Mnemonics and operands with a VEX encoding, but for those where objdump says nothing. */
    private static final class Names {
        static final Set<String> VEX =
                OpcodeTable.rows().stream()
                        .filter(r -> r.encoding().space() == Encoding.VEX)
                        .filter(r -> r.feature() != Feature.AVXVNNI)
                        .filter(r -> r.feature() != Feature.AVXIFMA)
                        .filter(r -> !r.mnemonic().matches("vps[rl][la]v[dq]"))
                        .flatMap(VectorText::forms)
                        .collect(Collectors.toUnmodifiableSet());
    }

    private static StringBuilder separate(StringBuilder out, int from) {
        return out.append(out.length() == from ? ' ' : ',');
    }

    private void operand(
            StringBuilder out, Instruction insn, Operand o, boolean first, long address) {
        operandText.append(out, insn, o, address);
        boolean evex = insn.space == Encoding.EVEX;
        boolean counted = att || !length(insn).isEmpty() && halves(insn.row);
        if (evex && insn.broadcast != 0 && counted && o.kind() == OperandKind.XMM_RM) {
            out.append("{1to").append(o.bytes(insn) / insn.broadcast).append('}');
        }
        if (evex && first && insn.mask != 0) {
            out.append(att ? "{%k" : "{k").append(insn.mask).append('}');
            out.append(insn.zeroing ? "{z}" : "");
        }
    }

    /** How many operands, in Intel's order, come before the rounding; 0 if there is none. */
    private int roundingPlace(Instruction insn) {
        if (insn.space != Encoding.EVEX || insn.rounding < 0) {
            return 0;
        }
        List<Operand> operands = insn.row.operands();
        int place = operands.size();
        OperandKind last = operands.getLast().kind();
        // Before an immediate, and in AT&T syntax before the general register of a conversion.
        boolean before = last == OperandKind.IMMEDIATE || att && last == OperandKind.RM;
        return before ? place - 1 : place;
    }

    /** A name that holds the immediate's meaning, or an empty string. */
    private static String pseudo(Instruction insn) {
        String name = insn.row.mnemonic();
        int imm = (int) insn.immediate;
        boolean immediate =
                !insn.row.operands().isEmpty()
                        && insn.row.operands().getLast().kind() == OperandKind.IMMEDIATE;
        if (!immediate) {
            return "";
        }
        if (name.startsWith("vcmp") && imm < COMPARISONS.length) {
            return "vcmp" + COMPARISONS[imm] + name.substring(4);
        }
        if (name.startsWith("vpcmp") && insn.space == Encoding.EVEX && imm < 8 && (imm & 3) != 3) {
            return "vpcmp" + COMPARISONS[imm] + name.substring(5);
        }
        if (name.equals("vpclmulqdq") && (imm & ~0x11) == 0) {
            return CARRYLESS.get(imm & 1 | imm >> 3);
        }
        return "";
    }

    private String name(Instruction insn) {
        String name = insn.row.mnemonic();
        if (name.startsWith("vpcmpestr") && insn.wide && insn.mode == 64) {
            return name + "q";
        }
        if (!att) {
            return name;
        }
        if (insn.memory && insn.mode == 64 && name.startsWith("vcvt") && name.contains("si2s")) {
            return name + (insn.operandSize == 8 ? "q" : "l");
        }
        return insn.memory && insn.broadcast == 0 && halves(insn.row) ? name + length(insn) : name;
    }

    /** Whether the memory operand's size shows neither in its register nor in its name. */
    private static boolean halves(Row row) {
        List<Operand> operands = row.operands();
        boolean classes = row.mnemonic().startsWith("vfpclassp");
        boolean narrows =
                operands.size() == 2
                        && operands.get(0).kind() == OperandKind.XMM_REG
                        && operands.get(0).size() == OperandSize.HALF
                        && operands.get(1).size() == OperandSize.VECTOR
                        && operands.get(1).kind() == OperandKind.XMM_RM;
        return classes || narrows;
    }

    private static String length(Instruction insn) {
        boolean fp = insn.row.mnemonic().startsWith("vfpclass");
        return switch (insn.vectorLength) {
            case 16 -> "x";
            case 32 -> "y";
            default -> fp ? "z" : "";
        };
    }
}
