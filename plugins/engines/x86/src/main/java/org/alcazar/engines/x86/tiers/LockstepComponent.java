package org.alcazar.engines.x86.tiers;

import org.alcazar.engines.x86.interpreter.EngineKeys;
import org.alcazar.machine.EngineProvider;
import org.alcazar.vmm.plugin.AlcazarType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.Key;
import org.alcazar.vmm.plugin.Schema;
import org.osgi.service.component.annotations.Component;

/** Registers the engine {@code lockstep}. */
@Component(service = {EngineType.class, EngineProvider.class})
@AlcazarType("lockstep")
public final class LockstepComponent extends X86LockstepProvider implements EngineType {
    @Override
    public String description() {
        return "x86-64 translator that stops where the interpreter comes to another result";
    }

    @Override
    public Schema configuration() {
        return Schema.of(
                EngineKeys.cpuModel(),
                EngineKeys.seed(),
                TranslatorComponent.threshold(),
                TranslatorComponent.listing(),
                Key.integer(
                        EVERY,
                        1,
                        Integer.MAX_VALUE,
                        1,
                        "runs of translated code to one that is verified"));
    }
}
