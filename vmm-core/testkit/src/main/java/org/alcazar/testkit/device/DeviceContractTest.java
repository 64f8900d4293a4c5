package org.alcazar.testkit.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alcazar.machine.IncompatibleStateException;
import org.alcazar.machine.SavedState;
import org.alcazar.machine.Space;
import org.alcazar.machine.Width;
import org.alcazar.testkit.device.FakeDeviceContext.Window;
import org.alcazar.vmm.Vcore;
import org.alcazar.vmm.device.Device;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.Settings;
import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What every device has to keep, tested on its plain classes without a VMM. A device's own test
 * extends this and names its type:
 *
 * <pre>{@code
 * class Uart16550ContractTest extends DeviceContractTest {
 *     @Override
 *     protected DeviceType type() {
 *         return new Uart16550Component();
 *     }
 * }
 * }</pre>
 */
public abstract class DeviceContractTest {
    private static final int CORES = 2;
    private static final int ROUNDS = 40;
    private static final int ACCESSES = 100_000;

    /** Of a guest that brings a device into another state. */
    private static final long OTHER_SEED = -1;

    private static final int OTHER_ACCESSES = 1_000;

    /** Bytes that may be allocated in {@link #ACCESSES} accesses: what measuring itself takes. */
    private static final long ALLOCATION_BOUND = 4_096;

    /** A device that a test works with. */
    private record Fixture(FakeDeviceContext context, Device device) {}

    protected abstract DeviceType type();

    /** Settings that differ from the defaults. */
    protected Map<String, Object> settings() {
        return Map.of();
    }

    /** Offers what the device needs of others ({@link FakeDeviceContext#provide}). */
    protected void prepare(FakeDeviceContext context) throws ConfigurationException {}

    /**
     * Does to the device at random what comes from outside through roles that it offers, such as
     * pressing keys. Input of backends, interrupt inputs and host events come by themselves.
     */
    protected void world(FakeDeviceContext context, Random random) {}

    /**
     * Fields, as {@code Class.field}, that are no state: worked out from others, or only another
     * form of the same (where a ring begins).
     */
    protected Set<String> derived() {
        return Set.of();
    }

    /**
     * Names in the saved state that a reset leaves alone, such as battery-backed memory; those of a
     * part's state within are given as {@code part/name}.
     */
    protected Set<String> survivesReset() {
        return Set.of();
    }

    /** Packages whose classes make up the model: that of the type, and those below it. */
    protected List<String> packages() {
        return List.of(type().getClass().getPackageName());
    }

    private Fixture create(FakeDeviceContext context) {
        try {
            prepare(context);
            DeviceType type = type();
            Settings checked =
                    Settings.check("device " + type.name(), type.configuration(), settings());
            Device device = type.create(context, checked);
            device.reset();
            return new Fixture(context, device);
        } catch (ConfigurationException e) {
            throw new AssertionError("the device is refused: " + e.getMessage(), e);
        }
    }

    private Fixture create() {
        return create(new FakeDeviceContext(CORES));
    }

    private Fixture used(long seed, int count) {
        Fixture fixture = create();
        new GuestScript(fixture.context, this::world, seed).run(count);
        return fixture;
    }

    /** A new device in the state of another one, as after loading a VM. */
    private Fixture restored(Fixture from, SavedState state) {
        FakeDeviceContext context = new FakeDeviceContext(CORES);
        context.moveTo(from.context);
        Fixture fixture = create(context);
        context.vmFrom(from.context);
        // A hot swap restores twice, on trial and for good: nothing of the first may stay.
        fixture.device.restore(used(OTHER_SEED, OTHER_ACCESSES).device.save());
        fixture.device.restore(state);
        context.driveAs(from.context);
        return fixture;
    }

    private ObjectGraph graph(Fixture fixture) {
        List<String> packages = packages();
        return new ObjectGraph(
                fixture.device,
                type ->
                        packages.stream()
                                .anyMatch(name ->
                                        type.getPackageName().equals(name)
                                                || type.getPackageName().startsWith(name + ".")));
    }

