package org.alcazar.machine;

/** How an engine gets from a guest's addresses to host-physical ones. */
public enum Translation {
    /** No VMM beneath: guest-physical is host-physical, the bus is everything. */
    NONE,
    /** Guest tables, then the VMM's tables from {@link ControlBlock#translationRoot}. */
    NESTED,
    /** The VMM's tables alone; the guest's are data. */
    SHADOW,
    /** The VMM writes entries of a software-loaded TLB. */
    SOFTWARE_TLB,
    /** The engine takes {@link GuestPhysicalMap} as slots. */
    SLOTS
}
