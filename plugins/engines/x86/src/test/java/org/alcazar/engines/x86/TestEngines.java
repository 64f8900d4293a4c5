package org.alcazar.engines.x86;

import org.alcazar.engines.x86.interpreter.X86InterpreterProvider;
import org.alcazar.engines.x86.tiers.X86TranslatorProvider;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.PhysicalBus;

import java.util.HashMap;
import java.util.Map;

/**
 * The engine that tests run on: the interpreter, or, with the system property {@code
 * alcazar.engine=translator}, the translator, which then translates everything before it runs it
 * unless {@code alcazar.translate-after} says otherwise.
 */
public final class TestEngines {
    private static final String NAME = System.getProperty("alcazar.engine", "interpreter");

    private TestEngines() {}

    public static boolean translates() {
        return NAME.equals("translator");
    }

    public static EngineProvider provider() {
        return translates() ? new Forced() : new X86InterpreterProvider();
    }

    public static Engine create(PhysicalBus bus, Map<String, String> options) {
        return provider().create(bus, options);
    }

    private static final class Forced extends X86TranslatorProvider {
        @Override
        public Engine create(PhysicalBus bus, Map<String, String> options) {
            Map<String, String> all = new HashMap<>(options);
            all.put("translate-after", System.getProperty("alcazar.translate-after", "1"));
            return super.create(bus, all);
        }
    }
}