    @Test
    void everyWidthAtEveryOffsetIsHarmless() {
        Fixture fixture = create();
        Vcore core = fixture.context.vcores().getFirst();
        for (Window window : fixture.context.windows()) {
            for (long offset = 0; offset < window.count(); offset++) {
                for (Width width : Width.values()) {
                    if (window.space() == Space.REGISTER && width != Width.QWORD) {
                        continue;
                    }
                    for (long value : new long[] {0, width.mask(), 0x5aa5_1221_8448_f00fL}) {
                        window.registers().write(core, offset, width, value & width.mask());
                        long read = window.registers().read(core, offset, width);
                        assertEquals(
                                0,
                                read & ~width.mask(),
                                () ->
                                        "%s 0x%x+0x%x gives 0x%x, wider than a %s"
                                                .formatted(
                                                        Space.name(window.space()),
                                                        window.first(),
                                                        window.count(),
                                                        read,
                                                        width));
                    }
                }
            }
        }
    }

    @Test
    void randomGuestInputNeverThrows() {
        used(1, ACCESSES).device.close();
    }

    @Test
    void savingChangesNothingAndAnotherDeviceSavesWhatItRestored() {
        for (int seed = 0; seed < ROUNDS; seed++) {
            Fixture used = used(seed, 200 * seed);
            SavedState saved = used.device.save();
            assertSame(saved, used.device.save(), "the second save");
            assertSame(saved, restored(used, saved).device.save(), "the state after a restore");
        }
    }

    @Test
    void aRestoredDeviceEqualsTheSavedOneFieldByField() {
        Set<String> found = new TreeSet<>();
        Set<String> names = new TreeSet<>();
        for (int seed = 0; seed < ROUNDS; seed++) {
            Fixture used = used(seed, 200 * seed);
            Fixture restored = restored(used, used.device.save());
            found.addAll(ObjectGraph.differences(graph(used), graph(restored), derived()));
            assertEquals(
                    used.context.highLines(),
                    restored.context.highLines(),
                    "wires after a restore, seed " + seed);
            names.addAll(graph(used).names());
        }
        assertEquals(
                Set.of(), found, "fields that a restore does not bring back (saved, restored)");
        assertTrue(
                names.containsAll(derived()),
                () -> "derived() names fields that are not in " + names);
    }

    @Test
    void aRestoredDeviceGoesOnAsTheSavedOneDoes() {
        for (int seed = 0; seed < ROUNDS; seed++) {
            Fixture used = used(seed, 200 * seed);
            Fixture restored = restored(used, used.device.save());
            for (int part = 0; part < 20; part++) {
                long next = 1000L * seed + part;
                long expected = new GuestScript(used.context, this::world, next).run(20);
                long actual = new GuestScript(restored.context, this::world, next).run(20);
                String when = "seed %d, part %d after the restore".formatted(seed, part);
                assertEquals(
                        used.context.highLines(), restored.context.highLines(), "wires, " + when);
                assertEquals(expected, actual, "what the guest reads, " + when);
            }
        }
    }

    @Test
    void everyFieldThatCanChangeIsInTheSavedState() {
        Set<String> missing = new TreeSet<>();
        Set<String> saved = new TreeSet<>();
        for (int seed = 0; seed < ROUNDS; seed++) {
            Fixture fixture = used(seed, 200 * seed);
            for (ObjectGraph.Place place : graph(fixture).assignable()) {
                Set<String> to = isSaved(fixture.device, place) ? saved : missing;
                to.add(place.name());
            }
        }
        missing.removeAll(saved);
        missing.removeAll(derived());
        assertEquals(Set.of(), missing, "fields whose value makes no difference to save()");
    }

    private static boolean isSaved(Device device, ObjectGraph.Place place) {
        SavedState before = device.save();
        Object value = place.get();
        try {
            for (Object other : others(value)) {
                place.set(other);
                if (!before.equals(device.save())) {
                    return true;
                }
            }
            return false;
        } catch (RuntimeException e) {
            return true; // save() looks at it, and does not like what it sees
        } finally {
            place.set(value);
        }
    }

    private static List<Object> others(Object value) {
        return switch (value) {
            case Boolean b -> List.of(!b);
            case Byte b -> List.of((byte) (b ^ 1), (byte) ~b);
            case Short s -> List.of((short) (s ^ 1), (short) ~s);
            case Character c -> List.of((char) (c ^ 1), (char) ~c);
            case Integer i -> List.of(i ^ 1, ~i, i + 16);
            case Long l -> List.of(l ^ 1, ~l, l + (1L << 32));
            case Double d -> List.of(d + 1);
            default -> List.of();
        };
    }

