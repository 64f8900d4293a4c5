package org.alcazar.engines.x86.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Instruction;
import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.engines.x86.state.CpuFault;

import java.lang.reflect.InvocationTargetException;
import java.util.HexFormat;

/** Runs the semantics of one instruction by its bytes, for rows that take it whole. */
final class Execute {
    private Execute() {}

    static void code(Cpu cpu, String hex) {
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        Instruction insn = new Instruction();
        int mode = cpu.code64() ? 64 : (cpu.segmentAttributes[1] & 1 << 10) != 0 ? 32 : 16;
        int length = new Decoder(cpu.model.table()).decode(code, 0, code.length, mode, insn);
        assertEquals(code.length, length, hex);
        String[] name = insn.row.semantics().split("\\.");
        try {
            Class.forName(Execute.class.getPackageName() + '.' + name[0])
                    .getMethod(name[1], Cpu.class, Instruction.class)
                    .invoke(null, cpu, insn);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException thrown) {
                throw thrown;
            }
            throw new AssertionError(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(hex, e);
        }
    }

    /** The instruction raises an exception, with error code 0 if it has one. */
    static void faults(Cpu cpu, int vector, String hex) {
        CpuFault fault = assertThrows(CpuFault.class, () -> code(cpu, hex), hex);
        assertEquals(vector, fault.vector, hex);
        assertEquals(0, fault.errorCode, hex);
    }
}
