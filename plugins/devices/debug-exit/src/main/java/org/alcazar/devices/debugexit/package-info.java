/** Debug-exit port. */
@org.jspecify.annotations.NullMarked
package org.alcazar.devices.debugexit;
