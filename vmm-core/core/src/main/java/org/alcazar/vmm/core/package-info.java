/** The VMM itself: everything neutral about a machine. Exports nothing. */
@org.jspecify.annotations.NullMarked
package org.alcazar.vmm.core;
