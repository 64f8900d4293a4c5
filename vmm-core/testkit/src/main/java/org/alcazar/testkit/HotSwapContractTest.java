package org.alcazar.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.host.HostRefusal;
import org.alcazar.machine.SavedState;
import org.alcazar.vmm.VmState;
import org.alcazar.vmm.management.PartInfo;
import org.alcazar.vmm.management.SwapReport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * What every bundle with parts of a VM has to keep when a new version of it takes over under a
 * running guest. A bundle's own test extends this:
 *
 * <pre>{@code
 * class ScratchHotSwapTest extends HotSwapContractTest {
 *     @Override
 *     protected String bundle() {
 *         return "org.example.scratch";
 *     }
 *
 *     @Override
 *     protected TestVm machine(TestVm vm) {
 *         return vm.device("scratch", Map.of()).assembly("1: in $0x90, %al\n jmp 1b");
 *     }
 * }
 * }</pre>
 */
@AlcazarTest
public abstract class HotSwapContractTest {
    private static final int SWAPS = 5;

    /** Nanoseconds after which a class loader that is still there is taken to be held. */
    private static final long COLLECTED = 60_000_000_000L;

    /** Nanoseconds between two looks. */
    private static final long LOOK = 10_000_000;

    @TempDir private Path folder;

    /** For subclasses. */
    protected HotSwapContractTest() {}

    /** The bundle's symbolic name; it is on the test class path. */
    protected abstract String bundle();

    /** Gives a VM its guest, which uses the bundle and runs for ever, and the bundle's parts. */
    protected abstract TestVm machine(TestVm vm);

    private int version = 1;

    private SwapReport swap(TestFramework framework) throws HostRefusal {
        version++;
        Path jar = framework.repack(bundle(), version + ".0.0", folder);
        return framework.bundles().swap(jar.toString());
    }

    private static Map<String, SavedState> states(TestFramework framework, TestVm vm)
            throws HostRefusal {
        Map<String, SavedState> out = new LinkedHashMap<>();
        for (PartInfo part : framework.management().parts(vm.id())) {
            if (part.kind().equals("device") || part.kind().equals("extension")) {
                out.put(part.name(), framework.management().state(vm.id(), part.name()));
            }
        }
        return out;
    }

    /** Parts and names in their states whose values differ. */
    private static List<String> differences(
            Map<String, SavedState> before, Map<String, SavedState> after) {
        List<String> out = new ArrayList<>();
        assertEquals(before.keySet(), after.keySet(), "parts");
        for (Map.Entry<String, SavedState> part : before.entrySet()) {
            SavedState now = Objects.requireNonNull(after.get(part.getKey()));
            Set<String> names = new TreeSet<>(part.getValue().values().keySet());
            names.addAll(now.values().keySet());
            names.removeIf(name -> alone(part.getValue(), name).equals(alone(now, name)));
            names.forEach(name -> out.add(part.getKey() + ": " + name));
        }
        return out;
    }

    private static SavedState alone(SavedState state, String name) {
        SavedState out = new SavedState(state.type(), state.version());
        Object value = state.values().get(name);
        return value == null ? out : out.putValue(name, value);
    }

    @Test
    void aNewVersionTakesOverWithTheStateOfTheOld(TestFramework framework, TestVm vm)
            throws Exception {
        machine(vm).start();
        long retired = vm.retired();
        vm.awaitProgress(retired);
        vm.pause();
        Map<String, SavedState> before = states(framework, vm);
        SwapReport report = swap(framework);
        assertEquals(List.of(), differences(before, states(framework, vm)), "lost in the exchange");
        assertEquals(1, report.exchanges().size(), "the bundle has no part in the VM");
        long now = framework.bundle(bundle()).getBundleId();
        List<String> parts = report.exchanges().getFirst().parts();
        for (PartInfo part : framework.management().parts(vm.id())) {
            if (parts.contains(part.name())) {
                assertEquals(now, part.bundle(), part.name());
            }
        }
    }

    @Test
    void theGuestGoesOnThroughManyExchanges(TestFramework framework, TestVm vm) throws Exception {
        machine(vm).start();
        for (int i = 0; i < SWAPS; i++) {
            vm.awaitProgress(vm.retired());
            swap(framework);
            assertFalse(vm.hasEnded(), "the VM has ended");
        }
        vm.awaitProgress(vm.retired());
        assertEquals(VmState.RUNNING, vm.machine().state());
    }

