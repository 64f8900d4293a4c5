/** The client of a process's shell: its socket, and the terminal in front of it. */
@NullMarked
package org.alcazar.launcher.shell;

import org.jspecify.annotations.NullMarked;
