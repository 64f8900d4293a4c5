package org.alcazar.engines.x86.isa;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * What a row needs the processor to have. Instructions of a feature that is not enabled raise #UD.
 *
 * <p>Each feature knows the CPUID bit that announces it, so that CPUID can be made from the set of
 * enabled features.
 */
public enum Feature {
    /** Every processor with long mode has it; no CPUID bit of its own. */
    BASE(-1, 0, 0),
    X87(1, Feature.EDX, 0),
    CMOV(1, Feature.EDX, 15),
    MMX(1, Feature.EDX, 23),
    SSE(1, Feature.EDX, 25),
    SSE2(1, Feature.EDX, 26),
    SSE3(1, Feature.ECX, 0),
    PCLMULQDQ(1, Feature.ECX, 1),
    MONITOR(1, Feature.ECX, 3),
    SSSE3(1, Feature.ECX, 9),
    CX16(1, Feature.ECX, 13),
    SSE41(1, Feature.ECX, 19),
    SSE42(1, Feature.ECX, 20),
    MOVBE(1, Feature.ECX, 22),
    POPCNT(1, Feature.ECX, 23),
    AES(1, Feature.ECX, 25),
    XSAVE(1, Feature.ECX, 26),
    AVX(1, Feature.ECX, 28),
    FMA(1, Feature.ECX, 12),
    F16C(1, Feature.ECX, 29),
    RDRAND(1, Feature.ECX, 30),
    FSGSBASE(7, Feature.EBX, 0),
    BMI1(7, Feature.EBX, 3),
    SGX(7, Feature.EBX, 2),
    AVX2(7, Feature.EBX, 5),
    BMI2(7, Feature.EBX, 8),
    INVPCID(7, Feature.EBX, 10),
    RTM(7, Feature.EBX, 11),
    AVX512F(7, Feature.EBX, 16),
    AVX512DQ(7, Feature.EBX, 17),
    AVX512IFMA(7, Feature.EBX, 21),
    AVX512CD(7, Feature.EBX, 28),
    AVX512BW(7, Feature.EBX, 30),
    AVX512VL(7, Feature.EBX, 31),
    AVX512VBMI(7, Feature.ECX, 1),
    AVX512VBMI2(7, Feature.ECX, 6),
    VAES(7, Feature.ECX, 9),
    VPCLMULQDQ(7, Feature.ECX, 10),
    AVX512VNNI(7, Feature.ECX, 11),
    AVX512BITALG(7, Feature.ECX, 12),
    AVX512VPOPCNTDQ(7, Feature.ECX, 14),
    AVX512VP2INTERSECT(7, Feature.EDX, 8),
    AVX512FP16(7, Feature.EDX, 23),
    RDSEED(7, Feature.EBX, 18),
    ADX(7, Feature.EBX, 19),
    SMAP(7, Feature.EBX, 20),
    CLFLUSHOPT(7, Feature.EBX, 23),
    CLWB(7, Feature.EBX, 24),
    SHA(7, Feature.EBX, 29),
    WAITPKG(7, Feature.ECX, 5),
    AMXTILE(7, Feature.EDX, 24),
    PKU(7, Feature.ECX, 3),
    SHSTK(7, Feature.ECX, 7),
    GFNI(7, Feature.ECX, 8),
    RDPID(7, Feature.ECX, 22),
    MOVDIRI(7, Feature.ECX, 27),
    MOVDIR64B(7, Feature.ECX, 28),
    /** CPUID 8000001Fh: memory encryption for guests. */
    SEVES(0x8000001f, Feature.EAX, 3),
    SNP(0x8000001f, Feature.EAX, 4),
    SERIALIZE(7, Feature.EDX, 14),
    /** CPUID leaf 7, subleaf 1. */
    AVXVNNI(0x7_0001, Feature.EAX, 4),
    AVX512BF16(0x7_0001, Feature.EAX, 5),
    AVXIFMA(0x7_0001, Feature.EAX, 23),
    /** CPUID leaf 0Dh, subleaf 1. */
    XSAVEOPT(0xd, Feature.EAX, 0),
    XSAVEC(0xd, Feature.EAX, 1),
    XSAVES(0xd, Feature.EAX, 3),
    SVM(0x80000001, Feature.ECX, 2),
    /** LOCK MOV of CR0 is that of CR8; part of the decoder, not of a row. */
    ALT_MOV_CR8(0x80000001, Feature.ECX, 4),
    LZCNT(0x80000001, Feature.ECX, 5),
    SSE4A(0x80000001, Feature.ECX, 6),
    XOP(0x80000001, Feature.ECX, 11),
    FMA4(0x80000001, Feature.ECX, 16),
    TBM(0x80000001, Feature.ECX, 21),
    MONITORX(0x80000001, Feature.ECX, 29),
    RDTSCP(0x80000001, Feature.EDX, 27),
    CLZERO(0x80000008, Feature.EBX, 0),
    WBNOINVD(0x80000008, Feature.EBX, 9);

    public static final int EAX = 0;
    public static final int ECX = 1;
    public static final int EDX = 2;
    public static final int EBX = 3;

    /** What the engine implements; a processor model announces these or fewer. */
    public static final Set<Feature> IMPLEMENTED =
            Collections.unmodifiableSet(
                    EnumSet.of(
                            BASE,
                            X87,
                            CMOV,
                            MMX,
                            SSE,
                            SSE2,
                            SSE3,
                            SSSE3,
                            SSE41,
                            SSE42,
                            SSE4A,
                            CX16,
                            AES,
                            PCLMULQDQ,
                            SHA,
                            GFNI,
                            ADX,
                            LZCNT,
                            CLFLUSHOPT,
                            CLWB,
                            CLZERO,
                            WBNOINVD,
                            RDPID,
                            POPCNT,
                            MOVBE,
                            RDTSCP,
                            ALT_MOV_CR8,
                            FSGSBASE,
                            BMI1,
                            BMI2,
                            MONITOR,
                            MONITORX,
                            XSAVE,
                            XSAVEOPT,
                            XSAVEC,
                            XSAVES,
                            RDRAND,
                            RDSEED,
                            INVPCID,
                            SMAP,
                            PKU));

    private final int leaf;
    private final int register;
    private final int bit;

    Feature(int leaf, int register, int bit) {
        this.leaf = leaf;
        this.register = register;
        this.bit = bit;
    }

    /** CPUID function of its bit, or -1. */
    public int leaf() {
        return leaf;
    }

    /** Number of the general register that CPUID returns the bit in. */
    public int register() {
        return register;
    }

    /** Bit number in that register. */
    public int bit() {
        return bit;
    }
}
