/** The VMM as plugins see it: VMs, vcores, the guest's memory and clock, hooks and counters. */
@org.jspecify.annotations.NullMarked
package org.alcazar.vmm;
