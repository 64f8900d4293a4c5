/**
 * What virtio devices share (Virtual I/O Device, version 1.2, OASIS Committee Specification 01):
 * split virtqueues and the PCI transport. Section numbers are of that text.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.virtio.api;
