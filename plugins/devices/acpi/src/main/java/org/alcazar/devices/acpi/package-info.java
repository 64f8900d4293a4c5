/** ACPI hardware of a PC and the tables that describe the machine. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.acpi;
