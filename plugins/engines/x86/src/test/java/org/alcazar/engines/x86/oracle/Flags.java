package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.isa.OperandKind;
import org.alcazar.engines.x86.isa.OperandSize;
import org.alcazar.engines.x86.isa.Row;

/** Which flags, and which results, the manual leaves undefined. */
final class Flags {
    private Flags() {}

    /** Flags that may be undefined after a row, whatever its operands. */
    static int undefined(Row row) {
        return row.undefinedFlags() | row.undefinedByCount();
    }

    /** Flags that are undefined after one instruction from a state. */
    static int undefined(Instruction insn, State before) {
        int mask = insn.row.undefinedFlags();
        if (insn.row.undefinedByCount() == 0) {
            return mask;
        }
        if (one(insn.row)) {
            return mask;
        }
        long count = count(insn, before);
        if (count == 0) {
            return 0;
        }
        return count == 1 ? mask : mask | insn.row.undefinedByCount();
    }

    private static boolean one(Row row) {
        return row.operands().stream().anyMatch(o -> o.kind() == OperandKind.ONE);
    }

    private static long count(Instruction insn, State before) {
        boolean byCl = insn.row.operands().getLast().kind() == OperandKind.FIXED_REGISTER;
        long count = byCl ? before.gpr(1) : insn.immediate;
        boolean bytes = insn.row.operands().getFirst().size() == OperandSize.BYTE;
        return count & (insn.operandSize == 8 && !bytes ? 63 : 31);
    }

    /** Double shifts of words by more than 16 (APM volume 3, SHLD). */
    static boolean undefinedResult(Instruction insn, State before) {
        return insn.row.semantics().matches("Shift.sh[lr]d")
                && insn.operandSize == 2
                && count(insn, before) > 16;
    }

    /** Whether a row looks at status flags, so that it may not follow one that undefines some. */
    static boolean reads(Row row) {
        return row.has(Row.CONDITIONAL)
                || row.has(Row.ENDS_BLOCK)
                || row.semantics()
                        .matches(
                                "Alu\\.(adc|sbb|adcx|adox|setc.*)|Shift\\.rc[lr]|Moves\\.(cmov.*"
                                        + "|setcc|lahf|salc)|MulDiv\\.(da[as]|aa[as])|Flags\\.cmc"
                                        + "|Stack\\.pushf|Branches\\..*|X87Control\\.fcmov.*")
                || row.has(Row.REPEAT_CONDITIONAL);
    }
}
