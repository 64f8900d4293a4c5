/**
 * What a PCI device works with: its configuration space and the bus that it sits on (PCI Local Bus
 * Specification 3.0, chapter 6).
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.pci.api;
