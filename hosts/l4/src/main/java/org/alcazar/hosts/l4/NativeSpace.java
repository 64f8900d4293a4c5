package org.alcazar.hosts.l4;

/**
 * An address space of a native program.
 *
 * @param space what is mapped
 * @param tables what hardware sees of it
 */
record NativeSpace(AddressSpace space, PageTables tables) {}
