/** Model of an I/O APIC. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.ioapic;
