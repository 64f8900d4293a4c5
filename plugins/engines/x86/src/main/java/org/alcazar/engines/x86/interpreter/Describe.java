package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.decode.Decoder;
import org.alcazar.engines.x86.decode.Disassembler;
import org.alcazar.engines.x86.decode.Syntax;
import org.alcazar.host.HostRam;
import org.alcazar.machine.Rights;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** A core's state as text for people. */
final class Describe {
    private static final String[] NAMES = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15"
    };

    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};
    private static final int LINES = 8;

    private Describe() {}

    static String core(Core core, long address) {
        StringBuilder out = new StringBuilder();
        registers(core, out);
        code(core, out);
        long linear = linear(core);
        walk(core, linear, out);
        if (address >>> 12 != linear >>> 12) {
            walk(core, address, out);
        }
        return out.toString();
    }

    private static final String[] ACTIVITIES = {
        "active", "halted", "shut down", "waiting for startup", "in mwait"
    };

    private static final long APIC_ENABLED = 1 << 11, APIC_X2APIC = 1 << 10;

    /** Place, privilege, activity and the local APIC's mode in one line. */
    static String summary(Core core) {
        long apic = core.msr[X86.APIC_BASE];
        String mode = (apic & APIC_X2APIC) != 0 ? "x2apic" : "xapic";
        return "rip %04x:%016x, cpl %d, rflags %08x, %s%s, %s"
                .formatted(
                        core.selector[X86.CS],
                        core.rip,
                        core.cpl,
                        core.rflags(),
                        ACTIVITIES[core.activity],
                        core.nmiBlocked ? ", in nmi" : "",
                        (apic & APIC_ENABLED) != 0 ? mode : "apic off");
    }

    private static long linear(Core core) {
        return core.code64() ? core.rip : core.segmentBase[1] + core.rip & 0xffffffffL;
    }

    private static void walk(Core core, long address, StringBuilder out) {
        for (String line : core.mmu.describe(address)) {
            out.append(line).append('\n');
        }
    }

    private static void registers(Core core, StringBuilder out) {
        for (int i = 0; i < 16; i++) {
            out.append("%-3s %016x%s".formatted(NAMES[i], core.gpr[i], i % 4 == 3 ? "\n" : "  "));
        }
        out.append(
                "rip %016x  rflags %08x  cpl %d  retired %d%n"
                        .formatted(core.rip, core.rflags(), core.cpl, core.retired));
        out.append(
                "cr0 %08x  cr2 %016x  cr3 %016x  cr4 %08x  efer %04x%n"
                        .formatted(core.cr0, core.cr2, core.cr3, core.cr4, core.efer));
        for (int s = 0; s < 8; s++) {
            out.append(
                    "%-4s %04x base %016x limit %08x attributes %03x%n"
                            .formatted(
                                    SEGMENTS[s],
                                    core.selector[s],
                                    core.segmentBase[s],
                                    core.segmentLimit[s],
                                    core.segmentAttributes[s]));
        }
        out.append(
                "gdtr %016x/%04x  idtr %016x/%04x%n"
                        .formatted(core.gdtrBase, core.gdtrLimit, core.idtrBase, core.idtrLimit));
    }

    private static void code(Core core, StringBuilder out) {
        long linear = linear(core);
        List<String> lines = code(core, linear, LINES);
        if (lines.isEmpty()) {
            out.append("no code at %016x%n".formatted(linear));
        }
        lines.forEach(line -> out.append(line).append('\n'));
    }

    /** Instructions from a linear address on, at most {@code count}, as far as there is memory. */
    static List<String> code(Core core, long linear, int count) {
        byte[] bytes = new byte[count * Decoder.LONGEST];
        int got = 0;
        while (got < bytes.length) {
            long gpa = core.mmu.translate(linear + got, Rights.READ);
            long hpa = gpa < 0 ? -1 : core.mmu.hostAddress(gpa);
            if (hpa < 0) {
                break;
            }
            bytes[got++] = HostRam.getByte(hpa);
        }
        List<String> out = new ArrayList<>();
        Disassembler text = new Disassembler(Syntax.INTEL);
        long ip = core.rip + linear - linear(core);
        int at = 0;
        while (out.size() < count && at < got) {
            String line = text.text(bytes, at, got - at, 16 << (core.key & 3), ip + at);
            int length = Math.max(1, text.length());
            String hex = HexFormat.of().formatHex(bytes, at, Math.min(got, at + length));
            out.add("%016x  %-30s  %s".formatted(linear + at, hex, line));
            at += length;
        }
        return out;
    }
}
