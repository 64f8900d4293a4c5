package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.state.Cpu;

/** Placeholder of the contract; replaced by its owner. */
public final class Mmu {
    private final Cpu cpu;

    public Mmu(Cpu cpu) {
        this.cpu = cpu;
    }

    /** Zero-extended. At the current privilege; raises #PF, #GP/#SS (non-canonical), or exits for devices. */
    public int read8(long linear) {
        throw cpu.undefinedOpcode();
    }
}
