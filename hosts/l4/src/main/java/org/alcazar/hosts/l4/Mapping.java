package org.alcazar.hosts.l4;

import org.jspecify.annotations.Nullable;

/**
 * One node of the mapping database: a piece of memory at a place in a space, the mapping that it
 * was derived from, and those derived from it. Links lie in the nodes, for there are as many as
 * guests have pages.
 */
final class Mapping {
    AddressSpace space;
    long at;
    final long physical;
    int shift;
    int rights;

    /** Mappings above this one. */
    int depth;

    @Nullable Mapping parent;
    @Nullable Mapping child;
    @Nullable Mapping previous;
    @Nullable Mapping next;

    Mapping(AddressSpace space, long at, long physical, int shift, int rights) {
        this.space = space;
        this.at = at;
        this.physical = physical;
        this.shift = shift;
        this.rights = rights;
    }

    long bytes() {
        return 1L << shift;
    }

    void adopt(Mapping derived) {
        derived.parent = this;
        derived.depth = depth + 1;
        derived.previous = null;
        derived.next = child;
        if (child != null) {
            child.previous = derived;
        }
        child = derived;
    }

    /** Leaves its parent. */
    void leave() {
        Mapping from = parent;
        if (from == null) {
            return;
        }
        if (previous != null) {
            previous.next = next;
        } else {
            from.child = next;
        }
        if (next != null) {
            next.previous = previous;
        }
        parent = null;
        previous = null;
        next = null;
    }
}
