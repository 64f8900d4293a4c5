/** Bundles of researchers, outside of the source tree: made, watched, diagnosed. */
@NullMarked
package org.alcazar.launcher.bundle;

import org.jspecify.annotations.NullMarked;
