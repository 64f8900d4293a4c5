/** A model of the Kitten light-weight kernel: a static memory map, pinned tasks, no tick. */
@org.jspecify.annotations.NullMarked
package org.alcazar.hosts.kitten;
