package org.alcazar.engines.x86.api;

import org.alcazar.machine.Architecture;
import org.alcazar.machine.RegisterField;
import org.alcazar.machine.RegisterGroup;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The x86-64 register groups and the indices of registers in the control block's arrays.
 *
 * <p>Segment attributes have the VMCB's form (APM volume 2, 15.5.1): bits 0-3 type, 4 S, 5-6 DPL, 7
 * P, 8 AVL, 9 L, 10 D/B, 11 G.
 */
public final class X86 {
    /** Ids of groups, for {@code ControlBlock.group}: this one has RIP and RFLAGS too. */
    public static final int GENERAL = 0;

    /** Segment registers with their hidden parts, GDTR, IDTR. */
    public static final int SEGMENTS = 1;

    /** Control and debug registers, EFER, XCR0. */
    public static final int CONTROL = 2;

    /** Model-specific registers that are saved. */
    public static final int MSRS = 3;

    /** The x87 unit and MXCSR. */
    public static final int FPU = 4;

    /** XMM0 to XMM15: two longs each, the low one first, at twice the number. */
    public static final int VECTOR = 5;

    /** What is under way between two instructions. */
    public static final int EVENTS = 6;

    /** What XSAVE manages beyond x87 and SSE, and what else belongs to a core. */
    public static final int EXTENDED = 7;

    /**
     * Indices in {@link #GENERAL}; 0 to 15 are the general registers by their number in encodings.
     */
    public static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;

    /** Offset within CS, not a linear address. */
    public static final int RIP = 16;

    /** All 64 bits (APM volume 2, 3.1.6). */
    public static final int RFLAGS = 17;

    /** Segment numbers as in encodings. */
    public static final int ES = 0, CS = 1, SS = 2, DS = 3, FS = 4, GS = 5, LDTR = 6, TR = 7;

    /** In {@link #SEGMENTS}: segment n's registers start at 4 * n, in this order. */
    public static final int SELECTOR = 0, BASE = 1, LIMIT = 2, ATTRIBUTES = 3;

    /** In {@link #SEGMENTS}, behind the segments: bases are linear, limits in bytes less one. */
    public static final int GDTR_BASE = 32, GDTR_LIMIT = 33, IDTR_BASE = 34, IDTR_LIMIT = 35;

    /** Indices in {@link #CONTROL} (APM volume 2, 3.1). */
    public static final int CR0 = 0, CR2 = 1, CR3 = 2, CR4 = 3, CR8 = 4, EFER = 5, XCR0 = 6;

    /** DR0 to DR3 are at this index and the next three (APM volume 2, 13.1.1). */
    public static final int DR0 = 7;

    /** Status of breakpoints (APM volume 2, 13.1.1.3). */
    public static final int DR6 = 11;

    /** Control of breakpoints (APM volume 2, 13.1.1.4). */
    public static final int DR7 = 12;

    /**
     * Indices in {@link #MSRS}, in no relation to the numbers that RDMSR takes (APM volume 2,
     * appendix A). From MTRR_PHYS_BASE0 on there are 8 pairs of base and mask, from MTRR_FIXED0 on
     * 11 registers.
     */
    public static final int STAR = 0,
            LSTAR = 1,
            CSTAR = 2,
            SFMASK = 3,
            KERNEL_GS_BASE = 4,
            SYSENTER_CS = 5,
            SYSENTER_ESP = 6,
            SYSENTER_EIP = 7,
            PAT = 8,
            TSC_AUX = 9,
            APIC_BASE = 10,
            MISC_ENABLE = 11,
            TSC_OFFSET = 12,
            MTRR_DEF_TYPE = 13,
            MTRR_PHYS_BASE0 = 14,
            MTRR_FIXED0 = 30,
            MCG_STATUS = 41;

