package org.alcazar.engines.x86.state;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.isa.Feature;
import org.alcazar.engines.x86.isa.OpcodeTable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a processor model announces by CPUID, and the instructions and control bits that follow from
 * it. The features of instructions come from {@link Feature}, all others from the words below:
 * nothing is announced anywhere else. Models are named for the levels of the x86-64 psABI, section
 * 3.1.1.
 */
public final class CpuModel {
    /** EFER.AIBRSE: automatic IBRS. There is no speculation to restrict, so the bit is storage. */
    public static final long EFER_AIBRSE = 1L << 21;

    /** MXCSR.MM: operands of SSE instructions other than moves need no alignment. */
    public static final int MXCSR_MM = 1 << 17;

    private static final int EAX = Feature.EAX,
            EBX = Feature.EBX,
            ECX = Feature.ECX,
            EDX = Feature.EDX;
    private static final int MAX_BASIC = 7;
    private static final int TOPOLOGY = 0xb;
    private static final int XSAVE_LEAF = 0xd;

    /** Cache topology. */
    public static final int CACHES = 0x8000_001d;

    private static final int DATA_CACHE = 1, CODE_CACHE = 2, UNIFIED_CACHE = 3;
    private static final int HYPERVISOR_LEAF = 0x4000_0000;
    private static final int EXTENDED = 0x8000_0000;
    private static final int MAX_EXTENDED = 0x8000_0021;
    private static final int[] NOTHING = new int[4];

    /**
     * Family 19h, model 11h, stepping 1: the first family whose CPUID can say that nothing is
     * speculated.
     */
    public static final int SIGNATURE = 0x00a1_0f11;

    private static final String BRAND = "Alcazar x86-64 Engine Processor";

    /**
     * Announced features that are not instructions.
     *
     * @param leaf CPUID function; of 0Dh it is sub-leaf 1
     * @param register where its bits are
     * @param names by bit, lowest first; a dot for a bit that is not announced
     */
    private record Word(int leaf, int register, String names) {}

    /** What every model has. */
    private static final Word[] SYSTEM = {
        new Word(
                1,
                EDX,
                ". vme de pse tsc msr pae mce cx8 apic . sep mtrr pge mca . pat pse36 . clfsh . . . ."
                        + " fxsr"),
        new Word(1, ECX, ". ".repeat(31) + "hypervisor"),
        new Word(
                0x8000_0001,
                EDX,
                ". . . pse tsc msr pae mce cx8 apic . syscall mtrr pge mca . pat pse36 . . nx . . ."
                        + " fxsr . . . . lm"),
        new Word(0x8000_0007, EDX, ". . . . . . . . invariant_tsc"),
        // FXSAVE and XSAVE always write the error pointers (2). There is no speculation to attack:
        // ssb_no (26) and btc_no (29).
        new Word(0x8000_0008, EBX, ". . xsaveerptr" + " .".repeat(23) + " ssb_no . . btc_no"),
        // LFENCE serializes; null selectors clear the base; automatic IBRS; not open to
        // return-stack overflow.
        new Word(
                0x8000_0021,
                EAX,
                ". . lfence_serializing . . . nscb . autoibrs" + " .".repeat(20) + " srso_no"),
        new Word(0x8000_0021, ECX, ". tsa_sq_no tsa_l1_no"),
    };

    /** What models from x86-64-v2 on have. */
    private static final Word[] SECOND = {new Word(0x8000_0001, ECX, "lahf")};

    /** What only the whole processor has. */
    private static final Word[] RECENT = {
        new Word(6, EAX, ". . arat"),
        new Word(7, EBX, ". tsc_adjust . . . . . smep . erms"),
        new Word(7, ECX, ". . umip" + " .".repeat(13) + " la57"),
        new Word(XSAVE_LEAF, EAX, ". . xgetbv1"),
        new Word(1, ECX, ". ".repeat(17) + "pcid . . . x2apic . . tsc_deadline"),
        new Word(7, EDX, ". . . . fsrm"),
        new Word(0x8000_0001, EDX, ". ".repeat(26) + "page1gb"),
        new Word(
                0x8000_0001,
                ECX,
                ". . . . . . . misalignsse 3dnowprefetch"
                        + " .".repeat(13)
                        + " topoext perfctr_core"),
    };

    private static final Set<Feature> LEVEL_1 =
            EnumSet.of(
                    Feature.BASE,
                    Feature.X87,
                    Feature.CMOV,
                    Feature.MMX,
                    Feature.SSE,
                    Feature.SSE2);

    private static final Set<Feature> LEVEL_2 =
            EnumSet.of(
                    Feature.CX16,
                    Feature.POPCNT,
                    Feature.SSE3,
                    Feature.SSSE3,
                    Feature.SSE41,
                    Feature.SSE42);

    /** The first 64-bit processors. */
    public static final CpuModel X86_64_V1 = new CpuModel("x86-64-v1", LEVEL_1, SYSTEM);

