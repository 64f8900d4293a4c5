/** The OSGi framework with the distribution's bundles, and its cache on disk. */
@NullMarked
package org.alcazar.launcher.framework;

import org.jspecify.annotations.NullMarked;