    /**
     * {@link #MSRS}, continued: control of branch recording and what it recorded (APM volume 2,
     * 13.1.1).
     */
    public static final int DEBUG_CTL = 42,
            LAST_BRANCH_FROM = 43,
            LAST_BRANCH_TO = 44,
            LAST_INT_FROM = 45,
            LAST_INT_TO = 46;

    /** {@link #MSRS}, continued: six event selects, then six counters (APM volume 2, 13.2.1). */
    public static final int PERF_CTL0 = 47, PERF_CTR0 = 53;

    /**
     * {@link #MSRS}, continued (APM volume 2, 3.2 and 7.9): from IORR_BASE0 on there are 2 pairs of
     * base and mask.
     */
    public static final int SYSCFG = 59, HWCR = 60, TOP_MEM = 61, TOP_MEM2 = 62, IORR_BASE0 = 63;

    /**
     * {@link #MSRS}, continued: machine check (APM volume 2, 9.3). From MC0_CTL on control, status,
     * address and miscellaneous of each of {@link #MC_BANKS} banks, from MC_CTL_MASK0 on a mask for
     * each.
     */
    public static final int MCG_CTL = 67, MC0_CTL = 68, MC_CTL_MASK0 = 92, MC_BANKS = 6;

    /**
     * Indices in {@link #FPU}: control, status, full tag word (2 bits each), opcode, pointers,
     * MXCSR.
     */
    public static final int FCW = 0, FSW = 1, FTW = 2, FOP = 3, FIP = 4, FDP = 5, MXCSR = 6;

    /** Significand and sign-and-exponent of physical register n at FPR0 + 2 * n and the next. */
    public static final int FPR0 = 7;

    /**
     * Indices in {@link #EVENTS}: pending event to deliver at the next entry (0 none, else 1 +
     * vector, bit 16 error code valid, bits 32-63 the error code, bits 8-10 type as in the VMCB's
     * EVENTINJ), interrupt shadow (0 none, 1 STI, 2 MOV SS), NMI blocked, activity state.
     */
    public static final int PENDING_EVENT = 0, SHADOW = 1, NMI_BLOCKED = 2, ACTIVITY = 3;

    /** Values of {@link #ACTIVITY}. */
    public static final int ACTIVE = 0, HALTED = 1, SHUT_DOWN = 2, WAIT_FOR_STARTUP = 3;

    /** Another value of {@link #ACTIVITY}: in MWAIT; loaded from outside, it means ACTIVE. */
    public static final int MONITORING = 4;

    /**
     * Indices in {@link #EXTENDED}, in the order of XSAVE's components: bits 128 to 255 of YMM0 to
     * YMM15 (2 longs each), bits 256 to 511 of ZMM0 to ZMM15 (4 longs), ZMM16 to ZMM31 whole (8
     * longs), K0 to K7.
     */
    public static final int YMM_HIGH0 = 0, ZMM_HIGH0 = 32, ZMM16 = 96, OPMASK0 = 224;

    /**
     * Indices in {@link #EXTENDED}, continued: protection keys' rights, IA32_XSS, and where the
     * random numbers of this core have got to.
     */
    public static final int PKRU = 232, XSS = 233, RANDOM = 234;

    /** Named {@code x86}, little-endian, guest-physical addresses of 48 bits, the groups above. */
    public static final Architecture ARCHITECTURE =
            new Architecture(
                    "x86",
                    ByteOrder.LITTLE_ENDIAN,
                    48,
                    List.of(
                            RegisterGroup.of(
                                    GENERAL, "general", "rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                    "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                                    "r15", "rip", "rflags"),
                            segments(),
                            RegisterGroup.of(
                                    CONTROL, "control", "cr0", "cr2", "cr3", "cr4", "cr8", "efer",
                                    "xcr0", "dr0", "dr1", "dr2", "dr3", "dr6", "dr7"),
                            msrs(),
                            fpu(),
                            vector(),
                            RegisterGroup.of(
                                    EVENTS,
                                    "events",
                                    "pending-event",
                                    "interrupt-shadow",
                                    "nmi-blocked",
                                    "activity"),
                            extended()));

