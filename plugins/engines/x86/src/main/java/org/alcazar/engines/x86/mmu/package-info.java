/**
 * Guest memory behind one small interface: segmentation aside, from linear addresses through TLB
 * and page walks to host RAM or the bus.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.engines.x86.mmu;
