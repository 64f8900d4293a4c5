/** Model of a 16550A UART. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.uart16550;
