package org.alcazar.machine;

/** Where guest-physical memory lies. */
@FunctionalInterface
public interface GuestPhysical {
    /**
     * Looks up an address, without side effects.
     *
     * @param address guest-physical, any value
     * @return host-physical address of the RAM there, or -1 where none can be read now
     */
    long host(long address);
}
