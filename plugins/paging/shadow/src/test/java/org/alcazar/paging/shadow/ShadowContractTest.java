package org.alcazar.paging.shadow;

import org.alcazar.testkit.paging.PagingContractTest;
import org.junit.jupiter.api.Nested;

import java.util.Map;

/** What every paging mode has to keep, by strategy. */
class ShadowContractTest {
    abstract static class Contract extends PagingContractTest {
        private final String strategy;

        Contract(String strategy) {
            this.strategy = strategy;
        }

        @Override
        protected String mode() {
            return "shadow";
        }

        @Override
        protected Map<String, String> settings() {
            return Map.of("strategy", strategy);
        }
    }

    @Nested
    class VirtualTlb extends Contract {
        VirtualTlb() {
            super("vtlb");
        }
    }

    @Nested
    class Cache extends Contract {
        Cache() {
            super("cache");
        }
    }

    @Nested
    class Sync extends Contract {
        Sync() {
            super("sync");
        }
    }
}
