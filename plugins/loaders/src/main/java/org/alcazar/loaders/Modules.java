package org.alcazar.loaders;

import org.alcazar.vmm.plugin.ConfigurationException;
import org.alcazar.vmm.plugin.GuestLoader.Boot;
import org.alcazar.vmm.plugin.GuestLoader.Image;

import java.util.ArrayList;
import java.util.List;

/** Boot modules: an initial RAM disk is the first of them. */
final class Modules {
    private static final long LOWEST = 1L << 20;

    private Modules() {}

    static List<Image> all(Boot boot) {
        List<Image> modules = new ArrayList<>();
        boot.initrd().ifPresent(modules::add);
        modules.addAll(boot.modules());
        return modules;
    }

    /**
     * Copies a module to the first page at or behind {@code floor} and the first MiB, where
     * firmware and loaders have theirs.
     *
     * @return its address
     */
    static long place(Boot boot, Image module, long floor) throws ConfigurationException {
        long at = Placement.alignUp(Math.max(floor, LOWEST), Placement.PAGE);
        Placement.copy(boot.memory(), module, 0, at, module.size());
        return at;
    }
}
