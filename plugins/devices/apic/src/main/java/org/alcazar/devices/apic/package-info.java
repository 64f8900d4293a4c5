/** Model of local APICs. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.apic;
