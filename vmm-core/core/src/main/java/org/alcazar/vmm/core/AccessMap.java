package org.alcazar.vmm.core;

import org.alcazar.vmm.plugin.ConfigurationException;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;

/** The hooks of one address space in sorted arrays. Immutable: a change makes a new map. */
final class AccessMap {
    static final AccessMap EMPTY = new AccessMap(new AccessHook[0]);

    private final long[] firsts;
    private final AccessHook[] hooks;

    private AccessMap(AccessHook[] sorted) {
        hooks = sorted;
        firsts = new long[sorted.length];
        for (int i = 0; i < sorted.length; i++) {
            firsts[i] = sorted[i].first;
        }
    }

    /** The hook around an address, or null: this is the exit path. */
    @Nullable AccessHook find(long address) {
        int low = 0;
        int high = firsts.length - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            if (Long.compareUnsigned(firsts[middle], address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high >= 0 && Long.compareUnsigned(address, hooks[high].last) <= 0
                ? hooks[high]
                : null;
    }

    /**
     * @param space for the message, such as {@code memory}
     */
    AccessMap with(String space, AccessHook hook) throws ConfigurationException {
        for (AccessHook other : hooks) {
            if (Long.compareUnsigned(hook.first, other.last) <= 0
                    && Long.compareUnsigned(other.first, hook.last) <= 0) {
                throw new ConfigurationException(clash(space, hook, other));
            }
        }
        AccessHook[] out = Arrays.copyOf(hooks, hooks.length + 1);
        out[hooks.length] = hook;
        Arrays.sort(out, (a, b) -> Long.compareUnsigned(a.first, b.first));
        return new AccessMap(out);
    }

    AccessMap without(AccessHook hook) {
        return new AccessMap(
                Arrays.stream(hooks).filter(h -> h != hook).toArray(AccessHook[]::new));
    }

    List<AccessHook> hooks() {
        return List.of(hooks);
    }

    static String clash(String space, AccessHook wanted, AccessHook taken) {
        return String.format(
                "%s: %s 0x%x-0x%x belongs to %s (0x%x-0x%x) already",
                wanted.owner,
                space,
                wanted.first,
                wanted.last,
                taken.owner,
                taken.first,
                taken.last);
    }
}
