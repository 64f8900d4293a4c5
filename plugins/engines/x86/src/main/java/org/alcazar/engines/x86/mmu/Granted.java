package org.alcazar.engines.x86.mmu;

import org.alcazar.engines.x86.state.Cpu;
import org.alcazar.machine.ControlBlock;

import java.util.Arrays;

/**
 * What replies to exits have given beside tables: pages for one instruction only, and under shadow
 * tables linear pages that are devices. None of it is ever in the TLB or in a view, so that it
 * can't be evicted in the midst of an instruction, nor outlive it.
 */
public final class Granted {
    /** {@link #find}: nothing. */
    static final long NONE = -1;

    /** {@link #find}: a page fault is to be raised, whose error code the low bits are. */
    static final long REFUSED = 1L << 62;

    /** In a device's rights: user accesses are allowed. */
    static final int USER = 8;

    /** Where a device's rights have the access that the VMM was asked for. */
    static final int ASKED_SHIFT = 8;

    /** More than any instruction or task switch makes different accesses to pages. */
    private static final int ENTRIES = 32;

    private static final long PAGE = -4096;

    /** A ring of the last ones: the page, for what, and what is there. */
    private static final class Ring {
        final long[] pages = new long[ENTRIES];
        final int[] what = new int[ENTRIES];
        final long[] targets = new long[ENTRIES];
        int count;
        private int next;

        /**
         * @param any an entry of the page is replaced whatever it is for
         */
        void put(long page, int access, long target, boolean any) {
            int at = 0;
            while (at < count && (pages[at] != page || !any && what[at] != access)) {
                at++;
            }
            if (at == count && count < ENTRIES) {
                count++;
            } else if (at == count) {
                at = next;
                next = (next + 1) % ENTRIES;
            }
            pages[at] = page;
            what[at] = access;
            targets[at] = target;
        }

        int find(long page) {
            for (int i = 0; i < count; i++) {
                if (pages[i] == page) {
                    return i;
                }
            }
            return -1;
        }

        void clear() {
            count = 0;
            next = 0;
        }
    }

    private final Cpu cpu;

    /** By depth of frames: what is for the instruction in progress there. */
    private final Ring[] once = new Ring[ControlBlock.MAX_DEPTH];

    private final Ring devices = new Ring();

    /** Guest-physical pages, under nested tables. */
    final DevicePages physicalDevices = new DevicePages();

    /** There is something for the next instruction only, so it has to run alone. */
    public boolean any;

    Granted(Cpu cpu) {
        this.cpu = cpu;
        Arrays.setAll(once, i -> new Ring());
    }

    /** The access of a FAULT exit under shadow tables, from the exit's {@code value}. */
    public static int access(long value) {
        return (int) value
                & (PageWalker.WRITE | PageWalker.USER | PageWalker.FETCH | PageWalker.OPEN);
    }

    /**
     * The error code that the guest sees: fetches are told only where NX or SMEP are on (APM volume
     * 2, 8.4.2), whatever the VMM needs to know.
     */
    public static int errorCode(Cpu cpu, long value) {
        int code = (int) value & 0xffff;
        return PageWalker.tellsFetch(cpu) ? code : code & ~PageWalker.FETCH;
    }

    /**
     * Until the instruction is done or faults, its accesses of this kind to a page go elsewhere.
     *
     * @param address linear under shadow tables, else guest-physical
     * @param access of {@link #access}, or rights where addresses are guest-physical; no fetch:
     *     what is decoded would outlive the instruction
     * @param host address of a page of RAM
     */
    public void once(long address, int access, long host) {
        put(address, access, host & PAGE);
    }

    /** The same for a page fault: what is under way finds it when it comes by again. */
    public void refuse(long linear, int access, int errorCode) {
        put(linear, access, REFUSED | errorCode);
    }

    private void put(long address, int access, long target) {
        once[cpu.block.depth].put(address & PAGE, access, target, false);
        any = true;
    }

    /** The instruction, or the delivery of an event, has come to an end. */
    public void end() {
        if (any) {
            once[cpu.block.depth].clear();
            any = false;
        }
    }

    /** The core runs with another frame, perhaps. */
    public void enter() {
        any = once[cpu.block.depth].count != 0;
    }

    /** A page of RAM, {@link #REFUSED} with an error code, or {@link #NONE}. */
    long find(long address, int access) {
        Ring ring = once[cpu.block.depth];
        for (int i = 0; i < ring.count; i++) {
            if (ring.pages[i] == (address & PAGE) && ring.what[i] == access) {
                return ring.targets[i];
            }
        }
        return NONE;
    }

    // ---- devices

    /**
     * The reply to a TRANSLATION exit: with these rights a guest-physical page is a device; holds
     * until the next invalidation.
     */
    public void device(long gpa, int rights) {
        physicalDevices.add(gpa & PAGE, rights);
    }

    /**
     * The reply to a FAULT exit under shadow tables: a linear page is a device; holds until
     * something is dropped from the TLB.
     *
     * @param rights that the guest's tables give, with {@link #USER}
     * @param access of {@link #access}, that of the exit
     */
    public void device(long linear, long gpa, int rights, int access) {
        int asked = access & (PageWalker.WRITE | PageWalker.FETCH);
        devices.put(linear & PAGE, rights & 15 | asked << ASKED_SHIFT, gpa & PAGE, true);
    }

    /** Number of the device at a linear address, below 0 for none. */
    int deviceAt(long linear) {
        return devices.find(linear & PAGE);
    }

    int deviceRights(int number) {
        return devices.what[number];
    }

    /** Guest-physical address of its page. */
    long devicePage(int number) {
        return devices.targets[number];
    }

    /** Something was dropped from the TLB. */
    void dropDevices() {
        devices.clear();
    }

    /** The VMM's translations have changed: all this is over, for whatever instruction. */
    void clear() {
        for (Ring each : once) {
            each.clear();
        }
        any = false;
        devices.clear();
        physicalDevices.clear();
    }
}