    @Test
    void aResetBringsBackThePowerOnState() {
        for (int seed = 0; seed < ROUNDS; seed++) {
            Fixture used = used(seed, 200 * seed);
            for (int input : used.context.inputs()) {
                used.context.drive(input, false);
            }
            used.device.reset();
            FakeDeviceContext later = new FakeDeviceContext(CORES);
            later.moveTo(used.context);
            Fixture fresh = create(later);
            assertSame(
                    without(fresh.device.save(), survivesReset()),
                    without(used.device.save(), survivesReset()),
                    "the state after a reset, seed " + seed);
            assertEquals(
                    fresh.context.highLines(),
                    used.context.highLines(),
                    "wires after a reset, seed " + seed);
        }
    }

    @Test
    void statesThatDoNotFitAreRefused() {
        SavedState saved = used(1, 1_000).device.save();
        Device device = create().device;
        SavedState foreign = new SavedState("no-such-device", 1);
        assertThrows(IncompatibleStateException.class, () -> device.restore(foreign));
        SavedState future = new SavedState(saved.type(), saved.version() + 1);
        assertThrows(IncompatibleStateException.class, () -> device.restore(future));
        for (String name : saved.values().keySet()) {
            SavedState torn = without(saved, Set.of(name));
            assertThrows(
                    IncompatibleStateException.class,
                    () -> device.restore(torn),
                    "without " + name);
        }
    }

    @Test
    void accessesAllocateNothing() {
        Fixture fixture = create(new FakeDeviceContext(CORES).discardOutput());
        GuestScript script = new GuestScript(fixture.context, this::world, 1);
        script.runAccesses(ACCESSES);
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 5 && least > ALLOCATION_BOUND; i++) {
            long before = allocated();
            script.runAccesses(ACCESSES);
            least = Math.min(least, allocated() - before);
        }
        long bytes = least;
        assertFalse(
                bytes > ALLOCATION_BOUND,
                () -> ACCESSES + " accesses have allocated " + bytes + " bytes");
    }

    /**
     * Bytes that this thread has allocated; by reflection, since the method is no part of Java SE.
     */
    private static long allocated() {
        try {
            return (long)
                    Class.forName("com.sun.management.ThreadMXBean")
                            .getMethod("getCurrentThreadAllocatedBytes")
                            .invoke(ManagementFactory.getThreadMXBean());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM does not count allocated bytes", e);
        }
    }

    private static SavedState without(SavedState state, Set<String> names) {
        SavedState out = new SavedState(state.type(), state.version());
        state.values()
                .forEach((name, value) -> {
                    if (!names.contains(name)) {
                        out.putValue(
                                name,
                                value instanceof SavedState part
                                        ? without(part, within(name, names))
                                        : value);
                    }
                });
        return out;
    }

    private static Set<String> within(String part, Set<String> names) {
        return names.stream()
                .filter(name -> name.startsWith(part + "/"))
                .map(name -> name.substring(part.length() + 1))
                .collect(Collectors.toSet());
    }

    private static void assertSame(SavedState expected, SavedState actual, String what) {
        if (!expected.equals(actual)) {
            Map<String, String> wanted = flat(expected);
            Map<String, String> got = flat(actual);
            List<String> differences = new ArrayList<>();
            wanted.forEach((name, value) -> {
                String other = got.getOrDefault(name, "nothing");
                if (!value.equals(other)) {
                    differences.add(name + ": " + value + ", but " + other);
                }
            });
            throw new AssertionError(what + " differs: " + differences);
        }
    }

    private static Map<String, String> flat(Object value) {
        Map<String, String> out = new LinkedHashMap<>();
        flatten("", value, out);
        return out;
    }

    private static void flatten(String path, Object value, Map<String, String> out) {
        switch (value) {
            case SavedState state ->
                    state.values().forEach((k, v) -> flatten(path + "/" + k, v, out));
            case Map<?, ?> map -> map.forEach((k, v) -> flatten(path + "/" + k, v, out));
            case List<?> list -> {
                for (int i = 0; i < list.size(); i++) {
                    flatten(path + "/" + i, list.get(i), out);
                }
            }
            case byte[] bytes -> out.put(path, java.util.HexFormat.of().formatHex(bytes));
            default -> out.put(path, String.valueOf(value));
        }
    }
}
