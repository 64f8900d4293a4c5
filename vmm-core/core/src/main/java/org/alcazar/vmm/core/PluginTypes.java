package org.alcazar.vmm.core;

import org.alcazar.vmm.plugin.BackendType;
import org.alcazar.vmm.plugin.CheckpointStore;
import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.DeviceType;
import org.alcazar.vmm.plugin.EngineType;
import org.alcazar.vmm.plugin.ExtensionType;
import org.alcazar.vmm.plugin.GuestLoader;
import org.alcazar.vmm.plugin.PagingModeType;
import org.alcazar.vmm.plugin.PlatformType;
import org.alcazar.vmm.plugin.PluginType;
import org.alcazar.vmm.plugin.Spelling;
import org.alcazar.vmm.plugin.SwapPolicyType;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The plugin types that are there now. Types come and go while VMs run; of equal ones the highest
 * rank (the bundle's id) wins for new VMs.
 */
public final class PluginTypes {
    /** Families by the word that people use for them. */
    static final Map<String, Class<? extends PluginType>> FAMILIES = families();

    private record Entry(
            Class<? extends PluginType> family, PluginType type, long rank, String bundle) {}

    private final CopyOnWriteArrayList<Entry> entries = new CopyOnWriteArrayList<>();

    private static Map<String, Class<? extends PluginType>> families() {
        Map<String, Class<? extends PluginType>> out = new LinkedHashMap<>();
        out.put("platform", PlatformType.class);
        out.put("engine", EngineType.class);
        out.put("paging", PagingModeType.class);
        out.put("device", DeviceType.class);
        out.put("backend", BackendType.class);
        out.put("loader", GuestLoader.class);
        out.put("extension", ExtensionType.class);
        out.put("store", CheckpointStore.class);
        out.put("swap-policy", SwapPolicyType.class);
        return Map.copyOf(out);
    }

    /** Adds a type of a family that comes from no bundle. */
    public <T extends PluginType> void add(Class<T> family, T type, long rank) {
        add(family, type, rank, "");
    }

    /**
     * Adds a type of a family.
     *
     * @param bundle for messages
     */
    public <T extends PluginType> void add(Class<T> family, T type, long rank, String bundle) {
        entries.add(new Entry(family, type, rank, bundle));
    }

    /** Removes a type; VMs that use it are not touched. */
    public void remove(PluginType type) {
        entries.removeIf(entry -> entry.type == type);
    }

    /** The type of a name that a certain bundle offers. */
    <T extends PluginType> Optional<T> of(Class<T> family, String name, long rank) {
        return entries.stream()
                .filter(e -> e.family == family && e.rank == rank && e.type.name().equals(name))
                .findFirst()
                .map(e -> family.cast(e.type));
    }

    /** All types that a bundle offers. */
    Set<PluginType> of(long rank) {
        Set<PluginType> out = Collections.newSetFromMap(new IdentityHashMap<>());
        entries.stream().filter(e -> e.rank == rank).forEach(e -> out.add(e.type));
        return out;
    }

    /** Family and name of each type that a bundle offers. */
    List<String> names(long rank) {
        List<String> out = new ArrayList<>();
        FAMILIES.forEach((word, family) ->
                entries.stream()
                        .filter(e -> e.family == family && e.rank == rank)
                        .forEach(e -> out.add(word + " " + e.type.name())));
        Collections.sort(out);
        return out;
    }

    /** Whether two types serve for the same. */
    static boolean sameFamily(PluginType a, PluginType b) {
        return FAMILIES.values().stream().anyMatch(f -> f.isInstance(a) && f.isInstance(b));
    }

    /** Where a type comes from. */
    record Source(long rank, String bundle) {
        static final Source NOWHERE = new Source(-1, "");

        /** For messages: " of bundle …", or nothing. */
        String from() {
            return bundle.isEmpty() ? "" : " of bundle " + bundle;
        }
    }

    /** Where a type comes from, or NOWHERE if it is gone. */
    Source source(PluginType type) {
        return entries.stream()
                .filter(entry -> entry.type == type)
                .map(entry -> new Source(entry.rank, entry.bundle))
                .findFirst()
                .orElse(Source.NOWHERE);
    }

    /** All types of a family by name, the winners among equals. */
    <T extends PluginType> Map<String, T> all(Class<T> family) {
        Map<String, T> out = new TreeMap<>();
        entries.stream()
                .filter(entry -> entry.family == family)
                .sorted(Comparator.comparingLong(Entry::rank))
                .forEach(entry -> out.put(entry.type.name(), family.cast(entry.type)));
        return out;
    }

    <T extends PluginType> Optional<T> find(Class<T> family, String name) {
        return Optional.ofNullable(all(family).get(name));
    }

    /**
     * A type that must be there.
     *
     * @param word the family's word, for the message
     */
    <T extends PluginType> T require(Class<T> family, String word, String name)
            throws ConfigurationException {
        Map<String, T> all = all(family);
        T type = all.get(name);
        if (type == null) {
            throw new ConfigurationException(
                    all.isEmpty()
                            ? "unknown " + word + " '" + name + "'; no bundle offers any"
                            : "unknown "
                                    + word
                                    + " '"
                                    + name
                                    + "'"
                                    + Spelling.suggest(name, all.keySet()));
        }
        return type;
    }

    /**
     * The type to take where none is named: the first of the preferred that is there, or the only
     * one.
     */
    <T extends PluginType> T choose(
            Class<T> family, String word, String name, List<String> preferred)
            throws ConfigurationException {
        if (!name.isEmpty()) {
            return require(family, word, name);
        }
        Map<String, T> all = all(family);
        for (String wish : preferred) {
            T type = all.get(wish);
            if (type != null) {
                return type;
            }
        }
        if (all.size() == 1) {
            return all.values().iterator().next();
        }
        throw new ConfigurationException(
                all.isEmpty()
                        ? "no bundle offers a " + word
                        : "no "
                                + word
                                + " is given; there are: "
                                + String.join(", ", all.keySet()));
    }

    /** Names and descriptions by family. */
    Map<String, Map<String, String>> describe() {
        Map<String, Map<String, String>> out = new TreeMap<>();
        FAMILIES.forEach((word, family) -> {
            Map<String, String> names = new TreeMap<>();
            all(family).forEach((name, type) -> names.put(name, type.description()));
            out.put(word, names);
        });
        return out;
    }

    /** A type for messages: what it is called there, its class and its bundle. */
    String title(String what, PluginType type) {
        return what + " (" + type.getClass().getName() + source(type).from() + ")";
    }
}
