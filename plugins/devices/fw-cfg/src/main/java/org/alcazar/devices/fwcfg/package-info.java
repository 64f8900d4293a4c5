/** Firmware configuration device. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.fwcfg;
