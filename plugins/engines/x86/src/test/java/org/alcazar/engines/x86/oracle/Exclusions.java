package org.alcazar.engines.x86.oracle;

import org.alcazar.engines.x86.isa.Row;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Rows that the oracle does not run, by a pattern of their semantics or mnemonic, and why. */
final class Exclusions {
    private static final Map<String, String> REASONS = reasons();

    private Exclusions() {}

    private static Map<String, String> reasons() {
        Map<String, String> r = new LinkedHashMap<>();
        r.put("syscall|sysenter|vmmcall|vmcall", "enters the kernel or the hypervisor");
        r.put("cpuid", "tells of the processor at hand");
        r.put("rdtscp?|rdpmc|rdrand|rdseed|rdpid", "never the same twice");
        r.put("sgdt|sidt|sldt|str|smsw", "Linux emulates it where UMIP is on");
        r.put("xgetbv|xsetbv|rdpkru|wrpkru", "the kernel chooses the state components");
        r.put("(x(save|rstor)[a-z]*(64)?)", "the kernel chooses the state components");
        r.put("int1", "hypervisors that intercept it report it at another address");
        r.put("monitorx?|mwaitx?|clzero", "waits, or works on lines of the processor's cache");
        r.put("swapgs|invlpga?|invpcid|wbinvd|invd|wbnoinvd", "supervisor only");
        return r;
    }

    static boolean excludes(Row row) {
        return reason(row).isPresent();
    }

    /** Why the oracle leaves a row out; empty if it does not. */
    static Optional<String> reason(Row row) {
        for (Map.Entry<String, String> e : REASONS.entrySet()) {
            if (row.mnemonic().matches(e.getKey())) {
                return Optional.of(e.getValue());
            }
        }
        return Optional.empty();
    }
}
