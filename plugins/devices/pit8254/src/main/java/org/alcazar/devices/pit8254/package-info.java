/** Model of an 8254 timer and of a PC's port 0x61. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.pit8254;
