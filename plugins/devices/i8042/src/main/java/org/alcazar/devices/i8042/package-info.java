/** Keyboard controller and keyboard. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.i8042;
