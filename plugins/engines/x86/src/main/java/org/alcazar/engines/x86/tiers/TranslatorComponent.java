package org.alcazar.engines.x86.tiers;

import org.alcazar.engines.x86.interpreter.EngineKeys;
import org.alcazar.machine.EngineProvider;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.osgi.service.component.annotations.Component;

/** Registers the engine {@code translator}. */
@Component(service = {EngineType.class, EngineProvider.class})
@AlcazarType("translator")
public final class TranslatorComponent extends X86TranslatorProvider implements EngineType {
    @Override
    public String description() {
        return "x86-64 translator to JVM bytecode, with the interpreter for what is cold";
    }

    @Override
    public Schema configuration() {
        return Schema.of(EngineKeys.cpuModel(), EngineKeys.seed(), threshold(), listing());
    }

    /** When code is translated. */
    static Key threshold() {
        return Key.integer(
                THRESHOLD,
                1,
                Integer.MAX_VALUE,
                DEFAULT_THRESHOLD,
                "executions after which code is translated");
    }

    /** Whether regions are logged. */
    static Key listing() {
        return Key.bool(LIST, false, "log each region: guest code and its bytecode");
    }
}
