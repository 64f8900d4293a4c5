package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.api.X86;
import org.alcazar.engines.x86.region.Translator;
import org.alcazar.engines.x86.state.CpuModel;
import org.alcazar.machine.Architecture;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.PhysicalBus;
import org.jspecify.annotations.Nullable;

import java.util.Map;

/**
 * Makes interpreters. Node classes are shared by all of its engines, so that later ones start warm.
 */
public class X86InterpreterProvider implements EngineProvider {
    /** Key of the option that names the processor model. */
    static final String CPU_MODEL = "cpu-model";

    /** Key of the option that random numbers start from. */
    static final String SEED = "seed";

    private final Spinner spinner = new Spinner();

    @Override
    public String name() {
        return "interpreter";
    }

    private static CpuModel model(String name) {
        return CpuModel.named(name)
                .orElseThrow(() -> new IllegalArgumentException("no processor model " + name));
    }

    @Override
    public Architecture architecture() {
        return X86.ARCHITECTURE;
    }

    @Override
    public Engine create(PhysicalBus bus, Map<String, String> options) {
        CpuModel model = model(options.getOrDefault(CPU_MODEL, "max"));
        long seed = Long.parseLong(options.getOrDefault(SEED, "0"));
        return new X86Engine(
                bus, spinner, model, seed, translator(model, options), verifyEvery(options));
    }

    /** So many runs of translated code to one that is verified; 0 to verify none. */
    protected int verifyEvery(Map<String, String> options) {
        return 0;
    }

    /** What hot code goes to; null to interpret all. */
    protected @Nullable Translator translator(CpuModel model, Map<String, String> options) {
        return null;
    }
}
