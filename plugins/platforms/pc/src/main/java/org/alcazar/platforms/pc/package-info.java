/** The PC: where its memory lies and which devices it has. */
@org.jspecify.annotations.NullMarked
package org.alcazar.platforms.pc;
