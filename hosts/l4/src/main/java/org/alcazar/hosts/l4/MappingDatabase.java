package org.alcazar.hosts.l4;

import org.alcazar.hosts.support.Primitives;
import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which memory is mapped where, and from where it came there (X.2, chapter 4; Liedtke, On
 * micro-kernel construction, 1995): all memory is sigma0's at first; who has a page may map it into
 * another space, or grant it, and may take back what was derived from it at any time, recursively.
 * Guarded by the kernel's lock.
 */
final class MappingDatabase {
    /** Mappings above one another in spaces that are limited. */
    static final int MOST_DEPTH = 64;

    /** Mappings that those of one message may take the place of, in spaces that are limited. */
    static final int PATIENCE = 2048;

    private final Primitives<L4Primitive> primitives;
    private final AddressSpace sigma0;

    /** Those that stand at a mapping while others have the lock. */
    private final List<Revocation> open = new ArrayList<>();

    /**
     * How much more may go to make room for what one message maps: that is done in one go. Spaces
     * without limit belong to those who may have the kernel's time.
     */
    static final class Patience {
        private int left = PATIENCE;
    }

    MappingDatabase(Primitives<L4Primitive> primitives) {
        this.primitives = primitives;
        sigma0 =
                new AddressSpace(
                        "sigma0",
                        AddressSpace.Tables.NONE,
                        MappingBudget.unlimited(),
                        Long.MAX_VALUE);
    }

    /** The space that all memory belongs to at first; physical and virtual are the same there. */
    AddressSpace sigma0() {
        return sigma0;
    }

    /** Memory that sigma0 may hand out now. */
    void own(long page) {
        sigma0.enter(
                new Mapping(
                        sigma0,
                        Flexpage.start(page),
                        Flexpage.start(page),
                        Flexpage.shift(page),
                        Flexpage.ALL));
    }

    /** Memory that sigma0 hands out no more; what is derived from it goes. */
    void disown(long page) {
        long end = Flexpage.start(page) + Flexpage.bytes(page);
        Mapping root = sigma0.first(Flexpage.start(page), end);
        while (root != null) {
            dropDerived(root, Integer.MAX_VALUE);
            sigma0.remove(root);
            root = sigma0.first(Flexpage.start(page), end);
        }
    }

    /** Start of each page that sigma0 has mapped to somebody, of a stretch that it owns. */
    Set<Long> derived(long start, long end) {
        Set<Long> found = new HashSet<>();
        Mapping root = sigma0.first(start, end);
        while (root != null) {
            for (Mapping child = root.child; child != null; child = child.next) {
                found.add(child.physical);
            }
            long next = root.at + root.bytes();
            root = next < end ? sigma0.first(next, end) : null;
        }
        return found;
    }

    /** Whether a space has all of a flexpage, with all its rights. */
    boolean holds(AddressSpace space, long page) {
        long at = Flexpage.start(page);
        long end = at + Flexpage.bytes(page);
        int rights = Flexpage.rights(page);
        while (at < end) {
            Mapping mapping = space.find(at);
            if (mapping == null || (mapping.rights & rights) != rights) {
                return false;
            }
            at = mapping.at + mapping.bytes();
        }
        return true;
    }

    /**
     * Maps what a space has of a flexpage into another one, with no more rights than it has itself.
     * What was there goes, unless it is the same memory from the same place: that gains rights.
     *
     * @param at where the flexpage's start appears, a multiple of its size
     * @return whether there was room for all
     */
    boolean map(AddressSpace from, long page, AddressSpace to, long at) {
        return map(from, page, to, at, new Patience());
    }

    /** The same, as one of several. */
    boolean map(AddressSpace from, long page, AddressSpace to, long at, Patience patience) {
        long start = Flexpage.start(page);
        long end = start + Flexpage.bytes(page);
        int rights = Flexpage.rights(page);
        if (rights == 0) {
            return true;
        }
        primitives.count(L4Primitive.MAP);
        Mapping source = from.first(start, end);
        while (source != null) {
            long piece = Math.max(source.at, start);
            int shift = Math.min(source.shift, Flexpage.shift(page));
            if (!derive(source, piece, shift, rights, to, at + (piece - start), patience)) {
                return false;
            }
            long next = piece + (1L << shift);
            source = next < end ? from.first(next, end) : null;
        }
        return true;
    }

