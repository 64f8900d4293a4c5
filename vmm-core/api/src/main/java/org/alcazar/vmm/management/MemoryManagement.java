package org.alcazar.vmm.management;

import org.alcazar.host.HostRefusal;

import java.util.BitSet;
import java.util.List;

/**
 * What is done with the RAM of VMs. Methods are safe from any thread but a vcore's; the guest
 * stands for a moment where that is needed. All of them refuse a VM that does not exist.
 */
public interface MemoryManagement {
    /**
     * Where a VM's RAM is.
     *
     * @throws HostRefusal if there is no such VM
     */
    MemoryReport report(int vm) throws HostRefusal;

    /**
     * Says how much of a VM's RAM may be in the host's memory; what is more goes to its swap file.
     *
     * @param bytes at least 1 MiB
     * @throws HostRefusal if there is no such VM, or it has no swap file
     */
    void swapLimit(int vm, long bytes) throws HostRefusal;

    /**
     * Asks a guest to give up memory, through its balloon. Returns before it has done so.
     *
     * @param bytes in all, at least 0: what the guest has given up beyond that it may take back
     * @throws HostRefusal if there is no such VM, it has no balloon, or its paging mode needs
     *     memory in place
     */
    void balloon(int vm, long bytes) throws HostRefusal;

    /**
     * How much a guest has given up.
     *
     * @throws HostRefusal if there is no such VM, or it has no balloon
     */
    BalloonReport balloon(int vm) throws HostRefusal;

    /**
     * Has pages of a VM lie on a memory node of the host, in one piece. Pages that are shared or
     * not there stay where they are.
     *
     * @param start guest-physical, of a page
     * @param bytes whole pages
     * @return bytes that have moved
     * @throws HostRefusal if there is no such VM, that is no RAM of it, its paging mode needs
     *     memory in place, or the host has no such memory
     */
    long move(int vm, long start, long bytes, int node) throws HostRefusal;

    /**
     * Has equal pages of VMs, and of each of them, lie in one page of the host until somebody
     * writes. All of these VMs stand still together while pages are compared.
     *
     * @param vms their numbers
     * @throws HostRefusal if there is no such VM, one has ended, or the paging mode of one needs
     *     memory in place
     */
    ShareReport share(List<Integer> vms) throws HostRefusal;

    /**
     * Logs from now on which pages of RAM are written, by whomever.
     *
     * @throws HostRefusal if there is no such VM, or it has ended
     */
    void startDirtyLog(int vm) throws HostRefusal;

    /**
     * Numbers of the guest's pages (addresses by 4096) written since the log was started, or begun
     * anew.
     *
     * @param anew whether it begins anew
     * @throws HostRefusal if there is no such VM, or its writes are not logged
     */
    BitSet dirtyPages(int vm, boolean anew) throws HostRefusal;

    /**
     * Ends the log of writes; nothing if there is none.
     *
     * @throws HostRefusal if there is no such VM
     */
    void stopDirtyLog(int vm) throws HostRefusal;

    /**
     * Counts from now on which pages of RAM the guest uses: looks at the accessed bits of its
     * translation tables from time to time.
     *
     * @param periodNanos between two looks, at each of which the guest stands for a moment
     * @param fine whether large pages of the tables are cut first: they stay small then, and
     *     translation costs more; otherwise their use is that of all their small ones
     * @throws HostRefusal if there is no such VM, it has ended, or pages are counted already
     */
    void startAccess(int vm, long periodNanos, boolean fine) throws HostRefusal;

    /**
     * What has been counted since the last start; nothing if there was none.
     *
     * @throws HostRefusal if there is no such VM
     */
    AccessReport access(int vm) throws HostRefusal;

    /**
     * Ends the counting.
     *
     * @throws HostRefusal if there is no such VM
     */
    void stopAccess(int vm) throws HostRefusal;
}
