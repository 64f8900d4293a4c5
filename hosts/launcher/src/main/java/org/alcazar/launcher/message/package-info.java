/** What Alcazar says to people: one line each, on standard error. */
@NullMarked
package org.alcazar.launcher.message;

import org.jspecify.annotations.NullMarked;
