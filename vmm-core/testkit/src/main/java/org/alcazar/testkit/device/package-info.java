/**
 * For tests of a device's plain classes: a clock, wires, cores, memory, a backend and a whole
 * context that a test holds in its hands, and the contract that every device keeps.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.testkit.device;
