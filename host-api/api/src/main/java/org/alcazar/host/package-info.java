/**
 * The narrow waist between Alcazar and whatever embeds it: what a host kernel, or a model of one,
 * must offer to the VMM, and {@link org.alcazar.host.VmmControl}, the one interface that points
 * upward.
 *
 * <p>Mandatory are {@link org.alcazar.host.HostKernel} and the four services that it returns.
 * Everything else is optional and found at run time with {@link org.alcazar.host.HostKernel#find}.
 */
@org.jspecify.annotations.NullMarked
package org.alcazar.host;
