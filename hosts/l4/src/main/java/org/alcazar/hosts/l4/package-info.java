/** A host that models the L4 micro-kernel (version X.2) of the Blue Gene/P monitor. */
@org.jspecify.annotations.NullMarked
package org.alcazar.hosts.l4;
