/** The shell of a running process: its commands, and the socket that clients come through. */
@NullMarked
package org.alcazar.management.shell;

import org.jspecify.annotations.NullMarked;