    /** With SSE4.2, POPCNT, CMPXCHG16B. */
    public static final CpuModel X86_64_V2 =
            new CpuModel("x86-64-v2", union(LEVEL_1, LEVEL_2), SYSTEM, SECOND);

    /** All that the engine has. */
    public static final CpuModel MAX =
            new CpuModel("max", Feature.IMPLEMENTED, SYSTEM, SECOND, RECENT);

    /** All models, the smallest first. */
    public static final List<CpuModel> ALL = List.of(X86_64_V1, X86_64_V2, MAX);

    private final String name;
    private final OpcodeTable table;
    private final Map<Long, int[]> leaves = new HashMap<>();
    private final long xcr0;
    private final int physicalBits = 48;

    private CpuModel(String name, Set<Feature> wanted, Word[]... words) {
        this.name = name;
        Set<Feature> features = EnumSet.copyOf(wanted);
        features.retainAll(Feature.IMPLEMENTED);
        table = OpcodeTable.of(features);
        put(0, MAX_BASIC, word("Auth"), word("cAMD"), word("enti"));
        put(1, SIGNATURE, 8 << 8, 0, 0);
        put(HYPERVISOR_LEAF, HYPERVISOR_LEAF, word("Alca"), word("rVMM"), word("zarE"));
        put(EXTENDED, MAX_EXTENDED, word("Auth"), word("cAMD"), word("enti"));
        put(EXTENDED + 1, SIGNATURE, 0, 0, 0);
        brand();
        // 32 KiB of data with 8 ways and 64 KiB of code with 4, 512 KiB and 8 MiB behind, lines of
        // 64 bytes.
        put(EXTENDED + 5, 0, 0, 0x2008_0140, 0x4004_0140);
        put(EXTENDED + 6, 0, 0, 0x0200_6140, 0x0040_8140);
        put(EXTENDED + 8, physicalBits | 48 << 8, 0, 0, 0);
        caches();
        for (Word word : Arrays.stream(words).flatMap(Arrays::stream).toList()) {
            String[] names = word.names.split(" ");
            for (int bit = 0; bit < names.length; bit++) {
                if (!names[bit].equals(".")) {
                    set(word.leaf, word.register, bit);
                }
            }
        }
        for (Feature feature : features) {
            if (feature.leaf() != -1) {
                set(feature.leaf(), feature.register(), feature.bit());
            }
        }
        // AMD repeats the old features of leaf 1 in the extended leaf.
        leaf(EXTENDED + 1, 0)[EDX] |= leaf(1, 0)[EDX] & 0x0183_f3ff;
        int linearBits = has(7, ECX, 16) ? 57 : 48;
        leaf(EXTENDED + 8, 0)[EAX] = physicalBits | linearBits << 8;
        if (features.contains(Feature.MONITOR)) {
            // Lines of 64 bytes; ECX says that it says so, and that masked interrupts can end
            // MWAIT.
            put(5, 64, 64, 3, 0);
        }
        xcr0 = XState.X87 | XState.SSE | bit(7, ECX, 3, XState.PKRU);
        if (features.contains(Feature.XSAVE)) {
            leaf(0, 0)[EAX] = XSAVE_LEAF;
            // One thread a core; counts and identifiers are the instruction's to fill in.
            put(TOPOLOGY, 0, 1, 1 << 8, 0);
            leaves.put(key(TOPOLOGY, 1), new int[] {0, 2 << 8 | 1, 0, 0});
            xstate();
        }
    }

    /** The same as functions 5 and 6 of the extended leaves say, in the form of 1Dh. */
    private void caches() {
        cache(0, DATA_CACHE, 1, 8, 64);
        cache(1, CODE_CACHE, 1, 4, 256);
        cache(2, UNIFIED_CACHE, 2, 8, 1024);
        cache(3, UNIFIED_CACHE, 3, 16, 8192);
    }

    private void cache(int subLeaf, int type, int level, int ways, int sets) {
        int selfInitializing = 1 << 8;
        int[] words = {type | level << 5 | selfInitializing, sets - 1, 0, ways - 1 << 22 | 63};
        leaves.put(key(CACHES, subLeaf), words);
    }

    /** Leaf 0Dh; sizes of what is switched on are for the instruction to fill in. */
    private void xstate() {
        put(XSAVE_LEAF, (int) xcr0, 0, XState.standardSize(xcr0), (int) (xcr0 >>> 32));
        for (int i = 2; i < XState.COUNT; i++) {
            if ((xcr0 >>> i & 1) != 0) {
                leaves.put(key(XSAVE_LEAF, i), new int[] {XState.size(i), 0, 0, XState.offset(i)});
            }
        }
    }

    private static Set<Feature> union(Set<Feature> a, Set<Feature> b) {
        Set<Feature> all = EnumSet.copyOf(a);
        all.addAll(b);
        return all;
    }

    /** The model of this name, if there is one. */
    public static Optional<CpuModel> named(String name) {
        return ALL.stream().filter(model -> model.name.equals(name)).findFirst();
    }

