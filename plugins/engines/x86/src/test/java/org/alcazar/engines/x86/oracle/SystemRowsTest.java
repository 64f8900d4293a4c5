package org.alcazar.engines.x86.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Instructions of user mode that the processor can't be asked about. */
class SystemRowsTest {
    private final Interpreter interpreter = new Interpreter();
    private final State in = new State();
    private final State out = new State();

    @AfterEach
    void close() {
        interpreter.close();
    }

    private void run(int... code) {
        in.clear();
        for (int i = 0; i < code.length; i++) {
            in.set8(Layout.CODE + i, code[i]);
        }
        in.set32(Layout.CODE_BYTES, code.length);
        in.set32(Layout.ENTRY, (int) Layout.CODE_PAGE);
        in.set16(Layout.SS, Descriptor.USER_DS);
        in.gpr(X86.RDI, Layout.DATA + Layout.WINDOW[0]);
        interpreter.run(in, out);
    }

    @Test
    @DisplayName("SGDT and SIDT store limit and base where UMIP is off (APM volume 3)")
    void tables() {
        run(0x0f, 0x01, 0x07);
        assertEquals(0x7f, out.u16(Layout.MEMORY));
        assertEquals(0xffff_e000_0000_0000L, out.i64(Layout.MEMORY + 2));
        run(0x0f, 0x01, 0x0f);
        assertEquals(0xfff, out.u16(Layout.MEMORY));
        assertEquals(0xffff_e000_0000_1000L, out.i64(Layout.MEMORY + 2));
    }

    @Test
    @DisplayName("SMSW stores CR0: 16 bits to memory, all to a 64-bit register")
    void machineStatus() {
        run(0x0f, 0x01, 0x27);
        assertEquals(0x33, out.u16(Layout.MEMORY) & ~8);
        run(0x48, 0x0f, 0x01, 0xe0);
        assertEquals(0x8005_0033L, out.gpr(X86.RAX));
    }

    @Test
    @DisplayName("VMMCALL is an exit, from user mode too; VMCALL is the other vendor's: #UD")
    void hypercalls() {
        run(0x0f, 0x01, 0xd9);
        assertEquals(Interpreter.STRANGE, out.i32(Layout.TRAP));
        run(0x0f, 0x01, 0xc1);
        assertEquals(Bits.UD, out.i32(Layout.TRAP));
    }
}
