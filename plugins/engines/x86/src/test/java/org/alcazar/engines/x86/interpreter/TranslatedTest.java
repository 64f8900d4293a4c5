package org.alcazar.engines.x86.interpreter;

import org.alcazar.engines.x86.TestEngines;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.ExtendWith;

/** The interpreter's tests of the whole engine with all code translated before it runs. */
@ExtendWith(TestEngines.Translated.class)
class TranslatedTest {
    @Nested
    class Tck extends X86EngineTckTest {}

    @Nested
    class Behaviour extends EngineBehaviourTest {}

    @Nested
    class Debug extends DebugTest {}

    @Nested
    class SeveralCores extends SeveralCoresTest {}

    @Nested
    class CoresOrders extends OrdersTest {}

    @Nested
    class Counters extends PerformanceCounterTest {}

    @Nested
    class Pauses extends PauseFilterTest {}

    @Nested
    class FloatErrors extends FloatErrorTest {}

    @Nested
    class Shadowed extends ShadowTest {}

    @Nested
    class Bmi extends BmiTest {}
}
