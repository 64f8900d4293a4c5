package org.alcazar.engines.x86;

import org.alcazar.engines.x86.interpreter.X86InterpreterProvider;
import org.alcazar.engines.x86.tiers.X86LockstepProvider;
import org.alcazar.engines.x86.tiers.X86TranslatorProvider;
import org.alcazar.machine.Engine;
import org.alcazar.machine.EngineProvider;
import org.alcazar.machine.PhysicalBus;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.util.HashMap;
import java.util.Map;

/**
 * The engine that tests run on: the interpreter, unless the class is extended with {@link
 * Translated} or {@link InLockstep}, or the system property {@code alcazar.engine} says {@code
 * translator} or {@code lockstep}. These translate everything before it runs, unless {@code
 * alcazar.translate-after} says otherwise.
 */
public final class TestEngines {
    private static final String DEFAULT = System.getProperty("alcazar.engine", "interpreter");

    /** One for all tests, so that node classes are made once. */
    private static final X86InterpreterProvider INTERPRETER = new X86InterpreterProvider();

    private static final EngineProvider TRANSLATOR = new ForcedTranslator();
    private static final EngineProvider LOCKSTEP = new ForcedLockstep();

    private static String name = DEFAULT;

    private TestEngines() {}

    /** Has a class's tests run on the translator. */
    public static final class Translated extends Selection {
        public Translated() {
            super("translator");
        }
    }

    /** Has a class's tests run on both engines, with everything verified. */
    public static final class InLockstep extends Selection {
        public InLockstep() {
            super("lockstep");
        }
    }

    /** Chooses an engine for a class. */
    abstract static class Selection implements BeforeAllCallback, AfterAllCallback {
        private final String engine;

        Selection(String engine) {
            this.engine = engine;
        }

        @Override
        public void beforeAll(ExtensionContext context) {
            name = engine;
        }

        @Override
        public void afterAll(ExtensionContext context) {
            name = DEFAULT;
        }
    }

    public static boolean translates() {
        return !name.equals("interpreter");
    }

    public static EngineProvider provider() {
        return name.equals("lockstep") ? LOCKSTEP : provider(translates());
    }

    public static EngineProvider provider(boolean translated) {
        return translated ? TRANSLATOR : INTERPRETER;
    }

    public static Engine create(PhysicalBus bus, Map<String, String> options) {
        return provider().create(bus, options);
    }

    private static Map<String, String> forced(Map<String, String> options) {
        Map<String, String> all = new HashMap<>(options);
        all.putIfAbsent("translate-after", System.getProperty("alcazar.translate-after", "1"));
        return all;
    }

    private static final class ForcedTranslator extends X86TranslatorProvider {
        @Override
        public Engine create(PhysicalBus bus, Map<String, String> options) {
            return super.create(bus, forced(options));
        }
    }

    private static final class ForcedLockstep extends X86LockstepProvider {
        @Override
        public Engine create(PhysicalBus bus, Map<String, String> options) {
            return super.create(bus, forced(options));
        }
    }
}
