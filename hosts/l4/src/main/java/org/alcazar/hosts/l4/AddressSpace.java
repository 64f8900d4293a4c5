package org.alcazar.hosts.l4;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.TreeMap;

/** An address space: what is mapped where. Guarded by the kernel's lock. */
final class AddressSpace {
    /** Whoever keeps hardware's tables for a space. Called with the kernel's lock held. */
    interface Tables {
        /** A space that no hardware walks. */
        Tables NONE =
                new Tables() {
                    @Override
                    public void enter(Mapping mapping) {}

                    @Override
                    public void remove(Mapping mapping) {}
                };

        /** A mapping is new, or its rights are. */
        void enter(Mapping mapping);

        /** A mapping is gone. */
        void remove(Mapping mapping);
    }

    private final String name;
    private final Tables tables;
    private final MappingBudget budget;
    private final long end;
    private final TreeMap<Long, Mapping> mappings = new TreeMap<>();

    /** Threads that live here. */
    int threads;

    /**
     * An empty space.
     *
     * @param name for people
     * @param budget of mappings, maybe with other spaces
     * @param end where addresses that may be mapped end
     */
    AddressSpace(String name, Tables tables, MappingBudget budget, long end) {
        this.end = end;
        this.name = name;
        this.tables = tables;
        this.budget = budget;
    }

    String name() {
        return name;
    }

    int size() {
        return mappings.size();
    }

    /** Whether something may appear there. */
    boolean takes(long at, int shift) {
        return at >= 0 && at <= end - (1L << shift);
    }

    /** Whether there is room for one more. */
    boolean hasRoom() {
        return budget.hasRoom();
    }

    /** Whether there is room for one that another space loses. */
    boolean hasRoomFrom(AddressSpace other) {
        return budget == other.budget || budget.hasRoom();
    }

    /** Whether those who map here might want to harm. */
    boolean isLimited() {
        return budget.isLimited();
    }

    /** The mapping around an address. */
    @Nullable Mapping find(long address) {
        Map.Entry<Long, Mapping> entry = mappings.floorEntry(address);
        if (entry == null) {
            return null;
        }
        Mapping found = entry.getValue();
        return address - found.at < found.bytes() ? found : null;
    }

    /** The first mapping that ends behind {@code start} and begins before {@code end}. */
    @Nullable Mapping first(long start, long end) {
        Mapping around = find(start);
        if (around != null) {
            return around;
        }
        Map.Entry<Long, Mapping> entry = mappings.ceilingEntry(start);
        return entry != null && entry.getKey() < end ? entry.getValue() : null;
    }

    /** Any mapping. */
    @Nullable Mapping any() {
        return mappings.isEmpty() ? null : mappings.firstEntry().getValue();
    }

    void enter(Mapping mapping) {
        if (mappings.put(mapping.at, mapping) != null) {
            throw new IllegalStateException(name + ": two mappings at " + mapping.at);
        }
        budget.take();
        tables.enter(mapping);
    }

    /** The node is of another size now; what hardware sees is as before. */
    void enterHalf(Mapping mapping) {
        mappings.put(mapping.at, mapping);
        budget.take();
    }

    void changed(Mapping mapping) {
        tables.enter(mapping);
    }

    void remove(Mapping mapping) {
        mappings.remove(mapping.at);
        budget.give();
        tables.remove(mapping);
    }
}