    private boolean derive(
            Mapping source,
            long piece,
            int shift,
            int wanted,
            AddressSpace to,
            long at,
            Patience patience) {
        int rights = source.rights & wanted;
        long physical = source.physical + (piece - source.at);
        Mapping there = to.find(at);
        if (there != null
                && there.at == at
                && there.shift == shift
                && there.physical == physical
                && there.parent == source) {
            if ((there.rights | rights) != there.rights) {
                there.rights |= rights;
                to.changed(there);
            }
            return true;
        }
        if (rights == 0 || !to.takes(at, shift) || isAncestor(source, to, at, shift)) {
            return true;
        }
        if (to.isLimited() && source.depth >= MOST_DEPTH
                || !clear(to, at, shift, patience)
                || !to.hasRoom()) {
            return false;
        }
        Mapping derived = new Mapping(to, at, physical, shift, rights);
        source.adopt(derived);
        to.enter(derived);
        return true;
    }

    /** Whether mapping there would tear away what the mapping is to be derived from. */
    private static boolean isAncestor(Mapping source, AddressSpace to, long at, int shift) {
        if (to.first(at, at + (1L << shift)) == null) {
            return false;
        }
        for (@Nullable Mapping up = source; up != null; up = up.parent) {
            if (up.space == to && at < up.at + up.bytes() && up.at < at + (1L << shift)) {
                return true;
            }
        }
        return false;
    }

    /** Like {@link #map}, but the granter has it no more; what was derived from it stays so. */
    boolean grant(AddressSpace from, long page, AddressSpace to, long at) {
        return grant(from, page, to, at, new Patience());
    }

    /** The same, as one of several. */
    boolean grant(AddressSpace from, long page, AddressSpace to, long at, Patience patience) {
        long start = Flexpage.start(page);
        long end = start + Flexpage.bytes(page);
        int rights = Flexpage.rights(page);
        primitives.count(L4Primitive.GRANT);
        Mapping source = from.first(start, end);
        while (source != null && rights != 0) {
            long next;
            if (source.at < start || source.shift > Flexpage.shift(page)) {
                split(source);
                next = start;
            } else {
                next = source.at + source.bytes();
                if (!move(source, to, at + (source.at - start), source.rights & rights, patience)) {
                    return false;
                }
            }
            source = next < end ? from.first(next, end) : null;
        }
        return true;
    }

    private boolean move(Mapping mapping, AddressSpace to, long at, int rights, Patience patience) {
        if (mapping.parent == null
                || !to.takes(at, mapping.shift)
                || isAncestor(mapping, to, at, mapping.shift)) {
            return true; // sigma0 itself grants nothing
        }
        boolean lessened = rights != mapping.rights;
        if (lessened && !patient(mapping.space, mapping, patience)
                || !clear(to, at, mapping.shift, patience)
                || !to.hasRoomFrom(mapping.space)) {
            return false;
        }
        mapping.space.remove(mapping);
        mapping.space = to;
        mapping.at = at;
        to.enter(mapping);
        if (rights == 0) {
            drop(mapping);
        } else if (lessened) {
            restrict(mapping, Flexpage.ALL & ~rights);
        }
        return true;
    }

    /**
     * Takes all out of a piece of a space, with what was derived from it.
     *
     * @return whether that is done; nothing is if it would take too long
     */
    private boolean clear(AddressSpace space, long at, int shift, Patience patience) {
        long end = at + (1L << shift);
        Mapping mapping = space.first(at, end);
        while (mapping != null) {
            if (!patient(space, mapping, patience)) {
                return false;
            }
            long next = mapping.at + mapping.bytes();
            mapping = next < end ? space.first(next, end) : null;
        }
        return unmap(
                new Revocation(space, Flexpage.of(at, shift, Flexpage.ALL), true),
                Integer.MAX_VALUE);
    }

    /** Whether a mapping and all that was derived from it are not too many to be looked at. */
    private static boolean patient(AddressSpace space, Mapping root, Patience patience) {
        if (!space.isLimited()) {
            return true;
        }
        Mapping at = root;
        while (at != null) {
            if (--patience.left < 0) {
                return false;
            }
            at = following(at, root);
        }
        return true;
    }

    /**
     * Takes rights from all that was derived of a flexpage, and with a flush from the space itself
     * too.
     *
     * @param most mappings to look at: who has the lock gives others their turn between
     * @return whether all is done; if not, the same is to be called again
     */
    boolean unmap(Revocation work, int most) {
        int left = most;
        while (work.rights != 0 && work.at < work.end) {
            if (left-- <= 0) {
                return false;
            }
            Mapping mapping = work.space.first(work.at, work.end);
            if (mapping == null) {
                break;
            }
            if (mapping.at < work.at || mapping.at + mapping.bytes() > work.end) {
                split(mapping);
                continue;
            }
            left =
                    work.rights == Flexpage.ALL
                            ? dropDerived(mapping, left)
                            : restrictDerived(work, mapping, left);
            if (left <= 0) {
                return false;
            }
            work.at = mapping.at + mapping.bytes();
            work.restart();
            if (work.flush) {
                take(mapping, work.rights);
            }
        }
        open.remove(work);
        return true;
    }

