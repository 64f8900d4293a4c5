/** The host that uses Linux's own services, by system calls from Java. */
@org.jspecify.annotations.NullMarked
package org.alcazar.hosts.linux;
