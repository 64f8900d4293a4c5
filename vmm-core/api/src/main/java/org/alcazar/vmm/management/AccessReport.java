package org.alcazar.vmm.management;

import java.util.List;

/**
 * Which pages of its RAM a guest has used, by samples.
 *
 * @param samples taken so far: a page counts once in each in which it was used
 * @param areas of RAM, ascending
 */
public record AccessReport(long samples, List<Area> areas) {
    /**
     * RAM in one piece for the guest. A large page of the translation tables counts as a use of all
     * its pages.
     *
     * @param start guest-physical address of the first page
     * @param used samples in which each page was used
     * @param written the same for writes
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Area(long start, int[] used, int[] written) {}
}