    /** Takes rights from a mapping from which none with these rights is derived. */
    private void take(Mapping mapping, int revoked) {
        if ((mapping.rights & ~revoked) == 0) {
            drop(mapping);
        } else if ((mapping.rights & revoked) != 0) {
            mapping.rights &= ~revoked;
            mapping.space.changed(mapping);
            primitives.count(L4Primitive.UNMAP);
        }
    }

    /**
     * Takes all that a space has.
     *
     * @return whether all is done
     */
    boolean empty(AddressSpace space, int most) {
        int left = most;
        Mapping mapping = space.any();
        while (mapping != null) {
            left = dropDerived(mapping, left);
            if (left <= 0) {
                return false;
            }
            drop(mapping);
            left--;
            mapping = space.any();
        }
        return true;
    }

    /** Leaves first, without recursion: guests decide how deep the tree is. */
    private int dropDerived(Mapping root, int most) {
        int left = most;
        Mapping at = root;
        while (left > 0) {
            Mapping child = at.child;
            if (child != null) {
                at = child;
                continue;
            }
            if (at == root) {
                return left;
            }
            Mapping parent = at.parent;
            drop(at);
            left--;
            at = parent == null ? root : parent;
        }
        return left;
    }

    private void drop(Mapping mapping) {
        Mapping child = mapping.child;
        if (child != null) {
            dropDerived(mapping, Integer.MAX_VALUE);
        }
        for (Revocation work : open) {
            Mapping root = work.root;
            if (root == mapping) {
                work.restart();
            } else if (root != null && work.cursor == mapping) {
                work.cursor = followingBeside(mapping, root);
            }
        }
        mapping.leave();
        mapping.space.remove(mapping);
        primitives.count(L4Primitive.UNMAP);
    }

    private void restrict(Mapping mapping, int revoked) {
        Revocation work =
                new Revocation(
                        mapping.space, Flexpage.of(mapping.at, mapping.shift, revoked), true);
        unmap(work, Integer.MAX_VALUE);
    }

    /**
     * Pre-order, by the links: again without recursion. Whatever is derived anew in a part that is
     * done comes from a mapping that has the rights no more, or from the root after its owner
     * wanted them back.
     */
    private int restrictDerived(Revocation work, Mapping root, int most) {
        if (work.root != root) {
            work.root = root;
            work.cursor = root.child;
        }
        if (!open.contains(work)) {
            open.add(work);
        }
        int left = most;
        Mapping at = work.cursor;
        while (at != null && left > 0) {
            left--;
            if ((at.rights & ~work.rights) == 0) {
                left = dropDerived(at, left);
                if (left > 0) {
                    drop(at); // moves the cursor
                }
            } else {
                take(at, work.rights);
                work.cursor = following(at, root);
            }
            at = work.cursor;
        }
        return at == null ? Math.max(left, 1) : 0;
    }

    private static @Nullable Mapping following(Mapping at, Mapping root) {
        return at.child != null ? at.child : followingBeside(at, root);
    }

    private static @Nullable Mapping followingBeside(Mapping at, Mapping root) {
        Mapping up = at;
        while (up != root) {
            if (up.next != null) {
                return up.next;
            }
            Mapping parent = up.parent;
            if (parent == null) {
                return null;
            }
            up = parent;
        }
        return null;
    }

    /**
     * Two halves of what was one mapping.
     *
     * @param lower the node that it was
     */
    private record Halves(Mapping lower, Mapping upper) {}

    /** Makes two of a mapping, and of all derived ones that are as large. */
    private void split(Mapping whole) {
        open.forEach(Revocation::restart);
        Halves first = halve(whole);
        Mapping parent = whole.parent;
        if (parent != null) {
            parent.adopt(first.upper);
        }
        Deque<Halves> work = new ArrayDeque<>(List.of(first));
        while (!work.isEmpty()) {
            Halves halves = work.pop();
            Mapping child = halves.lower.child;
            while (child != null) {
                Mapping next = child.next;
                if (child.shift > halves.lower.shift) {
                    Halves below = halve(child);
                    halves.upper.adopt(below.upper);
                    work.push(below);
                } else if (child.physical >= halves.upper.physical) {
                    child.leave();
                    halves.upper.adopt(child);
                }
                child = next;
            }
        }
    }

    private static Halves halve(Mapping whole) {
        whole.shift--;
        Mapping upper =
                new Mapping(
                        whole.space,
                        whole.at + whole.bytes(),
                        whole.physical + whole.bytes(),
                        whole.shift,
                        whole.rights);
        whole.space.enterHalf(upper);
        return new Halves(whole, upper);
    }
}
