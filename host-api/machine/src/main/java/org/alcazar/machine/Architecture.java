package org.alcazar.machine;

import java.nio.ByteOrder;
import java.util.List;

/**
 * What the VMM has to know about a processor architecture. It owns the saved form of a core: the
 * register groups, hidden state included, so that a guest saved under one engine goes on under
 * another of the same architecture.
 *
 * @param name such as {@code x86} or {@code ppc440}
 * @param physicalBits width of guest-physical addresses
 * @param groups register groups; ids are indices
 */
public record Architecture(
        String name, ByteOrder byteOrder, int physicalBits, List<RegisterGroup> groups) {
    public Architecture {
        groups = List.copyOf(groups);
        if (groups.size() > Long.SIZE) {
            throw new IllegalArgumentException(groups.size() + " groups; masks hold 64");
        }
        for (int i = 0; i < groups.size(); i++) {
            if (groups.get(i).id() != i) {
                throw new IllegalArgumentException(
                        "group " + groups.get(i).name() + " is not at " + i);
            }
        }
    }

    /** Mask of all groups. */
    public long allGroups() {
        return groups.size() == 64 ? -1L : (1L << groups.size()) - 1;
    }
}
