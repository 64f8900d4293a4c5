/** The life of one VM, from a configuration to an exit status. */
@NullMarked
package org.alcazar.launcher.run;

import org.jspecify.annotations.NullMarked;
