package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.vmm.plugin.Key;

/** Configuration keys that all engines of this bundle have. */
public final class EngineKeys {
    private EngineKeys() {}

    /** The processor that the guest sees. */
    public static Key cpuModel() {
        return Key.choice(
                X86InterpreterProvider.CPU_MODEL,
                CpuModel.ALL.stream().map(CpuModel::name).toList(),
                CpuModel.MAX.name(),
                "processor that the guest sees");
    }

    /** Where random numbers start. */
    public static Key seed() {
        return Key.integer(
                X86InterpreterProvider.SEED,
                Long.MIN_VALUE,
                Long.MAX_VALUE,
                0,
                "where RDRAND and RDSEED start");
    }
}
