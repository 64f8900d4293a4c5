package org.alcazar.hosts.l4;

/**
 * An address space of a native program.
 *
 * @param space what is mapped
 * @param tables what hardware sees of it
 * @param current host-physical address of the page that tells its threads where their message
 *     registers are: GS points to it, and the kernel changes it at each switch, as Pistachio does
 */
record NativeSpace(AddressSpace space, PageTables tables, long current) {}
