package org.alcazar.engines.x86.state;

import org.alcazar.engines.x86.api.X86;

/**
 * The state components of XSAVE (APM volume 2, 11.5): where each lies in the standard format, how
 * long it is, and where the register group EXTENDED of {@link X86} keeps it. Offsets are those of
 * the vendor's processors, which have no bounds registers; software has to ask CPUID for them.
 */
public final class XState {
    /** Bits of components 0 and 1, whose place is the legacy region. */
    public static final long X87 = 1, SSE = 1 << 1;

    /** Bits of the other components. */
    public static final long YMM = 1 << 2, AVX512 = 7 << 5, PKRU = 1 << 9;

    /** First byte of the header, and of the components behind it. */
    public static final int HEADER = 512, EXTENDED = 576;

    /** One more than the highest component's number. */
    public static final int COUNT = 10;

    private static final int[] OFFSET = {0, 160, 576, 0, 0, 832, 896, 1408, 0, 2432};
    private static final int[] SIZE = {160, 256, 256, 0, 0, 64, 512, 1024, 0, 8};
    private static final int[] INDEX = {
        0, 0, X86.YMM_HIGH0, 0, 0, X86.OPMASK0, X86.ZMM_HIGH0, X86.ZMM16, 0, X86.PKRU
    };

    private XState() {}

    /** Bytes of a component; 0 if there is none of this number. */
    public static int size(int component) {
        return SIZE[component];
    }

    /** Its first byte in the standard format. */
    public static int offset(int component) {
        return OFFSET[component];
    }

    /** Its first long in {@link Cpu#extended}. Components 2 and up lie there as in memory. */
    public static int index(int component) {
        return INDEX[component];
    }

    /** Bytes of an area of the standard format with these components. */
    public static int standardSize(long components) {
        long above = components >>> 2 << 2;
        if (above == 0) {
            return EXTENDED;
        }
        int highest = 63 - Long.numberOfLeadingZeros(above);
        return OFFSET[highest] + SIZE[highest];
    }

    /** Bytes of an area of the compacted format with these components. None is aligned. */
    public static int compactSize(long components) {
        int bytes = EXTENDED;
        for (int i = 2; i < COUNT; i++) {
            bytes += (components >>> i & 1) != 0 ? SIZE[i] : 0;
        }
        return bytes;
    }
}
