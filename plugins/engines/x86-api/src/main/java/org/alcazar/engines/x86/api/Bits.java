package org.alcazar.engines.x86.api;

/** Bits of x86 control registers, flags and tables; sections are those of APM volume 2. */
public final class Bits {
    /** CR0: protection, caches, paging (3.1.1). */
    public static final long CR0_PE = 1, CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3;

    /** CR0, continued (3.1.1). */
    public static final long CR0_ET = 1 << 4, CR0_NE = 1 << 5, CR0_WP = 1 << 16, CR0_AM = 1 << 18;

    /** CR0, continued (3.1.1). */
    public static final long CR0_NW = 1 << 29, CR0_CD = 1 << 30, CR0_PG = 1L << 31;

    /** CR4: extensions that an operating system turns on (3.1.3). */
    public static final long CR4_VME = 1, CR4_PVI = 1 << 1, CR4_TSD = 1 << 2, CR4_DE = 1 << 3;

    /** CR4, continued (3.1.3). */
    public static final long CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_PGE = 1 << 7;

    /** CR4, continued (3.1.3). */
    public static final long CR4_PCE = 1 << 8, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10;

    /** CR4, continued (3.1.3). */
    public static final long CR4_UMIP = 1 << 11, CR4_LA57 = 1 << 12, CR4_FSGSBASE = 1 << 16;

    /** CR4, continued (3.1.3). */
    public static final long CR4_PCIDE = 1 << 17, CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20;

    /** CR4, continued (3.1.3). */
    public static final long CR4_SMAP = 1 << 21, CR4_PKE = 1 << 22;

    /** EFER: SYSCALL, long mode, no-execute (3.1.7). */
    public static final long EFER_SCE = 1,
            EFER_LME = 1 << 8,
            EFER_LMA = 1 << 10,
            EFER_NXE = 1 << 11;

    /** EFER, continued (3.1.7). */
    public static final long EFER_SVME = 1 << 12, EFER_LMSLE = 1 << 13, EFER_FFXSR = 1 << 14;

    /** RFLAGS (3.1.6); IOPL is a mask of two bits. */
    public static final int CF = 1, PF = 1 << 2, AF = 1 << 4, ZF = 1 << 6, SF = 1 << 7, TF = 1 << 8;

    /** RFLAGS, continued (3.1.6). */
    public static final int IF = 1 << 9, DF = 1 << 10, OF = 1 << 11, IOPL = 3 << 12, NT = 1 << 14;

    /** RFLAGS, continued (3.1.6). */
    public static final int RF = 1 << 16, VM = 1 << 17, AC = 1 << 18, VIF = 1 << 19, VIP = 1 << 20;

    /** RFLAGS, continued (3.1.6): CPUID is there if this bit can be changed. */
    public static final int ID = 1 << 21;

    /** The six status flags. */
    public static final int STATUS = CF | PF | AF | ZF | SF | OF;

    /** Entries of page tables (5.4); PS only above the lowest level. */
    public static final long PTE_P = 1, PTE_RW = 1 << 1, PTE_US = 1 << 2, PTE_PWT = 1 << 3;

    /** Entries of page tables, continued (5.4). */
    public static final long PTE_PCD = 1 << 4, PTE_A = 1 << 5, PTE_D = 1 << 6, PTE_PS = 1 << 7;

    /** Entries of page tables, continued (5.4). */
    public static final long PTE_G = 1 << 8, PTE_NX = 1L << 63;

    /**
     * In an entry of a page of shadow tables, where the architecture leaves the bit to software:
     * the guest's page there is not larger than this one. An INVLPG in a page without this bit,
     * which may be a piece of the guest's large page, has the core forget all it knows; so leaving
     * it out costs time only.
     */
    public static final long PTE_WHOLE = 1 << 11;

    /** Error code of a page fault (8.4.2): present, write, user, reserved bit, fetch. */
    public static final int PFEC_P = 1,
            PFEC_W = 1 << 1,
            PFEC_U = 1 << 2,
            PFEC_R = 1 << 3,
            PFEC_I = 1 << 4;

    /** Error code of a page fault, continued (8.4.2): refused by a protection key. */
    public static final int PFEC_PK = 1 << 5;

    /**
     * Vectors of exceptions (8.2). OFV, DF_, PFV and ACV are #OF, #DF, #PF and #AC, whose names are
     * those of flags here.
     */
    public static final int DE = 0,
            DB = 1,
            NMI = 2,
            BP = 3,
            OFV = 4,
            BR = 5,
            UD = 6,
            NM = 7,
            DF_ = 8;

    /** Vectors of exceptions, continued (8.2). */
    public static final int TS = 10,
            NP = 11,
            SS = 12,
            GP = 13,
            PFV = 14,
            MF = 16,
            ACV = 17,
            MC = 18;

    /** Vector of SIMD floating-point exceptions (8.2), #XM in Intel's books. */
    public static final int XF = 19;

    private Bits() {}
}
