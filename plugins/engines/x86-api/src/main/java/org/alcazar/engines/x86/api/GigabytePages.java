package org.alcazar.engines.x86.api;

/**
 * What a shadow pager has to know of the processor model and no register tells: an engine that says
 * nothing has such pages.
 */
public interface GigabytePages {
    /** Whether the guest's tables may have pages of 1 GiB (CPUID 8000_0001h, EDX bit 26). */
    boolean hasGigabytePages();
}
