package org.alcazar.engines.x86.state;

import org.alcazar.engines.x86.api.Bits;
import org.alcazar.engines.x86.api.X86;

import java.util.Arrays;

/** State of a core after power-on and after INIT (APM volume 2, 14.1.3). */
public final class Reset {
    private static final int CODE = 0x9b, DATA = 0x93, LDT = 0x82, TSS = 0x8b;
    private static final long BOOT_CORE = 1 << 8;
    private static final long APIC_ENABLED = 1 << 11;
    private static final long APIC_ADDRESS = 0xfee00000L;

    private Reset() {}

    /**
     * RESET.
     *
     * @param identity family, model and stepping as CPUID function 1 gives them; found in EDX
     */
    public static void power(Cpu cpu, int identity) {
        init(cpu, identity);
        cpu.cr0 = Bits.CR0_CD | Bits.CR0_NW | Bits.CR0_ET;
        cpu.xcr0 = 1;
        Arrays.fill(cpu.msr, 0);
        cpu.msr[X86.PAT] = 0x0007040600070406L;
        cpu.msr[X86.APIC_BASE] = APIC_ADDRESS | APIC_ENABLED | (cpu.index == 0 ? BOOT_CORE : 0);
        cpu.msr[X86.MISC_ENABLE] = 1;
        Arrays.fill(cpu.fpSignificand, 0);
        Arrays.fill(cpu.fpExponent, 0);
        Arrays.fill(cpu.xmm, 0);
        // Random numbers are not drawn again after a reset.
        Arrays.fill(cpu.extended, 0, X86.RANDOM, 0);
        cpu.fcw = 0x40;
        cpu.fsw = 0;
        cpu.fpTop = 0;
        cpu.ftw = 0x5555;
        cpu.fop = 0;
        cpu.fip = 0;
        cpu.fdp = 0;
        cpu.mxcsr = 0x1f80;
        cpu.pendingEvent = 0;
    }

    /** INIT: caches, x87, SSE and model-specific registers stay. */
    public static void init(Cpu cpu, int identity) {
        Arrays.fill(cpu.gpr, 0);
        cpu.gpr[X86.RDX] = identity & 0xffffffffL;
        cpu.rip = 0xfff0;
        cpu.setRflags(2);
        for (int s = 0; s < 6; s++) {
            segment(cpu, s, 0, 0, s == X86.CS ? CODE : DATA);
        }
        segment(cpu, X86.CS, 0xf000, 0xffff0000L, CODE);
        segment(cpu, X86.LDTR, 0, 0, LDT);
        segment(cpu, X86.TR, 0, 0, TSS);
        cpu.gdtrBase = 0;
        cpu.gdtrLimit = 0xffff;
        cpu.idtrBase = 0;
        cpu.idtrLimit = 0xffff;
        cpu.cpl = 0;
        cpu.cr0 = cpu.cr0 & (Bits.CR0_CD | Bits.CR0_NW) | Bits.CR0_ET;
        cpu.cr2 = 0;
        cpu.cr3 = 0;
        cpu.cr4 = 0;
        cpu.efer = 0;
        Arrays.fill(cpu.dr, 0);
        cpu.dr[6] = 0xffff0ff0L;
        cpu.dr[7] = 0x400;
        cpu.shadow = 0;
        cpu.nmiBlocked = false;
        cpu.activity = cpu.index == 0 ? X86.ACTIVE : X86.WAIT_FOR_STARTUP;
    }

    /** Start-up message: real mode at the page that {@code vector} names. */
    public static void startUp(Cpu cpu, int vector) {
        segment(cpu, X86.CS, vector << 8, (long) vector << 12, CODE);
        cpu.rip = 0;
        cpu.activity = X86.ACTIVE;
    }

    private static void segment(Cpu cpu, int segment, int selector, long base, int attributes) {
        cpu.selector[segment] = selector;
        cpu.segmentBase[segment] = base;
        cpu.segmentLimit[segment] = 0xffff;
        cpu.segmentAttributes[segment] = attributes;
    }
}
