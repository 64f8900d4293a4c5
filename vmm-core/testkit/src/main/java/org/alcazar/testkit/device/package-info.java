/**
 * For tests of a device's plain class: a clock, wires, a core and a backend that a test holds in
 * its hands, and checks for every device.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.testkit.device;
