package org.alcazar.host.tck.tiny;

import org.alcazar.machine.Architecture;
import org.alcazar.machine.RegisterGroup;

import java.nio.ByteOrder;

/**
 * The architecture {@code tiny}: 32 bits, big-endian, eight registers, instructions of one word:
 * opcode in bits 31-24, register in 23-20, address register in 19-16, a signed immediate in 15-0.
 * Memory and device-control registers are reached by loads and stores; the VMM loads the TLB.
 */
public final class Tiny {
    static final int NOP = 0;
    static final int ADDI = 1;
    static final int ORI = 2;
    static final int LUI = 3;
    static final int LW = 4;
    static final int SW = 5;
    static final int BRANCH = 6;
    static final int MFDCR = 7;
    static final int MTDCR = 8;
    static final int WAIT = 9;
    static final int ENABLE = 10;
    static final int CALL = 11;

    /** Group GENERAL: r0 to r7, pc, enabled. */
    static final int GENERAL = 0;

    static final int PC = 8;
    static final int ENABLED = 9;

    /** Group TLB: for each entry its guest page | 1 if valid, and its host page. */
    static final int TLB = 1;

    static final int TLB_ENTRIES = 8;

    public static final Architecture ARCHITECTURE =
            new Architecture("tiny", ByteOrder.BIG_ENDIAN, 32, java.util.List.of(general(), tlb()));

    private Tiny() {}

    private static RegisterGroup general() {
        return RegisterGroup.of(
                GENERAL, "general", "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "pc",
                "enabled");
    }

    private static RegisterGroup tlb() {
        String[] names = new String[2 * TLB_ENTRIES];
        for (int i = 0; i < TLB_ENTRIES; i++) {
            names[2 * i] = "guest" + i;
            names[2 * i + 1] = "host" + i;
        }
        return RegisterGroup.of(TLB, "tlb", names);
    }

    static int word(int opcode, int register, int address, int immediate) {
        return opcode << 24 | register << 20 | address << 16 | immediate & 0xffff;
    }
}
