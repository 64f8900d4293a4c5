package org.alcazar.vmm.core;

import org.alcazar.vmm.plugin.ConfigurationException;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The hooks of the 65536 ports in two levels of arrays. Immutable: a change makes a new map. */
final class PortMap {
    static final int PORTS = 1 << 16;

    private static final int SHIFT = 8;
    private static final int PAGE = 1 << SHIFT;
    private static final @Nullable AccessHook[] NOTHING = new @Nullable AccessHook[PAGE];

    static final PortMap EMPTY = empty();

    private final @Nullable AccessHook[][] pages;

    private PortMap(@Nullable AccessHook[][] pages) {
        this.pages = pages;
    }

    private static PortMap empty() {
        @Nullable AccessHook[][] pages = new @Nullable AccessHook[PORTS / PAGE][];
        Arrays.fill(pages, NOTHING);
        return new PortMap(pages);
    }

    /** The hook at a port, or null: this is the exit path. */
    @Nullable AccessHook find(long port) {
        int at = (int) port;
        return (port & -PORTS) != 0 ? null : pages[at >> SHIFT][at & PAGE - 1];
    }

    PortMap with(AccessHook hook) throws ConfigurationException {
        if (hook.first < 0 || hook.last >= PORTS || hook.last < hook.first) {
            throw new ConfigurationException(
                    String.format(
                            "%s: ports 0x%x-0x%x are not within 0 to 0xffff",
                            hook.owner, hook.first, hook.last));
        }
        for (long port = hook.first; port <= hook.last; port++) {
            AccessHook taken = find(port);
            if (taken != null) {
                throw new ConfigurationException(AccessMap.clash("ports", hook, taken));
            }
        }
        return replaced(hook.first, hook.last, hook);
    }

    PortMap without(AccessHook hook) {
        return find(hook.first) == hook ? replaced(hook.first, hook.last, null) : this;
    }

    private PortMap replaced(long first, long last, @Nullable AccessHook hook) {
        @Nullable AccessHook[][] out = pages.clone();
        for (int port = (int) first; port <= last; ) {
            int page = port >> SHIFT;
            @Nullable AccessHook[] changed = out[page].clone();
            int end = (int) Math.min(last, (page + 1) * PAGE - 1);
            Arrays.fill(changed, port & PAGE - 1, (end & PAGE - 1) + 1, hook);
            out[page] = changed;
            port = end + 1;
        }
        return new PortMap(out);
    }

    List<AccessHook> hooks() {
        List<AccessHook> out = new ArrayList<>();
        for (int port = 0; port < PORTS; port++) {
            AccessHook hook = find(port);
            if (hook != null) {
                out.add(hook);
                port = (int) hook.last;
            }
        }
        return out;
    }
}
