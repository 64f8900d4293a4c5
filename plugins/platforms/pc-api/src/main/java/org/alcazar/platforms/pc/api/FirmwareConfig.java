package org.alcazar.platforms.pc.api;

/** The firmware configuration device, to which others add files for firmware or guest. */
public interface FirmwareConfig {
    /**
     * Adds a file, or replaces its contents; done while devices are made, before the guest starts.
     *
     * @param name at most 55 ASCII characters, such as {@code etc/e820}
     * @throws IllegalArgumentException if the name is too long or no place is left in the directory
     */
    void addFile(String name, byte[] contents);

    /** Sets the bytes behind a numeric selector (below 0x8000). */
    void setItem(int selector, byte[] contents);
}
