/** The terminal that a guest's console is on. */
@NullMarked
package org.alcazar.launcher.terminal;

import org.jspecify.annotations.NullMarked;
