package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.isa.Row;

import java.util.ArrayList;
import java.util.List;

/**
 * Where rows are tested that the oracle leaves out, or of which user mode sees only the fault.
 *
 * @param mnemonics a regular expression
 * @param guest a source in {@code guests/micro} without its suffix, or empty
 * @param test a test class, or empty
 * @param word what the source has to mention
 */
record Elsewhere(String mnemonics, String guest, String test, String word) {
    static final List<Elsewhere> ALL =
            List.of(
                    guest("syscall|sysret.*", "syscall", "sysret"),
                    guest("sysenter|sysexit", "syscall32", "sysexit"),
                    test("vmmcall|vmcall", "SystemRowsTest", "VMMCALL"),
                    guest("int1", "exceptions", "int1"),
                    test("cpuid", "CpuModelTest", "CPUID"),
                    guest("rdtscp", "msrs", "rdtscp"),
                    test("rdtsc|rdpmc", "PerformanceCounterTest", "rdpmc"),
                    guest("rdrand|rdseed|rdpid", "xstate", "rdrand"),
                    test("sgdt|sidt|smsw", "SystemRowsTest", "SIDT"),
                    guest("sldt|str", "segments", "sldt"),
                    guest("xgetbv|xsetbv", "xstate", "xsetbv"),
                    test("rdpkru|wrpkru", "ExtendedStateTest", "wrpkru"),
                    test("(xsaves|xrstors)(64)?", "ExtendedStateTest", "xsaves"),
                    test("x(save|rstor)[a-z]*(64)?", "NativeXsaveTest", "xsave"),
                    guest("monitor|mwait", "xstate", "mwait"),
                    test("monitorx|mwaitx", "WaitingTest", "monitorx"),
                    test("clzero", "ExtensionTest", "clzero"),
                    guest("swapgs", "longmode", "swapgs"),
                    guest("invlpg|invpcid", "tlb", "invlpg"),
                    guest("invd|wbinvd|wbnoinvd", "vm86", "wbinvd"),
                    test("clac|stac", "AddressSpaceTest", "clac"),
                    guest("clts", "exceptions", "clts"),
                    guest("hlt", "priority", "hlt"),
                    guest("lgdt|lidt|lldt|ltr", "segments", "lldt"),
                    guest("lmsw", "vm86", "lmsw"),
                    guest("rdmsr|wrmsr", "msrs", "wrmsr"),
                    guest("mov", "debugregs", "dr7"));

    private static Elsewhere guest(String mnemonics, String guest, String word) {
        return new Elsewhere(mnemonics, guest, "", word);
    }

    private static Elsewhere test(String mnemonics, String test, String word) {
        return new Elsewhere(mnemonics, "", test, word);
    }

    /** Those that name a row. */
    static List<Elsewhere> of(Row row) {
        List<Elsewhere> all = new ArrayList<>();
        for (Elsewhere e : ALL) {
            if (row.mnemonic().split("/")[0].matches(e.mnemonics)) {
                all.add(e);
            }
        }
        return all;
    }

    String name() {
        return guest.isEmpty() ? "`" + test + "`" : "guest `" + guest + "`";
    }
}
