/** The state of an x86 core and its exchange with control blocks. */
@org.jspecify.annotations.NullMarked
package org.alcazar.engines.x86.state;