    private X86() {}

    private static RegisterGroup segments() {
        List<String> names = new ArrayList<>();
        for (String s : List.of("es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr")) {
            for (String part : List.of("selector", "base", "limit", "attributes")) {
                names.add(s + "." + part);
            }
        }
        names.addAll(List.of("gdtr.base", "gdtr.limit", "idtr.base", "idtr.limit"));
        return RegisterGroup.of(SEGMENTS, "segments", names.toArray(String[]::new));
    }

    private static RegisterGroup msrs() {
        List<String> names =
                new ArrayList<>(
                        List.of(
                                "star",
                                "lstar",
                                "cstar",
                                "sfmask",
                                "kernel-gs-base",
                                "sysenter-cs",
                                "sysenter-esp",
                                "sysenter-eip",
                                "pat",
                                "tsc-aux",
                                "apic-base",
                                "misc-enable",
                                "tsc-offset",
                                "mtrr-def-type"));
        for (int i = 0; i < 8; i++) {
            names.add("mtrr-phys-base" + i);
            names.add("mtrr-phys-mask" + i);
        }
        for (int i = 0; i < 11; i++) {
            names.add("mtrr-fixed" + i);
        }
        names.add("mcg-status");
        names.addAll(
                List.of(
                        "debug-ctl",
                        "last-branch-from",
                        "last-branch-to",
                        "last-int-from",
                        "last-int-to"));
        addNumbered(names, "perf-ctl", 6);
        addNumbered(names, "perf-ctr", 6);
        names.addAll(List.of("syscfg", "hwcr", "top-mem", "top-mem2"));
        names.addAll(List.of("iorr-base0", "iorr-mask0", "iorr-base1", "iorr-mask1", "mcg-ctl"));
        for (int i = 0; i < MC_BANKS; i++) {
            for (String part : List.of("ctl", "status", "addr", "misc")) {
                names.add("mc" + i + "-" + part);
            }
        }
        addNumbered(names, "mc-ctl-mask", MC_BANKS);
        return RegisterGroup.of(MSRS, "msrs", names.toArray(String[]::new));
    }

    private static void addNumbered(List<String> names, String name, int count) {
        for (int i = 0; i < count; i++) {
            names.add(name + i);
        }
    }

    private static RegisterGroup fpu() {
        List<String> names =
                new ArrayList<>(List.of("fcw", "fsw", "ftw", "fop", "fip", "fdp", "mxcsr"));
        for (int i = 0; i < 8; i++) {
            names.add("fpr" + i + ".significand");
            names.add("fpr" + i + ".exponent");
        }
        return RegisterGroup.of(FPU, "fpu", names.toArray(String[]::new));
    }

    private static RegisterGroup vector() {
        List<RegisterField> fields = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            fields.add(new RegisterField("xmm" + i, 2 * i, 128));
        }
        return new RegisterGroup(VECTOR, "vector", fields);
    }

    private static RegisterGroup extended() {
        List<RegisterField> fields = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            fields.add(new RegisterField("ymm" + i + ".high", YMM_HIGH0 + 2 * i, 128));
        }
        for (int i = 0; i < 16; i++) {
            fields.add(new RegisterField("zmm" + i + ".high", ZMM_HIGH0 + 4 * i, 256));
        }
        for (int i = 0; i < 16; i++) {
            fields.add(new RegisterField("zmm" + (16 + i), ZMM16 + 8 * i, 512));
        }
        for (int i = 0; i < 8; i++) {
            fields.add(new RegisterField("k" + i, OPMASK0 + i, 64));
        }
        fields.add(new RegisterField("pkru", PKRU, 64));
        fields.add(new RegisterField("xss", XSS, 64));
        fields.add(new RegisterField("random", RANDOM, 64));
        return new RegisterGroup(EXTENDED, "extended", fields);
    }
}
