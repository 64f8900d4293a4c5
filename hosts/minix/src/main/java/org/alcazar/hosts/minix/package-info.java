/** A model of MINIX 3: the VMM is a process that has servers do what it wants done. */
@org.jspecify.annotations.NullMarked
package org.alcazar.hosts.minix;
