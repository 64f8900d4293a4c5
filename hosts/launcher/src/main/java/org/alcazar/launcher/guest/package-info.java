/**
 * Guests that Alcazar knows by name: finding their descriptions and building their files.
 *
 * <p>Nothing here starts a VM, reads YAML or knows OSGi; the launcher's commands call it. All
 * programs of the machine (apt, dpkg-deb, make) are reached through {@link
 * org.alcazar.launcher.guest.CommandRunner}, so that tests replace them.
 */
@NullMarked
package org.alcazar.launcher.guest;

import org.jspecify.annotations.NullMarked;