    /** Such as {@code x86-64-v2}. */
    public String name() {
        return name;
    }

    /** The instructions it has; others raise #UD. */
    public OpcodeTable table() {
        return table;
    }

    /** Whether AMD's own leaves of topology are there: caches and identifiers of cores. */
    public boolean topology() {
        return has(EXTENDED + 1, ECX, 22);
    }

    /** Whether its local APIC has x2APIC mode (APM volume 2, 16.9). */
    public boolean x2apic() {
        return has(1, ECX, 21);
    }

    /** Whether its local APIC's timer takes a deadline in ticks of the time-stamp counter. */
    public boolean deadlineTimer() {
        return has(1, ECX, 24);
    }

    /** Whether it has the instructions of a feature. */
    public boolean has(Feature feature) {
        return table.features().contains(feature);
    }

    /** EAX, ECX, EDX and EBX, in the order of their numbers. Not to be changed. */
    public int[] leaf(int leaf, int subLeaf) {
        boolean indexed = leaf == 7 || leaf == XSAVE_LEAF || leaf == TOPOLOGY || leaf == CACHES;
        int[] found = leaves.get(key(leaf, indexed ? subLeaf : 0));
        if (found != null) {
            return found;
        }
        // AMD: functions beyond the highest one are all zero.
        return NOTHING;
    }

    /** Whether a bit is announced; that of leaf 0Dh in its sub-leaf 1, all others in the first. */
    public boolean has(int leaf, int register, int bit) {
        return (leaf(leaf, leaf == XSAVE_LEAF ? 1 : 0)[register] >>> bit & 1) != 0;
    }

    public int physicalBits() {
        return physicalBits;
    }

    /** Components of XSAVE that software may switch on in XCR0. */
    public long xcr0Bits() {
        return xcr0;
    }

    /** Components of XSAVES that software may switch on in IA32_XSS: there are none yet. */
    public long xssBits() {
        return 0;
    }

    /** Bits of MXCSR that exist: misaligned mode (17) is a feature. */
    public int mxcsrBits() {
        return 0xffff | (int) bit(EXTENDED + 1, ECX, 7, MXCSR_MM);
    }

    /** Bits that software may set in CR4. */
    public long cr4Bits() {
        return Bits.CR4_TSD
                | Bits.CR4_PCE
                | Bits.CR4_PSE
                | Bits.CR4_PAE
                | Bits.CR4_MCE
                | Bits.CR4_PGE
                | Bits.CR4_OSFXSR
                | Bits.CR4_OSXMMEXCPT
                | bit(1, EDX, 2, Bits.CR4_DE)
                | bit(1, EDX, 1, Bits.CR4_VME | Bits.CR4_PVI)
                | bit(1, ECX, 17, Bits.CR4_PCIDE)
                | bit(1, ECX, 26, Bits.CR4_OSXSAVE)
                | bit(7, EBX, 0, Bits.CR4_FSGSBASE)
                | bit(7, EBX, 7, Bits.CR4_SMEP)
                | bit(7, EBX, 20, Bits.CR4_SMAP)
                | bit(7, ECX, 2, Bits.CR4_UMIP)
                | bit(7, ECX, 3, Bits.CR4_PKE)
                | bit(7, ECX, 16, Bits.CR4_LA57);
    }

    /** Bits that software may set in EFER. */
    public long eferBits() {
        return Bits.EFER_SCE
                | Bits.EFER_LME
                | Bits.EFER_LMA
                | bit(EXTENDED + 1, EDX, 20, Bits.EFER_NXE)
                | bit(EXTENDED + 0x21, EAX, 8, EFER_AIBRSE);
    }

    private long bit(int leaf, int register, int bit, long mask) {
        return has(leaf, register, bit) ? mask : 0;
    }

    private void brand() {
        byte[] text = new byte[48];
        byte[] name = BRAND.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(name, 0, text, 0, name.length);
        ByteBuffer words = ByteBuffer.wrap(text).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 2; i <= 4; i++) {
            int a = words.getInt();
            int b = words.getInt();
            int c = words.getInt();
            int d = words.getInt();
            put(EXTENDED + i, a, b, c, d);
        }
    }

    private void put(int leaf, int eax, int ebx, int ecx, int edx) {
        leaves.put(key(leaf, 0), new int[] {eax, ecx, edx, ebx});
    }

    private void set(int leaf, int register, int bit) {
        int subLeaf = leaf == XSAVE_LEAF ? 1 : 0;
        leaves.computeIfAbsent(key(leaf, subLeaf), n -> new int[4])[register] |= 1 << bit;
    }

    private static long key(int leaf, int subLeaf) {
        return (long) subLeaf << 32 | leaf & 0xffff_ffffL;
    }

    private static int word(String four) {
        return ByteBuffer.wrap(four.getBytes(StandardCharsets.US_ASCII))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getInt();
    }
}
