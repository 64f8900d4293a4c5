/** What a device plugin works with: its context, and the backends behind its frontend. */
@org.jspecify.annotations.NullMarked
package org.alcazar.vmm.device;
