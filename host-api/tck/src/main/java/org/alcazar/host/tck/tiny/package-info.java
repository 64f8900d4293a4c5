/**
 * A small big-endian test machine with a software-loaded TLB: proof that the engine contract is
 * neutral.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.host.tck.tiny;
