/** PCI host bridge and ISA bridge. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.pci;