    @Test
    void theOldClassesCanBeCollected(TestFramework framework, TestVm vm) throws Exception {
        machine(vm).start();
        vm.awaitProgress(vm.retired());
        swap(framework); // the first one lies on the class path for ever
        vm.awaitProgress(vm.retired());
        WeakReference<ClassLoader> old = loader(framework.bundle(bundle()));
        swap(framework);
        vm.awaitProgress(vm.retired());
        long limit = framework.host().clock().nanoTime() + COLLECTED;
        while (old.get() != null && framework.host().clock().nanoTime() < limit) {
            System.gc();
            // A method that is being compiled holds its class until it is.
            framework.host().processors().sleep(LOOK);
        }
        assertTrue(old.get() == null, "something still holds classes of the old version");
    }

    private static WeakReference<ClassLoader> loader(Bundle bundle) {
        return new WeakReference<>(bundle.adapt(BundleWiring.class).getClassLoader());
    }

    @Test
    void aVersionThatOffersNothingIsDropped(TestFramework framework, TestVm vm) throws Exception {
        machine(vm).start();
        long present = framework.bundle(bundle()).getBundleId();
        Path empty = framework.repack(bundle(), "9.0.0", folder, "Service-Component");
        assertThrows(HostRefusal.class, () -> framework.bundles().swap(empty.toString()));
        assertEquals(present, framework.bundle(bundle()).getBundleId());
        vm.awaitProgress(vm.retired());
    }

    @Test
    void aVersionThatCanNotRestoreIsDroppedAndTheGuestGoesOn(TestFramework framework, TestVm vm)
            throws Exception {
        machine(vm).start();
        vm.awaitProgress(vm.retired());
        if (hasState(framework, vm)) {
            assertRefused(framework, vm, Spoiled.RESTORE_THROWS, Spoiled.MESSAGE);
        }
    }

    @Test
    void aStateOfALaterSchemaIsRefusedAndTheGuestGoesOn(TestFramework framework, TestVm vm)
            throws Exception {
        machine(vm).start();
        vm.awaitProgress(vm.retired());
        if (hasState(framework, vm)) {
            Path later = framework.repack(bundle(), "2.0.0", folder, Spoiled.SAVES_LATER_SCHEMA);
            framework.bundles().swap(later.toString());
            try {
                vm.awaitProgress(vm.retired());
                assertRefused(framework, vm, null, "version");
            } finally {
                framework.control().stop(vm.id());
                swap(framework); // for the tests that follow
            }
        }
    }

    /** Whether the bundle has a device or extension in the VM. */
    private boolean hasState(TestFramework framework, TestVm vm) throws HostRefusal {
        long bundle = framework.bundle(bundle()).getBundleId();
        List<PartInfo> parts = framework.management().parts(vm.id());
        return parts.stream()
                .anyMatch(part ->
                        part.bundle() == bundle
                                && (part.kind().equals("device")
                                        || part.kind().equals("extension")));
    }

    /**
     * @param spoiled how the next version goes wrong, or null for the bundle as it is
     */
    private void assertRefused(
            TestFramework framework, TestVm vm, @Nullable Spoiled spoiled, String reason)
            throws Exception {
        long present = framework.bundle(bundle()).getBundleId();
        List<PartInfo> parts = framework.management().parts(vm.id());
        Path jar =
                spoiled == null
                        ? framework.repack(bundle(), "9.0.0", folder)
                        : framework.repack(bundle(), "9.0.0", folder, spoiled);
        HostRefusal refusal =
                assertThrows(HostRefusal.class, () -> framework.bundles().swap(jar.toString()));
        String message = String.valueOf(refusal.getMessage());
        assertTrue(message.contains(reason) && message.lines().count() == 1, message);
        assertEquals(present, framework.bundle(bundle()).getBundleId(), "the new one is gone");
        assertEquals(parts, framework.management().parts(vm.id()), "the old ones are at work");
        vm.awaitProgress(vm.retired());
        assertEquals(VmState.RUNNING, vm.machine().state());
    }
}
