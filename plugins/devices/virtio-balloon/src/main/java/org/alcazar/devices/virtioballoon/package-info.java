/** A memory balloon. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.virtioballoon;
