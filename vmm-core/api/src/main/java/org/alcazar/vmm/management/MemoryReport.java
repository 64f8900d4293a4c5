package org.alcazar.vmm.management;

/**
 * Where a VM's RAM is. All counts are in bytes.
 *
 * @param ram that the guest has, as it sees it
 * @param present in the host's memory
 * @param shared of these, used by others too until they are written
 * @param swapped on a file of the host
 * @param ballooned given back by the guest
 * @param copied copies made in all because somebody wrote to a page that was shared
 * @param tables pages of translation tables
 * @param charged that the host has handed out in this VM's name, with what other VMs still share of
 *     it
 * @param paged whether the host keeps account of single pages; else all is there in one piece
 */
public record MemoryReport(
        long ram,
        long present,
        long shared,
        long swapped,
        long ballooned,
        long copied,
        long tables,
        long charged,
        boolean paged) {
    /** Bytes that nobody else uses. */
    public long alone() {
        return present - shared;
    }
}
