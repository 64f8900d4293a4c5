package org.alcazar.hosts.l4;

import org.jspecify.annotations.Nullable;

/**
 * An unmapping and how far it has come: it is done in pieces, and between two of them others may
 * change what is mapped. Guarded by the kernel's lock.
 */
final class Revocation {
    final AddressSpace space;
    final int rights;
    final boolean flush;
    final long end;

    /** What lies below is done. */
    long at;

    /** Whose derived mappings are gone through. */
    @Nullable Mapping root;

    /** The next one of them; null if none is left. */
    @Nullable Mapping cursor;

    /**
     * An unmapping of which nothing is done.
     *
     * @param page where, and which rights
     * @param flush whether the space itself loses them, too
     */
    Revocation(AddressSpace space, long page, boolean flush) {
        this.space = space;
        this.flush = flush;
        rights = Flexpage.rights(page);
        at = Flexpage.start(page);
        end = at + Flexpage.bytes(page);
    }

    /** The mapping and those derived from it come apart: they are gone through again. */
    void restart() {
        root = null;
        cursor = null;
    }
}
