/** What the devices of a PC offer to each other, to the platform and to loaders. */
@org.jspecify.annotations.NullMarked
package org.alcazar.platforms.pc.api;
