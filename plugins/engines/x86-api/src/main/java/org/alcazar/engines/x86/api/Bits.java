package org.alcazar.engines.x86.api;

/** Bits of x86 control registers, flags and tables (APM volume 2, chapters 3 to 5). */
public final class Bits {
    public static final long CR0_PE = 1, CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3;
    public static final long CR0_ET = 1 << 4, CR0_NE = 1 << 5, CR0_WP = 1 << 16, CR0_AM = 1 << 18;
    public static final long CR0_NW = 1 << 29, CR0_CD = 1 << 30, CR0_PG = 1L << 31;
    public static final long CR4_VME = 1, CR4_PVI = 1 << 1, CR4_TSD = 1 << 2, CR4_DE = 1 << 3;
    public static final long CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_PGE = 1 << 7;
    public static final long CR4_PCE = 1 << 8, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10;
    public static final long CR4_UMIP = 1 << 11, CR4_LA57 = 1 << 12, CR4_FSGSBASE = 1 << 16;
    public static final long CR4_PCIDE = 1 << 17, CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20;
    public static final long CR4_SMAP = 1 << 21, CR4_PKE = 1 << 22;
    public static final long EFER_SCE = 1,
            EFER_LME = 1 << 8,
            EFER_LMA = 1 << 10,
            EFER_NXE = 1 << 11;
    public static final long EFER_SVME = 1 << 12, EFER_LMSLE = 1 << 13, EFER_FFXSR = 1 << 14;
    public static final int CF = 1, PF = 1 << 2, AF = 1 << 4, ZF = 1 << 6, SF = 1 << 7, TF = 1 << 8;
    public static final int IF = 1 << 9, DF = 1 << 10, OF = 1 << 11, IOPL = 3 << 12, NT = 1 << 14;
    public static final int RF = 1 << 16, VM = 1 << 17, AC = 1 << 18, VIF = 1 << 19, VIP = 1 << 20;
    public static final int ID = 1 << 21;

    /** The six status flags. */
    public static final int STATUS = CF | PF | AF | ZF | SF | OF;

    public static final long PTE_P = 1, PTE_RW = 1 << 1, PTE_US = 1 << 2, PTE_PWT = 1 << 3;
    public static final long PTE_PCD = 1 << 4, PTE_A = 1 << 5, PTE_D = 1 << 6, PTE_PS = 1 << 7;
    public static final long PTE_G = 1 << 8, PTE_NX = 1L << 63;

    /** Page-fault error code. */
    public static final int PFEC_P = 1,
            PFEC_W = 1 << 1,
            PFEC_U = 1 << 2,
            PFEC_R = 1 << 3,
            PFEC_I = 1 << 4;

    /** Exceptions. */
    public static final int DE = 0,
            DB = 1,
            NMI = 2,
            BP = 3,
            OFV = 4,
            BR = 5,
            UD = 6,
            NM = 7,
            DF_ = 8;

    public static final int TS = 10,
            NP = 11,
            SS = 12,
            GP = 13,
            PFV = 14,
            MF = 16,
            ACV = 17,
            MC = 18;
    public static final int XF = 19;

    private Bits() {}
}
