package org.alcazar.vmm.management;

import java.util.List;

/**
 * An installed bundle.
 *
 * @param name symbolic name
 * @param version of the bundle
 * @param state {@code installed}, {@code resolved}, {@code starting}, {@code active} or {@code
 *     stopping}
 * @param types plugin types that it offers now, such as {@code device uart16550}
 * @param users parts of VMs that come from it, such as {@code linux/com1}
 */
public record BundleInfo(
        long id,
        String name,
        String version,
        String state,
        List<String> types,
        List<String> users) {
    public BundleInfo {
        types = List.copyOf(types);
        users = List.copyOf(users);
    }
}
