package org.alcazar.vmm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.ExitFrame;
import org.alcazar.vmm.PagingAction;
import org.alcazar.vmm.PagingObserver;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

class PagingObserverTest {
    private static final class Recorder implements ExtensionType {
        final List<String> heard = new CopyOnWriteArrayList<>();

        @Override
        public String name() {
            return "recorder";
        }

        @Override
        public String description() {
            return "for tests";
        }

        @Override
        public Extension create(ExtensionContext context, Settings settings) {
            context.observePaging(
                    new PagingObserver() {
                        @Override
                        public void before(PagingAction a, int core, long address, long detail) {
                            note("before", a, core, address, detail);
                        }

                        @Override
                        public void after(PagingAction a, int core, long address, long detail) {
                            note("after", a, core, address, detail);
                        }
                    });
            return new Extension() {
                @Override
                public org.alcazar.machine.SavedState save() {
                    return new org.alcazar.machine.SavedState("recorder", 1);
                }

                @Override
                public void restore(org.alcazar.machine.SavedState state) {
                    state.require("recorder", 1);
                }
            };
        }

        private void note(String when, PagingAction action, int core, long address, long detail) {
            heard.add("%s %s %d %x %d".formatted(when, action, core, address, detail));
        }
    }

    @Test
    void anExtensionHearsOfMissesAndOfAnotherMode() throws Exception {
        Toy.Op[] program = {new Toy.Add(1), new Toy.Write(0, 0x1000, 4), new Toy.Jump(0)};
        Recorder recorder = new Recorder();
        try (Bench bench = new Bench(program).with("extensions", List.of(recorder()))) {
            bench.types.add(ExtensionType.class, recorder, 1);
            Vm vm = bench.start();
            Bench.until(() -> recorder.heard.size() >= 2);
            assertTrue(
                    recorder.heard.get(0).startsWith("before TRANSLATION 0 "),
                    recorder.heard::toString);
            assertTrue(
                    recorder.heard.get(1).startsWith("after TRANSLATION 0 "),
                    recorder.heard::toString);
            assertTrue(
                    recorder.heard.get(1).endsWith(" " + ExitFrame.RETRY),
                    recorder.heard::toString);
            int before = recorder.heard.size();
            new Management(bench.vmm, bench.types).paging(vm.id(), "flat", Map.of());
            List<String> since = List.copyOf(recorder.heard).subList(before, before + 2);
            assertEquals("before SWITCH -1 0 0", since.get(0));
            assertEquals("after SWITCH -1 0 0", since.get(1));
        }
    }

    private static Map<String, Object> recorder() {
        return Map.of("type", "recorder");
    }
}
