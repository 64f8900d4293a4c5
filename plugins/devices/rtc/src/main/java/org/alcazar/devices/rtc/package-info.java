/** Model of a PC's real-time clock and its battery-backed memory. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.rtc;
